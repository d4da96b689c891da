//! Types that mean in a `.cfg` file what they mean in a `.tf` file.
//!
//! In `.tf` files every part of a value may be null, and an object may have more attributes than its type; what is more is
//! left out. In `.cfg` files both has to be said: `T?` and `object({ …, ... })`.

use plumb_syntax::tree::{Block, Body, Expr, ExprKind, Item, Object, ObjectEntry};

/// What has to be inserted into the types of variables and outputs, and where.
pub(super) fn insertions(body: &Body, text: &str) -> Vec<(usize, String)> {
    let mut writer = Writer { text, insertions: Vec::new() };
    for block in body.blocks() {
        match block.kind.as_str() {
            "variable" => writer.variable(block),
            "output" => block.body.attribute("type").into_iter().for_each(|ty| writer.part(&ty.value)),
            _ => {}
        }
        writer.conversions(&block.body);
    }
    writer.insertions
}

struct Writer<'t> {
    text: &'t str,
    insertions: Vec<(usize, String)>,
}

impl Writer<'_> {
    fn variable(&mut self, block: &Block) {
        let Some(ty) = block.body.attribute("type") else { return };
        // What `nullable` says of the value as a whole is said in both languages alike.
        match block.body.attribute("nullable") {
            Some(_) => self.inside(&ty.value),
            None => self.part(&ty.value),
        }
    }

    /// The types in calls of `convert`, in all arguments of a block.
    fn conversions(&mut self, body: &Body) {
        for item in &body.items {
            match item {
                Item::Attribute(attribute) => {
                    let mut pending = vec![&attribute.value];
                    while let Some(expr) = pending.pop() {
                        if let ExprKind::Call(call) = &expr.kind
                            && call.namespaces.is_empty()
                            && call.name.as_str() == "convert"
                            && let [value, ty] = call.arguments.as_slice()
                        {
                            self.part(ty);
                            pending.push(value);
                        } else {
                            pending.extend(expr.children());
                        }
                    }
                }
                Item::Block(block) => self.conversions(&block.body),
                Item::Error(_) => {}
            }
        }
    }

    /// A type whose values may be null.
    fn part(&mut self, ty: &Expr) {
        self.inside(ty);
        if !matches!(ty.as_keyword(), Some("any")) {
            self.insertions.push((ty.span.end as usize, "?".into()));
        }
    }

    /// The types that a type is made of. The depth of expressions is limited by the parser.
    fn inside(&mut self, ty: &Expr) {
        match &ty.kind {
            ExprKind::Paren(inner) => self.inside(inner),
            ExprKind::Call(call) => match (call.name.as_str(), call.arguments.as_slice()) {
                ("list" | "set" | "map", [element]) => self.part(element),
                ("tuple", [members]) => {
                    if let ExprKind::Tuple(tuple) = &members.without_parens().kind {
                        tuple.elements.iter().for_each(|member| self.part(member));
                    }
                }
                ("object", [attributes]) => {
                    let attributes = attributes.without_parens();
                    if let ExprKind::Object(object) = &attributes.kind {
                        self.object(object, attributes);
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn object(&mut self, object: &Object, written: &Expr) {
        let mut last = None;
        for entry in &object.entries {
            let ObjectEntry::Pair { value, .. } = entry else { continue };
            last = Some(value.span.end as usize);
            match &value.without_parens().kind {
                // What is absent is null already.
                ExprKind::Call(call) if call.name.as_str() == "optional" => {
                    call.arguments.first().into_iter().for_each(|ty| self.inside(ty));
                }
                _ => self.part(value),
            }
        }
        let brace = written.span.end as usize - 1;
        let line = self.text[..brace].rfind('\n').map_or(0, |newline| newline + 1);
        let Some(last) = last else {
            self.insertions.push((brace, " ... ".into()));
            return;
        };
        let indent: String = self.text[line..].chars().take_while(|c| *c == ' ' || *c == '\t').collect();
        match line > last && self.text[line..brace].trim().is_empty() {
            true => self.insertions.push((line, format!("{indent}  ...\n"))),
            false => self.insertions.push((last, ", ...".into())),
        }
    }
}
