//! State as a person reads it: each object like the block that declares it, then the outputs.

use std::io::{self, Write};

use plumb_model::Value;

use super::diff::{self, Remarks};
use super::plan_text::block_header;
use super::state_json::{InstanceView, StateView};
use super::style::{Role, Style};
use super::{escape, outputs};

/// Writes state as text.
///
/// # Errors
/// If writing fails.
pub fn write_state_text(state: &StateView, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    if state.instances.is_empty() && state.outputs.is_empty() {
        return writeln!(out, "The state is empty.");
    }
    for instance in &state.instances {
        write_instance(instance, style, out)?;
    }
    if state.outputs.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", style.paint(Role::Strong, "Outputs:"))?;
    write!(out, "{}", outputs::outputs_text(&state.outputs))
}

/// Writes one object as text.
///
/// # Errors
/// If writing fails.
pub fn write_instance(instance: &InstanceView, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut title = format!("# {}", escape::line(&instance.address.to_string()));
    if let Some(key) = &instance.deposed {
        title.push_str(&format!(" (former object {})", escape::line(key)));
    }
    if instance.tainted {
        title.push_str(" (tainted)");
    }
    writeln!(out, "{}", style.paint(Role::Strong, title))?;
    writeln!(out, "{}", block_header(&instance.address))?;
    for line in diff::attributes(&Value::NULL, &instance.value, &Remarks::default(), &[], None) {
        let indent = (line.depth + 1) * 4;
        write!(out, "{:indent$}{}", "", line.text)?;
        if !line.note.is_empty() {
            write!(out, "  {}", style.paint(Role::Faint, format!("# {}", line.note)))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "}}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::expect;

    use super::*;
    use crate::render::sample::{instance, o, provider, s, secret, strings};
    use crate::render::state_json::OutputValue;

    #[test]
    fn objects_and_outputs() {
        let view = |address: &str, tainted, deposed: Option<&str>| InstanceView {
            address: instance(address),
            provider: provider("file"),
            schema_version: 0,
            value: o([
                ("absent", Value::NULL),
                ("content", s("a\nb\n")),
                ("id", s("1")),
                ("secret", secret()),
                ("tags", strings(&["x"])),
            ]),
            dependencies: Vec::new(),
            tainted,
            deposed: deposed.map(Into::into),
        };
        let state = StateView {
            instances: vec![
                view("data.file.a", false, None),
                view("module.m[0].file.b[\"k\"]", true, Some("0a")),
            ],
            outputs: BTreeMap::from([("k".into(), OutputValue { value: secret(), sensitive: true })]),
            checks: Vec::new(),
        };
        let mut out = Vec::new();
        write_state_text(&state, &Style::plain(), &mut out).unwrap();
        expect![[r##"
            # data.file.a
            data "file" "a" {
                content = <<-EOT
                    a
                    b
                EOT
                id      = "1"
                secret  = (sensitive value)
                tags    = [
                    "x",
                ]
            }

            # module.m[0].file.b["k"] (former object 0a) (tainted)
            resource "file" "b" {
                content = <<-EOT
                    a
                    b
                EOT
                id      = "1"
                secret  = (sensitive value)
                tags    = [
                    "x",
                ]
            }

            Outputs:
            k = <sensitive>
        "##]]
        .assert_eq(&String::from_utf8(out).unwrap());
    }
}
