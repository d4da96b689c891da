//! What a call calls: a function of the language, of the module, of a library, or of a provider.
//!
//! Also which functions are pure: what they give depends on their arguments alone. Functions that authors write, the
//! conditions of types and the constants of libraries call no others.

use ecow::{EcoString, eco_format};
use plumb_functions::Function;
use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Span, Value};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Call, Expr, ExprKind, Ident, Qualified};

use crate::program::{Declarations, FunctionDecl, Library};

/// What a call calls.
#[derive(Clone, Copy)]
pub(crate) enum Callee<'a> {
    /// A function of the language.
    Builtin(&'static Function),
    /// A function that an author wrote, and the directory that it is written in.
    Declared(&'a Declarations, &'a FunctionDecl),
    /// A function of a provider.
    Provider,
}

/// What a call calls in a directory, or anywhere without one.
pub(crate) fn resolve<'a>(
    declared: Option<&'a Declarations>,
    call: &Call,
) -> Result<Callee<'a>, Box<Diagnostic>> {
    let name = &call.name;
    let namespace = call.namespaces.first().map(Ident::as_str);
    match (namespace, call.namespaces.len()) {
        (None, _) => {
            if let Some(declared) = declared
                && let Some(function) = declared.functions.get(&name.name)
            {
                return Ok(Callee::Declared(declared, function));
            }
            builtin(declared, call)
        }
        (Some("core"), 1) => builtin(declared, call),
        (Some("provider"), 2) => Ok(Callee::Provider),
        (Some("provider"), _) => Err(Box::new(unknown_namespace(call))),
        (Some(namespace), 1) if declared.is_some_and(|declared| declared.dialect == Dialect::Native) => {
            let libraries = declared.map(|declared| &declared.libraries);
            let Some(decl) = libraries.and_then(|libraries| libraries.get(namespace)) else {
                let imported = libraries.into_iter().flat_map(|libraries| libraries.keys());
                return Err(Box::new(unknown_library(&call.namespaces[0], imported)));
            };
            // That the library could not be read was said where it is imported.
            let Some(library) = &decl.library else {
                return Err(Box::new(unreadable(namespace, call.name_span)));
            };
            match library.declarations.functions.get(&name.name) {
                Some(function) if !is_private(&name.name) => {
                    Ok(Callee::Declared(&library.declarations, function))
                }
                _ => Err(Box::new(not_in_library(namespace, library, name, "function"))),
            }
        }
        _ => Err(Box::new(unknown_namespace(call))),
    }
}

fn builtin<'a>(declared: Option<&Declarations>, call: &Call) -> Result<Callee<'a>, Box<Diagnostic>> {
    match plumb_functions::lookup(&call.name.name) {
        Some(function) => Ok(Callee::Builtin(function)),
        None => Err(Box::new(unknown_function(declared, call))),
    }
}

/// Whether a name of a library is for the library alone.
pub(crate) fn is_private(name: &str) -> bool {
    name.starts_with('_')
}

/// The value of `library::name`.
pub(crate) fn constant<'a>(
    declared: Option<&'a Declarations>,
    name: &Qualified,
) -> Result<&'a Value, Box<Diagnostic>> {
    let library = library(declared, name)?;
    match library.constants.get(&name.name.name) {
        Some(value) if !is_private(&name.name.name) => Ok(value),
        _ => Err(Box::new(not_in_library(name.namespaces[0].as_str(), library, &name.name, "constant"))),
    }
}

/// The library that a name is qualified with.
pub(crate) fn library<'a>(
    declared: Option<&'a Declarations>,
    name: &Qualified,
) -> Result<&'a Library, Box<Diagnostic>> {
    let namespace = &name.namespaces[0];
    let libraries = declared.map(|declared| &declared.libraries);
    if let Some(deeper) = name.namespaces.get(1) {
        return Err(Box::new(
            Diagnostic::error("unknown-library", "Reference to a library that is not imported")
                .detail(eco_format!(
                    "What `{namespace}` imports is not seen through it, so there is no `{name}`."
                ))
                .at(name.span)
                .help(eco_format!("Import `{deeper}` here too.")),
        ));
    }
    match libraries.and_then(|libraries| libraries.get(&namespace.name)) {
        Some(decl) => match &decl.library {
            Some(library) => Ok(library),
            None => Err(Box::new(unreadable(namespace.as_str(), name.span))),
        },
        None => {
            let imported = libraries.into_iter().flat_map(|libraries| libraries.keys());
            Err(Box::new(unknown_library(namespace, imported)))
        }
    }
}

/// That no library of that name is imported.
pub(crate) fn unknown_library<'k>(
    namespace: &Ident,
    imported: impl Iterator<Item = &'k EcoString>,
) -> Diagnostic {
    let guess = did_you_mean(namespace.as_str(), imported.map(EcoString::as_str));
    Diagnostic::error("unknown-library", "Reference to a library that is not imported")
        .detail(eco_format!("Nothing is imported as `{namespace}`."))
        .at(namespace.span)
        .help(guess.unwrap_or_else(|| {
            eco_format!("Import it: `import \"{namespace}\" {{ source = \"./{namespace}\" }}`.")
        }))
}

fn unreadable(namespace: &str, span: Span) -> Diagnostic {
    Diagnostic::error("unreadable-library", "Unreadable library")
        .detail(eco_format!("The library `{namespace}` could not be read, so it is not known what it has."))
        .at(span)
}

/// That a library has nothing of that name, or something of another kind.
pub(crate) fn not_in_library(namespace: &str, library: &Library, name: &Ident, wanted: &str) -> Diagnostic {
    let declared = &library.declarations;
    let written = name.as_str();
    let is = |found: bool, what: &'static str| found.then_some(what);
    let other = is(declared.types.contains_key(written), "type")
        .or(is(declared.functions.contains_key(written), "function"))
        .or(is(declared.locals.contains_key(written), "constant"));
    let diagnostic = Diagnostic::error("not-in-library", "Not in the library").at(name.span);
    if is_private(written) && other.is_some() {
        return diagnostic
            .detail(eco_format!(
                "`{name}` begins with an underscore, so it is for the library `{namespace}` alone."
            ))
            .help("Rename it in the library to use it elsewhere.");
    }
    if let Some(other) = other {
        let example = match other {
            "type" => "type = ",
            _ => "",
        };
        let call = if other == "function" { "(…)" } else { "" };
        return diagnostic
            .detail(eco_format!("`{namespace}::{name}` is a {other}, but wanted is a {wanted}."))
            .help(eco_format!("Write `{example}{namespace}::{name}{call}` where a {other} may stand."));
    }
    let names: Vec<&EcoString> = match wanted {
        "type" => declared.types.keys().collect(),
        "function" => declared.functions.keys().collect(),
        _ => declared.locals.keys().collect(),
    };
    diagnostic.detail(eco_format!("The library `{namespace}` has no {wanted} `{name}`.")).maybe_help(
        did_you_mean(written, names.into_iter().map(EcoString::as_str).filter(|name| !is_private(name))),
    )
}

/// That there is no function of that name.
pub(crate) fn unknown_function(declared: Option<&Declarations>, call: &Call) -> Diagnostic {
    let name = call.name.as_str();
    let mut names: Vec<&str> = match declared {
        Some(declared) => declared.functions.keys().map(EcoString::as_str).collect(),
        None => Vec::new(),
    };
    for name in plumb_functions::names().filter(|name| !name.contains("::")) {
        names.push(name);
    }
    let guess = did_you_mean(name, names);
    let lower = name.to_lowercase();
    let guess = guess.or_else(|| {
        plumb_functions::lookup(&lower)
            .map(|_| eco_format!("Function names are lower case: did you mean `{lower}`?"))
    });
    let guess = guess.or_else(|| {
        let mut libraries = declared?.libraries.iter();
        let (namespace, _) = libraries.find(|(_, decl)| {
            decl.library.as_ref().is_some_and(|library| library.declarations.functions.contains_key(name))
        })?;
        Some(eco_format!("Did you mean `{namespace}::{name}`?"))
    });
    Diagnostic::error("unknown-function", "Call to unknown function")
        .detail(eco_format!("There is no function named `{name}`."))
        .at(call.name_span)
        .maybe_help(guess)
}

/// That there are no functions in that namespace.
pub(crate) fn unknown_namespace(call: &Call) -> Diagnostic {
    let namespace = call.namespaces.first().map_or("", |namespace| namespace.as_str());
    Diagnostic::error("unknown-provider-function", "Unknown provider function")
        .detail(eco_format!("There is no function `{}`: the namespace `{namespace}` has none.", call.full_name()))
        .at(call.name_span)
        .help("Functions of a provider are called as `provider::<local name>::<function>`; those of the language need no namespace.")
}

/// Reports calls in an expression, at any depth, of functions that are not pure. `place` is what calls them: "A
/// function".
pub(crate) fn impure_calls(expr: &Expr, place: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        if let ExprKind::Call(call) = &expr.kind
            && let Some(why) = impurity(call)
        {
            found.push(
                Diagnostic::error("impure-call", "Call of a function that is not pure")
                    .detail(eco_format!(
                        "{place} gives the same for the same arguments, but `{}` {why}.",
                        call.full_name()
                    ))
                    .at(call.name_span)
                    .help("Call it in the module and pass on what it gives."),
            );
        }
        pending.extend(expr.children());
    }
    found
}

/// Why a function is not pure.
fn impurity(call: &Call) -> Option<&'static str> {
    match call.namespaces.first().map(Ident::as_str) {
        Some("provider") => return Some("is carried out by a provider"),
        Some("core") | None => {}
        Some(_) => return None,
    }
    match call.name.as_str() {
        "timestamp" | "plantimestamp" => Some("gives the time"),
        "uuid" | "bcrypt" => Some("gives something else each time"),
        name if plumb_functions::lookup(name).is_some_and(Function::reads_files) => {
            Some("reads files or asks where they are")
        }
        _ => None,
    }
}
