//! Values of root variables: from the environment, variable files and the command line.
//!
//! Later sources win: `TF_VAR_name`, `terraform.tfvars`, `terraform.tfvars.json`, `*.auto.tfvars` and
//! `*.auto.tfvars.json` by name, then `-var` and `-var-file` in the order in which they were given. Files and options
//! give expressions that refer to nothing.
//!
//! Elsewhere: conversion to the type of the variable is [`crate::eval`]'s.

use std::path::{Path, PathBuf};

use ecow::{EcoString, eco_format};
use indexmap::IndexMap;
use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Diagnostics, SourceId, Sources, Span, Type, Value};
use plumb_syntax::tree::{Expr, Item};
use plumb_syntax::{Dialect, Origin, parse, parse_expression, parse_json};

use crate::expr::{Eval, FunctionContext, NoNames, Rules};
use crate::load::decode;
use crate::program::{Module, VariableDecl};
use crate::types::hold::Place;
use crate::world::{PathKind, World};

/// What the command line says, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputOption {
    /// `-var name=text`
    Variable(EcoString, EcoString),
    /// `-var-file path`
    File(PathBuf),
    /// What somebody typed who was asked for the value.
    Answer(EcoString, EcoString),
}

/// Who gave a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giver {
    /// `TF_VAR_name`
    Environment,
    /// A variable file that is read without being asked for.
    Automatic,
    /// An option, or an answer.
    Option,
}

/// Values of root variables and what is wrong with them. Places point into [`Inputs::sources`], whose ids begin
/// behind those of the program.
#[derive(Debug, Default)]
pub struct Inputs {
    /// The values, before conversion.
    pub values: IndexMap<EcoString, Value>,
    /// Who gave each value.
    pub givers: IndexMap<EcoString, Giver>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
    /// The texts of variable files and options, to be shown with diagnostics: name and text by id.
    pub sources: Vec<(SourceId, EcoString, String)>,
}

/// Collects the values of the variables of a root module.
///
/// `directory` is where `terraform.tfvars` and its like are looked for; `first` is the first id of a source that is
/// free ([`crate::Program::console_source`]).
pub fn collect(
    world: &dyn World,
    root: &Module,
    directory: &Path,
    options: &[InputOption],
    first: SourceId,
) -> Inputs {
    let giver = Giver::Environment;
    let mut collector = Collector { world, root, inputs: Inputs::default(), next: first.0, giver };
    collector.environment();
    collector.giver = Giver::Automatic;
    for file in automatic_files(world, directory) {
        collector.file(&file, Strictness::Warn);
    }
    collector.giver = Giver::Option;
    for option in options {
        match option {
            InputOption::Variable(name, text) => collector.option(name, text),
            InputOption::File(path) => collector.file(path, Strictness::Warn),
            InputOption::Answer(name, text) => {
                if let Some(decl) = root.variables.get(name) {
                    collector.text(decl, "the answer", text);
                }
            }
        }
    }
    collector.inputs
}

/// The variables that must have a value and were given none, by name.
pub fn missing<'a>(root: &'a Module, values: &IndexMap<EcoString, Value>) -> Vec<&'a VariableDecl> {
    let mut missing: Vec<&VariableDecl> = root
        .variables
        .values()
        .filter(|decl| decl.default.is_none() && !values.contains_key(&decl.name.name))
        .collect();
    missing.sort_by(|a, b| a.name.name.cmp(&b.name.name));
    missing
}

/// Tells that a variable of the root module has no value, with the ways to give it one.
pub fn without_value(decl: &VariableDecl) -> Diagnostic {
    no_value(decl).at(decl.span).help(ways_to_give(&decl.name.name))
}

/// Tells that a variable has no value.
pub(crate) fn no_value(decl: &VariableDecl) -> Diagnostic {
    Diagnostic::error("missing-variable", "No value for required variable")
        .detail(eco_format!("The variable `{}` has no default and no value was given.", decl.name))
}

/// How a variable of the root module is given a value, as help.
pub fn ways_to_give(name: &str) -> EcoString {
    eco_format!("Give it with `-var {name}=…`, in a `.tfvars` file, or as `TF_VAR_{name}`.")
}

/// Whether a value that is given for a variable becomes this value of it.
pub fn becomes(decl: &VariableDecl, given: &Value, value: &Value) -> bool {
    let typed = decl.typed(given.clone(), Place::At(decl.span));
    typed.is_ok_and(|typed| typed.unmark_deep().0 == value.unmark_deep().0)
}

/// The variable files that are read without being asked for, in the order in which they count.
pub fn automatic_files(world: &dyn World, directory: &Path) -> Vec<PathBuf> {
    let names = world.list(directory).unwrap_or_default();
    let is_file =
        |name: &str| names.iter().any(|(found, kind)| found == name && *kind != PathKind::Directory);
    let mut files: Vec<PathBuf> = ["terraform.tfvars", "terraform.tfvars.json"]
        .iter()
        .filter(|name| is_file(name))
        .map(|name| directory.join(name))
        .collect();
    let automatic = names.iter().filter(|(name, kind)| {
        *kind != PathKind::Directory
            && (name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json"))
    });
    files.extend(automatic.map(|(name, _)| directory.join(name.as_str())));
    files
}

/// Reads a variable file, native or JSON by its name.
///
/// Values come with the places of their names. Errors are collected; what could be read is given all the same.
pub fn read_variable_file(
    world: &dyn World,
    source: SourceId,
    name: &str,
    text: &str,
    diagnostics: &mut Diagnostics,
) -> Vec<(EcoString, Span, Value)> {
    if name.ends_with(".json") {
        return read_json(world, source, text, diagnostics);
    }
    let parsed = parse(source, text, Dialect::Terraform);
    diagnostics.extend(parsed.diagnostics);
    let mut found = Vec::new();
    for item in &parsed.tree.body.items {
        match item {
            Item::Attribute(attribute) => match constant(world, &attribute.value) {
                Ok(value) => found.push((attribute.name.name.clone(), attribute.name.span, value)),
                Err(errors) => diagnostics.extend(errors),
            },
            Item::Block(block) => diagnostics.push(
                Diagnostic::error("unsupported-block", "Unsupported block type")
                    .detail("A variable file has only arguments, one for each variable.")
                    .at(block.header_span)
                    .help(match block.kind.as_str() {
                        "variable" => {
                            "To declare a variable, write the block in a file of the module.".into()
                        }
                        kind => eco_format!("For an object, write `{kind} = {{ … }}`."),
                    }),
            ),
            Item::Error(_) => {}
        }
    }
    found
}

fn read_json(
    world: &dyn World,
    source: SourceId,
    text: &str,
    diagnostics: &mut Diagnostics,
) -> Vec<(EcoString, Span, Value)> {
    let parsed = parse_json(source, text);
    diagnostics.extend(parsed.diagnostics);
    let plumb_syntax::json::ValueKind::Object(object) = &parsed.tree.kind else {
        if !matches!(parsed.tree.kind, plumb_syntax::json::ValueKind::Error) {
            diagnostics.push(
                Diagnostic::error("not-an-object", "JSON object required")
                    .detail(eco_format!(
                        "A variable file is one JSON object, but this is {}.",
                        parsed.tree.kind.name()
                    ))
                    .at(parsed.tree.span),
            );
        }
        return Vec::new();
    };
    let mut found = Vec::new();
    for property in &object.properties {
        if property.name.text == "//" {
            continue;
        }
        match constant(world, &property.value.to_literal()) {
            Ok(value) => found.push((property.name.text.clone(), property.name_span, value)),
            Err(errors) => diagnostics.extend(errors),
        }
    }
    found
}

/// The value of an expression that refers to nothing and calls nothing.
fn constant(world: &dyn World, expr: &Expr) -> Result<Value, Diagnostics> {
    let names = NoNames { place: "The value of a variable" };
    let context = FunctionContext::alone(world, Dialect::Terraform);
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        if let plumb_syntax::tree::ExprKind::Call(call) = &expr.kind {
            return Err(Diagnostic::error("call-not-allowed", "Function calls not allowed")
                .detail(eco_format!(
                    "The value of a variable is written out, but this calls `{}`.",
                    call.name
                ))
                .at(call.name_span)
                .into());
        }
        pending.extend(expr.children());
    }
    Eval::new(&names, &context, Rules::of(Dialect::Terraform)).finish(expr)
}

/// What is said of a name that is no variable.
#[derive(Clone, Copy, PartialEq)]
enum Strictness {
    Warn,
    Error,
}

struct Collector<'a> {
    world: &'a dyn World,
    root: &'a Module,
    inputs: Inputs,
    next: u32,
    giver: Giver,
}

impl Collector<'_> {
    fn keep(&mut self, name: EcoString, value: Value) {
        self.inputs.givers.insert(name.clone(), self.giver);
        self.inputs.values.insert(name, value);
    }

    fn source(&mut self, name: EcoString, text: &str) -> SourceId {
        let id = SourceId(self.next);
        self.next += 1;
        self.inputs.sources.push((id, name, text.to_owned()));
        id
    }

    fn environment(&mut self) {
        let root = self.root;
        for (name, decl) in &root.variables {
            let key = eco_format!("TF_VAR_{name}");
            if let Some(text) = self.world.variable(&key) {
                self.text(decl, &key, &text);
            }
        }
    }

    fn option(&mut self, name: &EcoString, text: &EcoString) {
        let root = self.root;
        match root.variables.get(name) {
            Some(decl) => self.text(decl, &eco_format!("-var {name}"), text),
            None => {
                let source = self.source(eco_format!("-var {name}"), &eco_format!("{name}={text}"));
                let span = Span::new(source, 0, name.len());
                self.undeclared(name, span, Strictness::Error);
            }
        }
    }

    /// A value as text: what is typed as a string is taken as it is, all else is an expression.
    fn text(&mut self, decl: &VariableDecl, place: &str, text: &EcoString) {
        let name = decl.name.name.clone();
        let raw = decl.constraint == Type::String || (!decl.typed && decl.constraint == Type::Dynamic);
        if raw {
            self.keep(name, Value::string(text));
            return;
        }
        let source = self.source(eco_format!("<value for var.{}>", decl.name), text);
        let parsed = parse_expression(&Origin::whole(source), text, Dialect::Terraform);
        let result = match parsed.diagnostics.has_errors() {
            true => Err(parsed.diagnostics),
            false => constant(self.world, &parsed.tree),
        };
        match result {
            Ok(value) => {
                self.keep(name, value);
            }
            // `-var size=large` for a number: the text itself is then what cannot be converted.
            Err(_) if decl.constraint.is_primitive() => {
                self.keep(name, Value::string(text));
            }
            Err(mut found) => {
                for diagnostic in found.iter_mut() {
                    diagnostic.notes.push(eco_format!(
                        "The value given by `{place}` is read as an expression, since the variable is of type {}.",
                        decl.constraint
                    ));
                }
                self.inputs.diagnostics.extend(found);
            }
        }
    }

    fn file(&mut self, path: &Path, strictness: Strictness) {
        let shown = path.strip_prefix("./").unwrap_or(path).display().to_string();
        let bytes = match self.world.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.inputs.diagnostics.push(
                    Diagnostic::error("unreadable-file", "Failed to read variables file")
                        .detail(eco_format!("`{shown}` cannot be read: {}.", error.text)),
                );
                return;
            }
        };
        let text = decode(&bytes, &shown, &mut Sources::new(), &mut self.inputs.diagnostics);
        let source = self.source(shown.as_str().into(), &text);
        let found = read_variable_file(self.world, source, &shown, &text, &mut self.inputs.diagnostics);
        for (name, span, value) in found {
            if self.root.variables.contains_key(&name) {
                self.keep(name, value);
            } else {
                self.undeclared(&name, span, strictness);
            }
        }
    }

    fn undeclared(&mut self, name: &str, span: Span, strictness: Strictness) {
        let guess = did_you_mean(name, self.root.variables.keys().map(EcoString::as_str));
        let help = guess
            .unwrap_or_else(|| eco_format!("Declare it, `variable \"{name}\" {{}}`, or remove the value."));
        let (diagnostic, detail) = match strictness {
            Strictness::Warn => (
                Diagnostic::warning("undeclared-variable", "Value for undeclared variable"),
                eco_format!("The root module has no variable `{name}`, so this value is not used."),
            ),
            Strictness::Error => (
                Diagnostic::error("undeclared-variable", "Value for undeclared variable"),
                eco_format!("The root module has no variable `{name}`."),
            ),
        };
        self.inputs.diagnostics.push(diagnostic.detail(detail).at(span).help(help));
    }
}
