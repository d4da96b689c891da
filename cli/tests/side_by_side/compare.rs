//! What must be equal in the plans, states and histories of both tools, and what need not be.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

/// What is compared of a change beside what it is about.
const OF_CHANGE: [&str; 8] = [
    "actions",
    "before",
    "after",
    "after_unknown",
    "before_sensitive",
    "after_sensitive",
    "replace_paths",
    "importing",
];

/// The differences of two plans in the form of `show -json`.
pub fn plans(terraform: Option<&Json>, plumb: Option<&Json>) -> Vec<String> {
    let (Some(terraform), Some(plumb)) = (terraform, plumb) else { return Vec::new() };
    let mut found = Vec::new();
    for section in ["resource_changes", "resource_drift"] {
        let (mut theirs, ours) = (changes(&terraform[section]), changes(&plumb[section]));
        if section == "resource_changes" {
            show_drift_of_deleted(terraform, &mut theirs);
        }
        for key in theirs.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
            let place = format!("{section} of {key}");
            differences(&place, part(&theirs, key), part(&ours, key), &mut found);
        }
    }
    differences("output_changes", &terraform["output_changes"], &plumb["output_changes"], &mut found);
    found
}

/// Shows what is deleted as it is now.
///
/// Intended: Plumb shows what it has just read, also of an object that the configuration has no place for any more;
/// Terraform then shows what it had recorded.
fn show_drift_of_deleted(plan: &Json, changes: &mut BTreeMap<String, Json>) {
    for drift in plan["resource_drift"].as_array().into_iter().flatten() {
        let change = drift["address"].as_str().and_then(|address| changes.get_mut(address));
        if let Some(change) = change.filter(|change| change["actions"] == serde_json::json!(["delete"])) {
            change["before"] = drift["change"]["after"].clone();
            change["before_sensitive"] = drift["change"]["after_sensitive"].clone();
        }
    }
}

fn part<'a>(all: &'a BTreeMap<String, Json>, key: &str) -> &'a Json {
    all.get(key).unwrap_or(&Json::Null)
}

fn changes(section: &Json) -> BTreeMap<String, Json> {
    let mut found = BTreeMap::new();
    for change in section.as_array().into_iter().flatten() {
        let mut compared = serde_json::Map::new();
        for name in ["previous_address", "provider_name", "action_reason", "mode"] {
            compared.insert(name.to_owned(), change[name].clone());
        }
        for name in OF_CHANGE {
            let mut value = change["change"][name].clone();
            if name == "replace_paths" {
                sort(&mut value);
            }
            compared.insert(name.to_owned(), value);
        }
        let deposed = change["deposed"].as_str().map(|_| " (deposed)").unwrap_or_default();
        let address = change["address"].as_str().expect("a change has an address");
        found.insert(format!("{address}{deposed}"), Json::Object(compared));
    }
    found
}

fn sort(value: &mut Json) {
    if let Some(items) = value.as_array_mut() {
        items.sort_by_key(Json::to_string);
    }
}

/// The differences of two states in Terraform's format.
///
/// Intended: each state has its own lineage and counts its own changes; Plumb keeps identities, which Terraform began to do with
/// 1.12; and it keeps no data sources, which are read again anyway.
pub fn states(terraform: &Json, plumb: &Json) -> Vec<String> {
    let mut found = Vec::new();
    let none = Json::Object(serde_json::Map::new());
    let outputs = |state: &Json| state.get("outputs").unwrap_or(&none).clone();
    differences("outputs in the state", &outputs(terraform), &outputs(plumb), &mut found);
    let (theirs, mut ours) = (instances(terraform), instances(plumb));
    close_dependencies(&mut ours);
    for key in theirs.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
        differences(&format!("state of {key}"), part(&theirs, key), part(&ours, key), &mut found);
    }
    found
}

/// Adds what dependencies depend on.
///
/// Intended: Plumb records what a resource block refers to; Terraform also what is behind that, which grows with the square of
/// the number of blocks.
fn close_dependencies(instances: &mut BTreeMap<String, Json>) {
    let mut direct: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (key, instance) in &*instances {
        let of = instance["dependencies"].as_array().into_iter().flatten();
        let names = of.filter_map(|name| name.as_str().map(str::to_owned));
        direct.entry(block(key)).or_default().extend(names);
    }
    for instance in instances.values_mut() {
        let Some(names) = instance["dependencies"].as_array() else { continue };
        let mut waiting: Vec<String> =
            names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        let mut all = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            if all.insert(name.clone()) {
                waiting.extend(direct.get(&name).into_iter().flatten().cloned());
            }
        }
        instance["dependencies"] = all.into_iter().collect();
    }
}

/// The resource block of an instance, in the words of `dependencies`.
fn block(key: &str) -> String {
    let address = key.split('[').next().unwrap_or(key);
    address.replace("managed ", "").replace("data ", "data.").replace(' ', ".")
}

fn instances(state: &Json) -> BTreeMap<String, Json> {
    let mut found = BTreeMap::new();
    let resources = state["resources"].as_array().into_iter().flatten();
    for resource in resources.filter(|resource| resource["mode"] != "data") {
        let of = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
        let address = format!("{} {} {}.{}", of("module"), of("mode"), of("type"), of("name"));
        for instance in resource["instances"].as_array().into_iter().flatten() {
            let mut instance = instance.clone();
            let members = instance.as_object_mut().expect("an instance is an object");
            members.remove("identity");
            members.remove("identity_schema_version");
            members.insert("provider".to_owned(), resource["provider"].clone());
            if let Some(names) = members.get_mut("dependencies").and_then(Json::as_array_mut) {
                // Intended: only managed resources have an order in which they are deleted.
                let others = |name: &Json| {
                    name.as_str()
                        .is_some_and(|name| name.starts_with("data.") || name.starts_with("ephemeral."))
                };
                names.retain(|name| !others(name));
            }
            if members.get("dependencies").is_some_and(|names| names.as_array().is_some_and(Vec::is_empty)) {
                members.remove("dependencies");
            }
            for name in ["sensitive_attributes", "dependencies"] {
                members.get_mut(name).into_iter().for_each(sort);
            }
            let deposed = members.remove("deposed").map(|_| " (deposed)").unwrap_or_default();
            let key = members.get("index_key").map(Json::to_string).unwrap_or_default();
            found.insert(format!("{}[{key}]{deposed}", address.trim()), instance);
        }
    }
    found
}

/// The differences of what was done to two remote systems, in whatever order.
///
/// Intended: how often leases are opened, renewed and closed depends on how often something is evaluated, and on time.
pub fn histories(terraform: &str, plumb: &str) -> Vec<String> {
    let count = |text: &str| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for line in text.lines() {
            let event: Json = serde_json::from_str(line).expect("an event is JSON");
            if event["kind"] != "lease" {
                *counts.entry(event.to_string()).or_default() += 1;
            }
        }
        counts
    };
    let (theirs, ours) = (count(terraform), count(plumb));
    let mut found = Vec::new();
    for event in theirs.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
        let times = |counts: &BTreeMap<String, usize>| counts.get(event).copied().unwrap_or(0);
        if times(&theirs) != times(&ours) {
            found.push(format!(
                "{event} happened {} times in terraform, {} in plumb",
                times(&theirs),
                times(&ours)
            ));
        }
    }
    found
}

fn differences(place: &str, terraform: &Json, plumb: &Json, found: &mut Vec<String>) {
    match (terraform, plumb) {
        (Json::Object(theirs), Json::Object(ours)) => {
            for name in theirs.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
                let of =
                    |object: &serde_json::Map<String, Json>| object.get(name).cloned().unwrap_or(Json::Null);
                differences(&format!("{place}.{name}"), &of(theirs), &of(ours), found);
            }
        }
        (Json::Array(theirs), Json::Array(ours)) if same_in_another_order(theirs, ours) => {}
        (Json::Array(theirs), Json::Array(ours)) if theirs.len() == ours.len() => {
            for (i, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
                differences(&format!("{place}[{i}]"), theirs, ours, found);
            }
        }
        _ if terraform == plumb || (is_now(terraform) && is_now(plumb)) => {}
        _ => found.push(format!("{place}: terraform {terraform}, plumb {plumb}")),
    }
}

/// Whether two arrays have the same objects.
///
/// Intended: sets of objects of which a part is not known have an order of their own in each tool.
fn same_in_another_order(theirs: &[Json], ours: &[Json]) -> bool {
    let sorted = |items: &[Json]| {
        let mut texts: Vec<String> = items.iter().map(Json::to_string).collect();
        texts.sort();
        texts
    };
    theirs.first().is_some_and(Json::is_object) && sorted(theirs) == sorted(ours)
}

/// Whether a value is the time of this run.
fn is_now(value: &Json) -> bool {
    let today = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    value.as_str().and_then(seconds).is_some_and(|then| today.as_secs().abs_diff(then) < 3600)
}

/// A time in UTC, such as `2026-02-28T12:00:00Z`, in seconds since 1970.
fn seconds(text: &str) -> Option<u64> {
    text.parse::<jiff::Timestamp>().ok().and_then(|time| u64::try_from(time.as_second()).ok())
}
