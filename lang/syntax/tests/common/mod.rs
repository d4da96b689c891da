//! Trees as text, for tests.
#![allow(dead_code, reason = "each test uses some of it")]

use plumb_syntax::tree::*;

/// A body, an item a line, nested by indentation.
pub fn show_body(body: &Body) -> String {
    let mut out = String::new();
    write_body(body, 0, &mut out);
    out
}

fn write_body(body: &Body, depth: usize, out: &mut String) {
    for item in &body.items {
        let indent = "  ".repeat(depth);
        match item {
            Item::Attribute(attribute) => {
                out.push_str(&format!("{indent}{} = {}\n", attribute.name, show(&attribute.value)));
            }
            Item::Block(block) => {
                let labels: String = block.labels.iter().map(|label| format!(" {:?}", label.text)).collect();
                out.push_str(&format!("{indent}{}{labels}\n", block.kind));
                write_body(&block.body, depth + 1, out);
            }
            Item::Error(_) => out.push_str(&format!("{indent}<error>\n")),
        }
    }
}

/// An expression with all its structure in parentheses, and without places.
pub fn show(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Null => "null".into(),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Number(number) => number.to_string(),
        ExprKind::String(text) => format!("{text:?}"),
        // What is unwrapped means the same without its quotes.
        ExprKind::Template(template) if template.unwraps => match template.parts.as_slice() {
            [TemplatePart::Interpolation(inner)] => show(inner.without_parens()),
            parts => show_parts(parts),
        },
        ExprKind::Template(template) => format!("(template {})", show_parts(&template.parts)),
        ExprKind::Traversal(traversal) => traversal.to_string(),
        ExprKind::Access(access) => format!("(access {}{})", show(&access.base), show_steps(&access.steps)),
        ExprKind::Call(call) => {
            let expand = if call.expand_final.is_some() { "..." } else { "" };
            format!("({}{}{expand})", call.full_name(), list(call.arguments.iter().map(show)))
        }
        ExprKind::Tuple(tuple) => format!("[{}]", list(tuple.elements.iter().map(show)).trim_start()),
        ExprKind::Object(object) => {
            format!("{{{}}}", list(object.entries.iter().map(show_entry)).trim_start())
        }
        ExprKind::For(each) => show_for(each),
        ExprKind::Conditional(conditional) => format!(
            "(? {} {} {})",
            show(&conditional.condition),
            show(&conditional.then),
            show(&conditional.otherwise)
        ),
        ExprKind::Binary(binary) => format!("({} {} {})", binary.op, show(&binary.left), show(&binary.right)),
        ExprKind::Unary(unary) => {
            let op = if unary.op == UnaryOp::Not { "!" } else { "-" };
            format!("({op} {})", show(&unary.operand))
        }
        ExprKind::Paren(inner) => format!("(paren {})", show(inner)),
        ExprKind::Spread(inner) => format!("(... {})", show(inner)),
        ExprKind::Nullable(inner) => format!("(nullable {})", show(inner)),
        ExprKind::Where(narrowed) => {
            format!("(where {} {})", show(&narrowed.base), show(&narrowed.condition))
        }
        ExprKind::Qualified(qualified) => format!("(:: {qualified})"),
        ExprKind::Error => "<error>".into(),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.map(|item| format!(" {item}")).collect()
}

fn show_entry(entry: &ObjectEntry) -> String {
    match entry {
        ObjectEntry::Pair { key: ObjectKey::Name(name), value } => format!("{name}={}", show(value)),
        ObjectEntry::Pair { key: ObjectKey::Expr(key), value } => format!("<{}>={}", show(key), show(value)),
        ObjectEntry::Spread(value, _) => format!("(... {})", show(value)),
        ObjectEntry::Open(_) => "...".into(),
    }
}

fn show_for(each: &For) -> String {
    let key = each.key.as_ref().map(|key| format!("{key},")).unwrap_or_default();
    let result = match &each.result_key {
        Some(key) => {
            format!(
                "{} => {}{}",
                show(key),
                show(&each.result),
                if each.grouping.is_some() { "..." } else { "" }
            )
        }
        None => show(&each.result),
    };
    let condition = each.condition.as_ref().map(|c| format!(" if {}", show(c))).unwrap_or_default();
    format!("(for {key}{} in {} : {result}{condition})", each.value, show(&each.collection))
}

fn show_steps(steps: &[AccessStep]) -> String {
    steps
        .iter()
        .map(|step| match step {
            AccessStep::Attribute { name, optional } => {
                format!(" {}{name}", if *optional { "?." } else { "." })
            }
            AccessStep::Index { key, optional, .. } => {
                format!(" {}{}]", if *optional { "?[" } else { "[" }, show(key))
            }
            AccessStep::Splat { each, full, .. } => {
                format!(" {}{{{}}}", if *full { "[*]" } else { ".*" }, show_steps(each).trim_start())
            }
        })
        .collect()
}

fn show_parts(parts: &[TemplatePart]) -> String {
    let shown: Vec<String> = parts
        .iter()
        .map(|part| match part {
            TemplatePart::Literal(text) => format!("{text:?}"),
            TemplatePart::Interpolation(expr) => format!("${{{}}}", show(expr)),
            TemplatePart::If(branch) => format!(
                "(if {} [{}] [{}])",
                show(&branch.condition),
                show_parts(&branch.then),
                show_parts(&branch.otherwise)
            ),
            TemplatePart::For(each) => {
                let key = each.key.as_ref().map(|key| format!("{key},")).unwrap_or_default();
                format!(
                    "(for {key}{} in {} [{}])",
                    each.value,
                    show(&each.collection),
                    show_parts(&each.body)
                )
            }
        })
        .collect();
    shown.join(" ")
}
