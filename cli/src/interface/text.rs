//! An interface as text for people.

use std::fmt::Write as _;

use ecow::EcoString;

use super::{Input, Interface};
use crate::render::escape;
use crate::render::style::{Role, Style};

/// Longer defaults are not shown.
const LONGEST_DEFAULT: usize = 60;

/// The whole interface.
pub fn interface(interface: &Interface, style: &Style) -> String {
    let mut out = String::new();
    section("Inputs", interface.inputs.len(), style, &mut out);
    for input in &interface.inputs {
        let _ = writeln!(out, "  {}{}", style.paint(Role::Strong, &input.name), head(input));
        remark(&input.description, &mut out);
        for validation in &input.validations {
            remark(&validation.message, &mut out);
        }
        deprecated(input.deprecated.as_ref(), &mut out);
    }
    section("Outputs", interface.outputs.len(), style, &mut out);
    for output in &interface.outputs {
        let ty = output.shape.as_ref().map(|shape| format!("  {shape}")).unwrap_or_default();
        let marks = marks([(output.sensitive, "sensitive"), (output.ephemeral, "ephemeral")]);
        let _ = writeln!(out, "  {}{ty}{marks}", style.paint(Role::Strong, &output.name));
        remark(&output.description, &mut out);
        deprecated(output.deprecated.as_ref(), &mut out);
    }
    section("Types", interface.types.len(), style, &mut out);
    for (name, shape) in &interface.types {
        let _ = writeln!(out, "  {}  {shape}", style.paint(Role::Strong, name));
    }
    section("Providers", interface.providers.len(), style, &mut out);
    for (name, provider) in &interface.providers {
        let version = provider.version.as_ref().map(|version| format!("  {version}")).unwrap_or_default();
        let _ = writeln!(out, "  {}  {}{version}", style.paint(Role::Strong, name), provider.source);
        if !provider.aliases.is_empty() {
            let _ = writeln!(out, "      Callers hand down {}.", provider.aliases.join(", "));
        }
    }
    section("Modules", interface.modules.len(), style, &mut out);
    for (name, (source, version)) in &interface.modules {
        let version = version.as_ref().map(|version| format!("  {version}")).unwrap_or_default();
        let _ = writeln!(out, "  {}  {}{version}", style.paint(Role::Strong, name), escape::line(source));
    }
    if out.is_empty() {
        out.push_str("The module takes nothing and gives nothing.\n");
    }
    out
}

/// The heading of a section that is not empty.
fn section(heading: &str, entries: usize, style: &Style, out: &mut String) {
    if entries > 0 {
        let gap = if out.is_empty() { "" } else { "\n" };
        let _ = writeln!(out, "{gap}{}", style.paint(Role::Strong, heading));
    }
}

/// What stands behind the name of an input: type, default, marks.
fn head(input: &Input) -> String {
    let mut head = input.shape.as_ref().map(|shape| format!("  {shape}")).unwrap_or_default();
    match &input.default {
        None => head.push_str("  (required)"),
        Some(default) => {
            let written = escape::line(&default.written);
            match written.chars().count() > LONGEST_DEFAULT || default.written.contains('\n') {
                true => head.push_str("  = …"),
                false => head.push_str(&format!("  = {written}")),
            }
        }
    }
    // Types of `.cfg` files say themselves whether null is among their values.
    let said = input.shape.as_ref().is_some_and(|shape| !shape.is_nullable());
    head.push_str(&marks([
        (input.sensitive, "sensitive"),
        (input.ephemeral, "ephemeral"),
        (!input.nullable && !said, "not null"),
        (input.constant, "const"),
    ]));
    head
}

fn marks<const N: usize>(marks: [(bool, &str); N]) -> String {
    marks.iter().filter(|(set, _)| *set).map(|(_, word)| format!("  ({word})")).collect()
}

fn remark(text: &str, out: &mut String) {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let _ = writeln!(out, "      {}", escape::line(line.trim()));
    }
}

fn deprecated(reason: Option<&EcoString>, out: &mut String) {
    if let Some(reason) = reason {
        remark(&format!("Deprecated: {reason}"), out);
    }
}
