//! What a reference names, by its form alone.
//!
//! A traversal whose root is no variable of a `for` is a reference. Its first steps say what it names
//! ([`Subject`]); the rest are steps into the value. Whether the named thing exists is not known here.

use ecow::eco_format;
use plumb_model::address::{Key, Mode};
use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Span};
use plumb_syntax::tree::{Ident, Traversal, TraversalStep};

/// What a reference names.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// `var.name`
    Variable(&'a Ident),
    /// `local.name`
    Local(&'a Ident),
    /// `module.name`, `module.name[key]`, `module.name[key].output`
    Module {
        /// The name of the call.
        name: &'a Ident,
        /// The literal key, if there is one.
        key: Option<&'a TraversalStep>,
        /// The output, if one is named.
        output: Option<&'a Ident>,
    },
    /// `type.name`, `resource.type.name`, `data.type.name`, `ephemeral.type.name`, `action.type.name`, perhaps with a literal key.
    Resource {
        /// Which kind of block.
        mode: Mode,
        /// The resource type.
        kind: &'a Ident,
        /// The name.
        name: &'a Ident,
        /// The literal key, if there is one.
        key: Option<&'a TraversalStep>,
    },
    /// `each.key`, `each.value`
    Each(&'a Ident),
    /// `count.index`
    Count(&'a Ident),
    /// `path.module`, `path.root`, `path.cwd`
    Path(&'a Ident),
    /// `terraform.workspace`, `terraform.applying`
    Terraform(&'a Ident),
    /// `self`
    SelfObject(Span),
}

/// A reference: what it names and how many steps of the traversal say so.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// What it names.
    pub subject: Subject<'a>,
    /// How many steps after the root belong to the name; the others lead into the value.
    pub steps: usize,
}

/// Names that mean something other than a resource type as the root of a reference.
const ROOTS: [&str; 12] = [
    "var",
    "local",
    "module",
    "data",
    "resource",
    "ephemeral",
    "action",
    "path",
    "terraform",
    "each",
    "count",
    "self",
];

/// What a traversal names.
///
/// # Errors
/// The form is not that of a reference.
pub fn parse(traversal: &Traversal) -> Result<Reference<'_>, Box<Diagnostic>> {
    let root = traversal.root.as_str();
    let (subject, steps) = match root {
        "var" => (Subject::Variable(one(traversal, "An input variable", "var.region")?), 1),
        "local" => (Subject::Local(one(traversal, "A local value", "local.names")?), 1),
        "each" => (Subject::Each(one(traversal, "An `each` reference", "each.key")?), 1),
        "count" => (Subject::Count(one(traversal, "A `count` reference", "count.index")?), 1),
        "path" => (Subject::Path(one(traversal, "A `path` reference", "path.module")?), 1),
        "terraform" => {
            (Subject::Terraform(one(traversal, "A `terraform` reference", "terraform.workspace")?), 1)
        }
        "self" => (Subject::SelfObject(traversal.root.span), 0),
        "module" => module(traversal)?,
        "data" => resource(traversal, Mode::Data, 0)?,
        "ephemeral" => resource(traversal, Mode::Ephemeral, 0)?,
        "action" => resource(traversal, Mode::Action, 0)?,
        "resource" => resource(traversal, Mode::Managed, 0)?,
        "template" | "lazy" | "arg" => return Err(Box::new(reserved(&traversal.root))),
        _ => managed(traversal)?,
    };
    Ok(Reference { subject, steps })
}

fn one<'a>(traversal: &'a Traversal, what: &str, example: &str) -> Result<&'a Ident, Box<Diagnostic>> {
    traversal.attribute(0).ok_or_else(|| {
        let help = eco_format!("Name it behind a dot, as in `{example}`.");
        invalid(traversal, &eco_format!("{what} needs a name after `{}.`.", traversal.root), &help)
    })
}

fn module(traversal: &Traversal) -> Result<(Subject<'_>, usize), Box<Diagnostic>> {
    let name = one(traversal, "A module call", "module.network.id")?;
    let key = traversal.steps.get(1).filter(|step| !matches!(step, TraversalStep::Attribute(_)));
    let steps = if key.is_some() { 2 } else { 1 };
    let output = traversal.attribute(steps);
    Ok((Subject::Module { name, key, output }, steps + usize::from(output.is_some())))
}

fn resource(
    traversal: &Traversal,
    mode: Mode,
    first: usize,
) -> Result<(Subject<'_>, usize), Box<Diagnostic>> {
    let (Some(kind), Some(name)) = (traversal.attribute(first), traversal.attribute(first + 1)) else {
        let detail = eco_format!(
            "`{}` must be followed by two names: the type and the name of the resource.",
            traversal.root
        );
        return Err(invalid(traversal, &detail, &eco_format!("Write `{}.type.name`.", traversal.root)));
    };
    Ok(with_key(traversal, mode, kind, name, first + 2))
}

fn managed(traversal: &Traversal) -> Result<(Subject<'_>, usize), Box<Diagnostic>> {
    let Some(name) = traversal.attribute(0) else {
        let root = &traversal.root;
        let detail = eco_format!(
            "`{root}` alone means nothing here. A reference to a resource has its type and its name: `{root}.name`."
        );
        let guess = did_you_mean(root.as_str(), ROOTS.iter().copied());
        let help =
            guess.unwrap_or_else(|| eco_format!("If a text is meant, write it in quotes: \"{root}\"."));
        return Err(invalid(traversal, &detail, &help));
    };
    Ok(with_key(traversal, Mode::Managed, &traversal.root, name, 1))
}

fn with_key<'a>(
    traversal: &'a Traversal,
    mode: Mode,
    kind: &'a Ident,
    name: &'a Ident,
    at: usize,
) -> (Subject<'a>, usize) {
    let key = traversal.steps.get(at).filter(|step| !matches!(step, TraversalStep::Attribute(_)));
    (Subject::Resource { mode, kind, name, key }, at + usize::from(key.is_some()))
}

/// The key that a literal step says, if it can be one.
pub fn literal_key(step: &TraversalStep) -> Option<Key> {
    match step {
        TraversalStep::Attribute(_) => None,
        TraversalStep::Index(number, _) if number.is_integer() => number.to_u64().map(Key::Int),
        TraversalStep::Index(..) => None,
        TraversalStep::Key(key, _) => Some(Key::String(key.clone())),
    }
}

fn invalid(traversal: &Traversal, detail: &str, help: &str) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error("invalid-reference", "Invalid reference")
            .detail(detail)
            .at(traversal.span)
            .help(help),
    )
}

fn reserved(root: &Ident) -> Diagnostic {
    Diagnostic::error("reserved-name", "Reserved symbol name")
        .detail(eco_format!("The name `{root}` is kept for later versions of the language."))
        .at(root.span)
        .help(eco_format!("If a resource type of that name is meant, write `resource.{root}.name`."))
}
