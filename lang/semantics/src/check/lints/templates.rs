//! Variables that `templatefile` is given and the template does not mention.
//!
//! The template is read where its path is written out, perhaps behind `path.module`, and its variables are those of an
//! object that is written out. That a variable is missing is found by evaluating.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ecow::{EcoString, eco_format};
use plumb_model::{Diagnostic, Diagnostics, SourceId};
use plumb_syntax::Origin;
use plumb_syntax::tree::{Call, Expr, ExprKind, ObjectEntry, TemplatePart};

use crate::check::schema::each_module_expr;
use crate::program::{ModuleId, Program};
use crate::world::World;

/// Reports template variables that are not used in calls of `templatefile` in a module.
pub(super) fn check(program: &Program, id: ModuleId, world: &dyn World, found: &mut Diagnostics) {
    each_module_expr(program.module(id), &mut |expr, _| {
        let mut pending = vec![expr];
        while let Some(expr) = pending.pop() {
            if let ExprKind::Call(call) = &expr.kind
                && call.namespaces.is_empty()
                && call.name.as_str() == "templatefile"
            {
                one_call(program, id, world, call, found);
            }
            pending.extend(expr.children());
        }
    });
}

fn one_call(program: &Program, id: ModuleId, world: &dyn World, call: &Call, found: &mut Diagnostics) {
    let [path, variables] = call.arguments.as_slice() else { return };
    let ExprKind::Object(object) = &variables.without_parens().kind else { return };
    let Some(path) = written_path(program, id, path) else { return };
    let Some(text) = world.read(&path).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else { return };
    let origin = Origin::whole(SourceId(u32::MAX));
    let parsed = plumb_syntax::parse_template(&origin, &text, program.module(id).dialect);
    if parsed.diagnostics.has_errors() {
        return;
    }
    let mentioned: HashSet<EcoString> =
        parsed.tree.references().map(|traversal| traversal.root.name.clone()).collect();
    for entry in &object.entries {
        let ObjectEntry::Pair { key, .. } = entry else { continue };
        let Some(name) = key.as_literal() else { continue };
        if !name.starts_with('_') && !mentioned.contains(name) {
            found.push(
                Diagnostic::warning("unused-template-variable", "Unused template variable")
                    .detail(eco_format!("The template {} does not mention `{name}`.", path.display()))
                    .at(key.span())
                    .help("Remove it, or mention it in the template: `${…}`."),
            );
        }
    }
}

/// The path of a file, where it is known from the text alone.
fn written_path(program: &Program, id: ModuleId, expr: &Expr) -> Option<PathBuf> {
    let directory = |name: &str| match name {
        "module" => Some(program.module(id).directory.as_path()),
        "root" => Some(program.root().directory.as_path()),
        "cwd" => Some(Path::new(".")),
        _ => None,
    };
    match &expr.without_parens().kind {
        ExprKind::String(text) => Some(PathBuf::from(text.as_str())),
        ExprKind::Template(template) => {
            let mut written = String::new();
            for part in &template.parts {
                match part {
                    TemplatePart::Literal(text) => written.push_str(text),
                    TemplatePart::Interpolation(expr) => {
                        let traversal = expr.as_traversal().filter(|t| t.root.as_str() == "path")?;
                        let name = traversal.attribute(0)?;
                        written.push_str(&directory(name.as_str())?.to_string_lossy());
                    }
                    TemplatePart::If(_) | TemplatePart::For(_) => return None,
                }
            }
            Some(PathBuf::from(written))
        }
        _ => None,
    }
}
