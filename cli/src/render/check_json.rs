//! How checks turned out, as Terraform's plan and state JSON have it: by block, then by instance.

use std::collections::BTreeMap;
use std::io;

use ecow::EcoString;
use indexmap::IndexMap;
use indexmap::map::Entry;
use plumb_engine::plan::{CheckResult, CheckStatus};
use plumb_model::address::{Instance, Key};

use super::json::Json;
use super::state_json;

/// The member `checks`, absent if there are none.
pub(super) fn checks(checks: &[CheckResult], json: &mut Json<'_>) -> io::Result<()> {
    if checks.is_empty() {
        return Ok(());
    }
    let mut by_block: BTreeMap<(&str, &EcoString), Vec<&CheckResult>> = BTreeMap::new();
    let merged = merged(checks);
    for check in &merged {
        by_block.entry((check.kind, &check.config_address)).or_default().push(check);
    }
    json.key("checks")?;
    json.array(|json| {
        by_block.iter().try_for_each(|((kind, address), instances)| {
            json.object(|json| {
                json.key("address")?;
                json.object(|json| check_address(kind, address, json))?;
                json.text("status", status(instances.iter().map(|check| check.status)))?;
                json.key("instances")?;
                json.array(|json| instances.iter().try_for_each(|check| check_instance(check, json)))
            })
        })
    })
}

/// One result for each instance: the conditions before and after it was made are told together.
fn merged(checks: &[CheckResult]) -> Vec<CheckResult> {
    let mut merged: IndexMap<(&str, &EcoString), CheckResult> = IndexMap::new();
    for check in checks {
        match merged.entry((check.kind, &check.address)) {
            Entry::Vacant(entry) => {
                entry.insert(check.clone());
            }
            Entry::Occupied(mut entry) => {
                let kept = entry.get_mut();
                kept.messages.extend(check.messages.iter().cloned());
                if rank(check.status) > rank(kept.status) {
                    kept.status = check.status;
                }
            }
        }
    }
    merged.into_values().collect()
}

/// Of several the worst counts; what is not known comes before what holds.
fn rank(status: CheckStatus) -> (u8, &'static str) {
    match status {
        CheckStatus::Pass => (0, "pass"),
        CheckStatus::Unknown => (1, "unknown"),
        CheckStatus::Fail => (2, "fail"),
        CheckStatus::Error => (3, "error"),
    }
}

fn status(all: impl Iterator<Item = CheckStatus>) -> &'static str {
    all.map(rank).max().map_or("unknown", |(_, word)| word)
}

fn check_address(kind: &str, address: &str, json: &mut Json<'_>) -> io::Result<()> {
    json.text("kind", if kind == "output" { "output_value" } else { kind })?;
    if kind == "resource" {
        if let Ok(instance) = Instance::parse(address) {
            json.text("mode", state_json::mode(instance.resource.mode))?;
            json.text("type", &instance.resource.kind)?;
            json.text("name", &instance.resource.name)?;
            if !instance.module.is_root() {
                json.text("module", &instance.module.to_string())?;
            }
        }
    } else {
        let (module, name) = split_name(address);
        json.text("name", name)?;
        if let Some(module) = module {
            json.text("module", module)?;
        }
    }
    json.text("to_display", address)
}

/// Splits `module.m.output.x` into `module.m` and `x`.
fn split_name(address: &str) -> (Option<&str>, &str) {
    let (rest, name) = address.rsplit_once('.').unwrap_or(("", address));
    (rest.rsplit_once('.').map(|(module, _)| module), name)
}

fn check_instance(check: &CheckResult, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        json.key("address")?;
        json.object(|json| {
            json.text("to_display", &check.address)?;
            match Instance::parse(&check.address) {
                Ok(instance) if check.kind == "resource" => {
                    if !instance.module.is_root() {
                        json.text("module", &instance.module.to_string())?;
                    }
                    match &instance.key {
                        Key::None => Ok(()),
                        Key::Int(index) => json.plain("instance_key", index),
                        Key::String(key) => json.text("instance_key", key),
                    }
                }
                _ => match split_name(&check.address).0 {
                    Some(module) => json.text("module", module),
                    None => Ok(()),
                },
            }
        })?;
        json.text("status", status([check.status].into_iter()))?;
        if check.messages.is_empty() {
            return Ok(());
        }
        json.key("problems")?;
        json.array(|json| {
            check.messages.iter().try_for_each(|message| json.object(|json| json.text("message", message)))
        })
    })
}
