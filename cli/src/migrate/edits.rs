//! What has to be inserted into a file so that it means the same in a `.cfg` file, and what prevents that.

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;
use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostic, Diagnostics, SourceId, Span};
use plumb_semantics::{Module, Program};
use plumb_syntax::tree::{BinaryOp, Block, Body, Expr, ExprKind, Item, ObjectEntry};
use plumb_syntax::{Dialect, format, parse};

use super::refusal;

/// The text of a file after the insertions that concern it alone.
pub(super) fn of_file(source: SourceId, text: &str) -> Result<String, Diagnostics> {
    let text = in_both_dialects(source, text)?;
    let tree = parse(source, &text, Dialect::Terraform).tree;
    let mut found = Diagnostics::new();
    tree.body.blocks().for_each(|block| check_body(&block.body, &mut found));
    let found = found.into_result()?;
    debug_assert!(found.is_empty(), "every reason is an error");
    let mut insertions = super::types::insertions(&tree.body, &text);
    let resources =
        tree.body.blocks().filter(|b| matches!(b.kind.as_str(), "resource" | "data" | "ephemeral"));
    for block in resources {
        escape_enabled(block, &text, &mut insertions);
    }
    Ok(inserted(&text, insertions))
}

/// The text, or the same in the standard layout, if both dialects read it in the same way.
fn in_both_dialects(source: SourceId, text: &str) -> Result<String, Diagnostics> {
    let reads_alike = |text: &str| {
        let (old, new) = (parse(source, text, Dialect::Terraform), parse(source, text, Dialect::Native));
        if old.tree.body == new.tree.body { Ok(()) } else { Err(new.diagnostics) }
    };
    let Err(found) = reads_alike(text) else { return Ok(text.to_owned()) };
    let formatted = format(source, text, Dialect::Terraform).text;
    match reads_alike(&formatted) {
        Ok(()) => Ok(formatted),
        Err(_) if found.has_errors() => Err(found),
        Err(_) => {
            Err(refusal("Operators of `.cfg` files are read into the text, which change its meaning").into())
        }
    }
}

/// Reports what is evaluated differently.
fn check_body(body: &Body, found: &mut Diagnostics) {
    for item in &body.items {
        match item {
            Item::Attribute(attribute) => check_expr(&attribute.value, found),
            Item::Block(block) => check_body(&block.body, found),
            Item::Error(_) => {}
        }
    }
}

/// The depth of expressions is limited by the parser.
fn check_expr(expr: &Expr, found: &mut Diagnostics) {
    match &expr.kind {
        ExprKind::Object(object) => {
            let mut keys: BTreeMap<EcoString, Span> = BTreeMap::new();
            for entry in &object.entries {
                let ObjectEntry::Pair { key, .. } = entry else { continue };
                let Some(name) = key.as_literal() else { continue };
                if let Some(first) = keys.insert(name.clone(), key.span()) {
                    found.push(
                        refusal("A key that is written twice is an error in `.cfg` files")
                            .label(key.span(), "again here")
                            .label(first, "first here, which has no effect")
                            .help("Remove the first of the two entries."),
                    );
                }
            }
        }
        ExprKind::Binary(binary) if binary.op == BinaryOp::Divide && is_zero(&binary.right) => found.push(
            refusal("A division by zero is an error in `.cfg` files")
                .label(binary.right.span, "this is zero"),
        ),
        _ => {}
    }
    expr.children().into_iter().for_each(|child| check_expr(child, found));
}

fn is_zero(expr: &Expr) -> bool {
    matches!(&expr.without_parens().kind, ExprKind::Number(number) if number.is_zero())
}

/// An argument `enabled` of the provider goes into a block `_`.
fn escape_enabled(block: &Block, text: &str, insertions: &mut Vec<(usize, String)>) {
    let Some(attribute) = block.body.attribute("enabled") else { return };
    let start = attribute.span.start as usize;
    let line = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let indent: String = text[line..].chars().take_while(|c| c.is_whitespace()).collect();
    insertions.push((start, format!("_ {{\n{indent}  ")));
    insertions.push((attribute.span.end as usize, format!("\n{indent}}}")));
}

/// What in a module cannot be rewritten.
pub(super) fn unconvertible(module: &Module) -> Diagnostics {
    let arguments = module.calls.values().flat_map(|call| &call.arguments);
    let taken = arguments.filter(|(name, _)| matches!(name.as_str(), "enabled" | "inputs"));
    let taken = taken.map(|(name, argument)| -> Diagnostic {
        refusal(&format!("`{name}` of a module call means something else in `.cfg` files"))
            .at(argument.name_span)
            .help("Give the variable of the module another name.")
    });
    taken.collect()
}

/// The providers that a module uses without naming them, and that a name alone would not mean in `.cfg` files.
pub(super) fn implied_providers(program: &Program, module: &Module) -> BTreeMap<EcoString, ProviderSource> {
    let resources = module.resources.values().map(|decl| decl.provider.name.clone());
    let blocks = module.provider_blocks.keys().map(|key| key.name.clone());
    let handed =
        module.calls.values().flat_map(|call| &call.providers).map(|entry| entry.outer.key.name.clone());
    let functions =
        module.files.iter().flat_map(|source| function_namespaces(&program.sources.get(*source).text));
    let names: BTreeSet<EcoString> = resources.chain(blocks).chain(handed).chain(functions).collect();
    let implied = names.into_iter().filter(|name| !module.required_providers.contains_key(name));
    let sources = implied.filter_map(|name| {
        let source = ProviderSource::parse(&name).ok()?;
        (name != "terraform" && source != ProviderSource::builtin(&name)).then_some((name, source))
    });
    sources.collect()
}

/// The names in `provider::NAME::`, wherever they stand.
fn function_namespaces(text: &str) -> Vec<EcoString> {
    let names = text.split("provider::").skip(1).filter_map(|rest| rest.split_once("::"));
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
    names.map(|(name, _)| EcoString::from(name)).filter(|name| is_name(name)).collect()
}

/// Names providers in a `required_providers` block: in one that is there, in a `terraform` block that is there, or in a
/// new block at the beginning of the first file.
pub(super) fn require<'t>(
    needed: &BTreeMap<EcoString, ProviderSource>,
    files: impl Iterator<Item = (SourceId, &'t mut String)>,
) {
    let mut files: Vec<(SourceId, &mut String)> = files.collect();
    let entries = |indent: &str| -> String {
        let entry = |(name, source): (&EcoString, &ProviderSource)| {
            format!("{indent}  {name} = {{\n{indent}    source = \"{source}\"\n{indent}  }}\n")
        };
        needed.iter().map(entry).collect()
    };
    for wanted in ["required_providers", "terraform"] {
        for (source, text) in &mut files {
            let tree = parse(*source, text, Dialect::Terraform).tree;
            let settings = tree.body.blocks_of("terraform");
            let found = match wanted {
                "terraform" => settings.map(|block| block.span).next(),
                _ => settings.flat_map(|block| block.body.blocks_of(wanted)).map(|block| block.span).next(),
            };
            let Some(span) = found else { continue };
            let end = span.end as usize - 1;
            let line = text[..end].rfind('\n').map_or(0, |newline| newline + 1);
            // `required_providers {}`: the brace does not stand in a line of its own.
            let alone = text[line..end].trim().is_empty();
            let start = text[..span.start as usize].rfind('\n').map_or(0, |newline| newline + 1);
            let indent: String = text[start..].chars().take_while(|c| *c == ' ' || *c == '\t').collect();
            let lines = match wanted {
                "terraform" => {
                    let inner = entries(&format!("{indent}  "));
                    format!("{indent}  required_providers {{\n{inner}{indent}  }}\n")
                }
                _ => entries(&indent),
            };
            match alone {
                true => text.insert_str(line, &lines),
                false => text.insert_str(end, &format!("\n{lines}{indent}")),
            }
            return;
        }
    }
    if let Some((_, text)) = files.first_mut() {
        let block = format!("terraform {{\n  required_providers {{\n{}  }}\n}}\n\n", entries("  "));
        text.insert_str(0, &block);
    }
}

fn inserted(text: &str, mut insertions: Vec<(usize, String)>) -> String {
    insertions.sort_by_key(|(at, _)| *at);
    let mut out = String::with_capacity(text.len());
    let mut last = 0;
    for (at, new) in insertions {
        out.push_str(&text[last..at]);
        out.push_str(&new);
        last = at;
    }
    out + &text[last..]
}
