//! The lines of JSON that Terraform writes with `plan -json` and `apply -json`.
//!
//! Each line is an object with `@level`, `@message`, `@module`, `@timestamp` and `type`; readers pass over types that
//! they do not know. Counts are Terraform's, where a replacement is one to add and one to destroy. Plumb's own type is
//! `apply_skipped`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use ecow::EcoString;
use plumb_engine::event::{Event, Listener};
use plumb_engine::plan::{Action, Change, Invocation, Plan, Reason, Summary, Trigger};
use plumb_model::address::{Instance, Key, ModuleInstance};
use plumb_model::{Diagnostic, Severity, Sources};

use super::super::json::Json;
use super::super::state_json::{OutputValue, TERRAFORM_VERSION};
use super::super::{diagnostic, value, words};
use super::{Id, sentence, verbs};

/// The version of the format of these lines.
pub const UI_VERSION: &str = "1.2";

/// Writes lines of JSON.
///
/// What cannot be written is lost: work does not stop because nobody listens.
pub struct JsonLines<W> {
    out: W,
    sources: Arc<Sources>,
    now: Box<dyn Fn() -> String + Send>,
    line: Vec<u8>,
}

/// The time as the lines have it: RFC 3339 in UTC with microseconds.
pub fn now() -> String {
    format!("{:.6}", jiff::Timestamp::now())
}

type Members<'a> = dyn Fn(&mut Json<'_>) -> io::Result<()> + 'a;

impl<W: Write + Send> JsonLines<W> {
    /// Lines that go to `out`, with the sources that diagnostics are about and a clock such as [`now`].
    pub fn new(out: W, sources: Arc<Sources>, now: impl Fn() -> String + Send + 'static) -> JsonLines<W> {
        JsonLines { out, sources, now: Box::new(now), line: Vec::new() }
    }

    fn line(&mut self, level: &str, message: &str, kind: &str, members: &Members<'_>) {
        self.line.clear();
        let now = (self.now)();
        let written = Json::new(&mut self.line).object(|json| {
            json.text("@level", level)?;
            json.text("@message", message)?;
            json.text("@module", "terraform.ui")?;
            json.text("@timestamp", &now)?;
            members(json)?;
            json.text("type", kind)
        });
        if written.is_ok() {
            self.line.push(b'\n');
            let _ = self.out.write_all(&self.line);
            let _ = self.out.flush();
        }
    }

    /// The first line: which program and which format.
    pub fn version(&mut self, plumb: &str) {
        self.line("info", &format!("Plumb {plumb}"), "version", &|json| {
            json.text("terraform", TERRAFORM_VERSION)?;
            json.text("plumb", plumb)?;
            json.text("ui", UI_VERSION)
        });
    }

    /// A step of `init`, with the code that Terraform gives it.
    pub fn step(&mut self, code: &str, message: &str) {
        self.line("info", message, "init_output", &|json| json.text("message_code", code));
    }

    /// Something that happens while a command runs.
    pub fn log(&mut self, message: &str) {
        self.line("info", message, "log", &|_| Ok(()));
    }

    /// What a plan says: what drifted, each change, counts, outputs.
    pub fn plan(&mut self, plan: &Plan) {
        for drift in &plan.drift {
            let action = if drift.after.is_null() { "delete" } else { "update" };
            let message = format!("{}: Drift detected ({action})", drift.address);
            self.line("info", &message, "resource_drift", &|json| {
                json.key("change")?;
                json.object(|json| {
                    resource("resource", &drift.address, json)?;
                    json.text("action", action)
                })
            });
        }
        for change in plan.changes.iter().filter(|change| change.is_effective()) {
            self.planned_change(change);
        }
        for invocation in &plan.invocations {
            self.planned_invocation(invocation);
        }
        self.summary(&plan.summary(), "plan");
        if !plan.outputs.is_empty() {
            let message = format!("Outputs: {}", plan.outputs.len());
            self.line("info", &message, "outputs", &|json| {
                json.key("outputs")?;
                json.object(|json| {
                    plan.outputs.iter().try_for_each(|(name, output)| {
                        json.key(name)?;
                        json.object(|json| {
                            json.plain("sensitive", output.sensitive)?;
                            json.text("action", ui_action(output.action()))
                        })
                    })
                })
            });
        }
    }

    fn planned_change(&mut self, change: &Change) {
        let action = match change.action {
            Action::NoOp if change.importing.is_some() => "import",
            Action::NoOp => "move",
            action => ui_action(action),
        };
        let message = format!("{}: Plan to {action}", change.address);
        self.line("info", &message, "planned_change", &|json| {
            json.key("change")?;
            json.object(|json| {
                resource("resource", &change.address, json)?;
                if let Some(previous) = &change.previous_address {
                    resource("previous_resource", previous, json)?;
                }
                json.text("action", action)?;
                if let Some(reason) = change.reason {
                    json.text("reason", ui_reason(reason))?;
                }
                if let Some(id) = &change.importing {
                    json.key("importing")?;
                    json.object(|json| json.text("id", id))?;
                }
                Ok(())
            })
        });
    }

    /// Counts of what is planned or done; the operation is `plan`, `apply` or `destroy`.
    pub fn summary(&mut self, summary: &Summary, operation: &str) {
        let (add, change) = (summary.create + summary.replace, summary.update);
        let (remove, import) = (summary.delete + summary.replace, summary.import);
        let message = match operation {
            "plan" => {
                let import = if import > 0 { format!("{import} to import, ") } else { String::new() };
                format!("Plan: {import}{add} to add, {change} to change, {remove} to destroy.")
            }
            "destroy" => format!("Destroy complete! Resources: {remove} destroyed."),
            _ => {
                let import = if import > 0 { format!("{import} imported, ") } else { String::new() };
                format!(
                    "Apply complete! Resources: {import}{add} added, {change} changed, {remove} destroyed."
                )
            }
        };
        let message = match (summary.invoke, operation) {
            (0, _) => message,
            (invoked, "plan") => format!("{message} Actions: {invoked} to invoke."),
            (invoked, _) => format!("{message} Actions: {invoked} invoked."),
        };
        self.line("info", &message, "change_summary", &|json| {
            json.key("changes")?;
            json.object(|json| {
                if summary.invoke > 0 {
                    json.plain("action_invocation", summary.invoke)?;
                }
                json.plain("add", add)?;
                json.plain("change", change)?;
                json.plain("import", import)?;
                json.plain("remove", remove)?;
                json.text("operation", operation)
            })
        });
    }

    /// The outputs after an apply. Sensitive ones are named without their values.
    pub fn outputs(&mut self, outputs: &BTreeMap<EcoString, OutputValue>) {
        self.line("info", &format!("Outputs: {}", outputs.len()), "outputs", &|json| {
            json.key("outputs")?;
            json.object(|json| {
                outputs.iter().try_for_each(|(name, output)| {
                    json.key(name)?;
                    json.object(|json| {
                        json.plain("sensitive", output.sensitive)?;
                        json.ty("type", &output.value.ty())?;
                        if output.sensitive || value::hidden(output.value.unmark_deep().1).is_some() {
                            return Ok(());
                        }
                        json.key("value")?;
                        json.value(&output.value)
                    })
                })
            })
        });
    }

    /// A message to the user.
    pub fn diagnostic(&mut self, diagnostic: &Diagnostic) {
        let (level, word) = match diagnostic.severity {
            Severity::Error => ("error", "Error"),
            Severity::Warning => ("warn", "Warning"),
            Severity::Note => ("info", "Note"),
        };
        let message = format!("{word}: {}", diagnostic.summary);
        let text = diagnostic::json(diagnostic, &self.sources);
        self.line(level, &message, "diagnostic", &|json| json.plain("diagnostic", &text));
    }

    /// A line about a resource.
    fn hook(&mut self, event: &Event, kind: &str, hook: &Hook<'_>) {
        let level = match event {
            Event::StepFailed { .. } => "error",
            Event::StepSkipped { .. } => "warn",
            _ => "info",
        };
        let message = match event {
            Event::StepFailed { address, action, took } => {
                format!("{address}: {} errored after {}", verbs(*action).noun, super::duration(*took))
            }
            event => sentence(event).unwrap_or_default(),
        };
        self.line(level, &message, kind, &|json| {
            json.key("hook")?;
            json.object(|json| {
                resource("resource", hook.address, json)?;
                if let Some(action) = hook.action {
                    json.text("action", ui_action(action))?;
                }
                if let Some((name, text)) = hook.id {
                    json.text("id_key", name)?;
                    json.text("id_value", text)?;
                }
                if let Some(elapsed) = hook.elapsed {
                    json.plain("elapsed_seconds", elapsed.as_secs())?;
                }
                match hook.because {
                    Some(because) => json.text("because", because),
                    None => Ok(()),
                }
            })
        });
    }

    fn provision(&mut self, address: &Instance, provisioner: &str, message: &str, kind: &str) {
        self.line("info", message, kind, &|json| {
            json.key("hook")?;
            json.object(|json| {
                resource("resource", address, json)?;
                json.text("provisioner", provisioner)
            })
        });
    }

    fn action(&mut self, address: &Instance, message: &str, kind: &str, said: Option<&str>) {
        self.line("info", message, kind, &|json| {
            json.key("hook")?;
            json.object(|json| {
                action(address, json)?;
                said.map_or(Ok(()), |said| json.text("message", said))
            })
        });
    }

    fn planned_invocation(&mut self, invocation: &Invocation) {
        let message = words::invocation(invocation);
        self.line("info", &message, "planned_action_invocation", &|json| {
            json.key("invocation")?;
            json.object(|json| {
                action(&invocation.address, json)?;
                match &invocation.trigger {
                    Trigger::Request => {
                        json.key("invoke_trigger")?;
                        json.object(|_| Ok(()))
                    }
                    Trigger::Lifecycle { resource: by, event, block, index } => {
                        json.key("lifecycle_trigger")?;
                        json.object(|json| {
                            resource("resource", by, json)?;
                            json.text("triggering_event", words::trigger_event(*event))?;
                            json.plain("action_trigger_block_index", block)?;
                            json.plain("actions_list_index", index)
                        })
                    }
                }
            })
        });
    }

    fn output(&mut self, from: &str, text: &str) {
        let place = from.strip_suffix(')').and_then(|from| from.split_once(" ("));
        let place = place.and_then(|(address, by)| Some((Instance::parse(address).ok()?, by)));
        let Some((address, provisioner)) = place else {
            return self.line("info", &format!("{from}: {text}"), "log", &|_| Ok(()));
        };
        let message = format!("{address}: ({provisioner}): {text}");
        self.line("info", &message, "provision_progress", &|json| {
            json.key("hook")?;
            json.object(|json| {
                resource("resource", &address, json)?;
                json.text("provisioner", provisioner)?;
                json.text("output", text)
            })
        });
    }
}

/// What a line about a resource has.
#[derive(Clone, Copy)]
struct Hook<'a> {
    address: &'a Instance,
    action: Option<Action>,
    id: Option<&'a (EcoString, EcoString)>,
    elapsed: Option<Duration>,
    because: Option<&'a str>,
}

impl<'a> Hook<'a> {
    fn of(address: &'a Instance, action: Option<Action>) -> Hook<'a> {
        Hook { address, action, id: None, elapsed: None, because: None }
    }

    fn id(self, id: &'a Id) -> Hook<'a> {
        Hook { id: id.as_ref(), ..self }
    }
}

impl<W: Write + Send> Listener for JsonLines<W> {
    fn event(&mut self, event: Event) {
        match &event {
            Event::ReadStarted { address, id } => {
                self.hook(&event, "refresh_start", &Hook::of(address, None).id(id));
            }
            Event::ReadEnded { address, id, .. } => {
                self.hook(&event, "refresh_complete", &Hook::of(address, None).id(id));
            }
            Event::StepStarted { address, action, id } => {
                self.hook(&event, "apply_start", &Hook::of(address, Some(*action)).id(id));
            }
            Event::StepProgress { address, action, elapsed } => {
                let hook = Hook { elapsed: Some(*elapsed), ..Hook::of(address, Some(*action)) };
                self.hook(&event, "apply_progress", &hook);
            }
            Event::StepEnded { address, action, id, took } => {
                let hook = Hook { elapsed: Some(*took), ..Hook::of(address, Some(*action)) };
                let hook = if *action == Action::Delete { hook } else { hook.id(id) };
                self.hook(&event, "apply_complete", &hook);
            }
            Event::StepFailed { address, action, took } => {
                let hook = Hook { elapsed: Some(*took), ..Hook::of(address, Some(*action)) };
                self.hook(&event, "apply_errored", &hook);
            }
            Event::StepSkipped { address, action, because } => {
                let hook = Hook { because: Some(because), ..Hook::of(address, Some(*action)) };
                self.hook(&event, "apply_skipped", &hook);
            }
            Event::InvokeStarted { address } => {
                self.action(address, &sentence(&event).unwrap_or_default(), "action_start", None);
            }
            Event::InvokeProgress { address, message } => {
                let said = sentence(&event).unwrap_or_default();
                self.action(address, &said, "action_progress", Some(message));
            }
            Event::InvokeEnded { address, done, .. } => {
                let kind = if *done { "action_complete" } else { "action_errored" };
                self.action(address, &sentence(&event).unwrap_or_default(), kind, None);
            }
            Event::ProvisionStarted { address, kind } => {
                let message = format!("{address}: Provisioning with '{kind}'...");
                self.provision(address, kind, &message, "provision_start");
            }
            Event::ProvisionEnded { address, kind, done } => {
                let (how, what) = match done {
                    true => ("complete", "provision_complete"),
                    false => ("errored", "provision_errored"),
                };
                self.provision(address, kind, &format!("{address}: ({kind}) Provisioning {how}"), what);
            }
            Event::Output { from, line } => self.output(from, line),
            Event::Diagnostic(diagnostic) => self.diagnostic(diagnostic),
        }
    }
}

/// The words that the lines have for actions; they are not those of plan JSON.
fn ui_action(action: Action) -> &'static str {
    match action {
        Action::NoOp => "noop",
        Action::Forget => "remove",
        action => action.word(),
    }
}

/// The words that the lines have for reasons; those for replacing are shorter than in plan JSON.
fn ui_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::ReplaceBecauseTainted => "tainted",
        Reason::ReplaceByRequest => "requested",
        Reason::ReplaceByTriggers => "replace_triggered_by",
        Reason::ReplaceBecauseCannotUpdate => "cannot_update",
        reason => reason.word(),
    }
}

fn resource(name: &str, address: &Instance, json: &mut Json<'_>) -> io::Result<()> {
    named(name, "resource", address, json)
}

fn action(address: &Instance, json: &mut Json<'_>) -> io::Result<()> {
    named("action", "action", address, json)
}

/// The members that name an instance of a `what`, under a key.
fn named(key: &str, what: &str, address: &Instance, json: &mut Json<'_>) -> io::Result<()> {
    json.key(key)?;
    json.object(|json| {
        let in_module = Instance { module: ModuleInstance::root(), ..address.clone() };
        json.text("addr", &address.to_string())?;
        json.text("module", &address.module.to_string())?;
        json.text(what, &in_module.to_string())?;
        json.text("implied_provider", address.resource.provider_prefix())?;
        json.text(&format!("{what}_type"), &address.resource.kind)?;
        json.text(&format!("{what}_name"), &address.resource.name)?;
        json.key(&format!("{what}_key"))?;
        match &address.key {
            Key::None => json.raw("null"),
            Key::Int(index) => json.raw(index),
            Key::String(key) => json.string(key),
        }
    })
}
