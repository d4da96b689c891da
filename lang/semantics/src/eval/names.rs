//! What names mean in a module instance.

use ecow::{EcoString, eco_format};
use plumb_model::address::{Key, Mode, ProviderSource};
use plumb_model::convert::convert;
use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Diagnostics, Marks, Span, Type, Value};
use plumb_syntax::tree::{Ident, Traversal, TraversalStep};

use super::expand::{Expansion, Shape};
use super::{At, Evaluator, ModuleRef, NodeState, Phase, ResourceState};
use crate::expr::{Failed, Names, Outcome};
use crate::graph::ResourceName;
use crate::program::{Module, NodeKind};
use crate::reference::{self, Subject, literal_key};

/// What `each` and `count` mean.
#[derive(Clone, Debug)]
pub(super) enum Each {
    /// Nothing.
    None,
    /// `count.index`
    Count(Value),
    /// `each.key` and `each.value`
    Pair(Value, Value),
    /// Either; not known.
    Unknown,
}

/// The names in one place of a program.
pub(super) struct Scope<'a> {
    pub evaluator: &'a Evaluator,
    pub module: ModuleRef,
    pub each: Each,
    pub self_value: Option<&'a Value>,
}

impl<'a> Scope<'a> {
    pub(super) fn module(evaluator: &'a Evaluator, module: ModuleRef) -> Scope<'a> {
        Scope { evaluator, module, each: Each::None, self_value: None }
    }

    pub(super) fn at(evaluator: &'a Evaluator, at: At, self_value: Option<&'a Value>) -> Scope<'a> {
        match at {
            At::Module(module) => Scope { self_value, ..Scope::module(evaluator, module) },
            At::Instance(instance) => {
                let module = ModuleRef {
                    module: evaluator.program.node(instance.node).module,
                    index: instance.module,
                };
                let each = evaluator.resource_state(instance).expansion.each(instance.index as usize);
                Scope { evaluator, module, each, self_value }
            }
        }
    }

    fn declared(&self) -> &'a Module {
        self.evaluator.program.module(self.module.module)
    }

    fn stored(&self, kind: NodeKind, index: usize) -> Value {
        let node = self.evaluator.program.node_id(self.module.module, kind, index);
        self.evaluator
            .value(node, self.module.index)
            .cloned()
            .unwrap_or_else(|| Value::unknown(Type::Dynamic))
    }

    fn module_call(
        &self,
        name: &Ident,
        key: Option<&TraversalStep>,
        output: Option<&Ident>,
        span: Span,
    ) -> Result<(Value, bool), Box<Diagnostic>> {
        let declared = self.declared();
        let Some(index) = declared.calls.get_index_of(&name.name) else {
            return Err(Box::new(undeclared_module(name, declared)));
        };
        let node = self.evaluator.program.node_id(self.module.module, NodeKind::Call, index);
        let dynamic = Ok((Value::unknown(Type::Dynamic), output.is_some()));
        let Some(child) = declared.children[index] else { return dynamic };
        let NodeState::Call(calls) = &self.evaluator.nodes[node.0 as usize] else { return dynamic };
        let Some((expansion, first)) = calls.get(self.module.index as usize) else { return dynamic };
        let called = eco_format!("module.{name}");
        let counted = declared.calls[index].repetition.count.is_some();
        let found = match (expansion.shape, key) {
            (Shape::Unknown, None) if counted && output.is_some() => {
                return Err(Box::new(missing_key(&called, expansion, output.map_or(span, |name| name.span))));
            }
            (Shape::Unknown, _) => None,
            (Shape::Enabled(false), None) => return Ok((Value::NULL, false)),
            (Shape::One | Shape::Enabled(_), None) => Some(0),
            (Shape::One | Shape::Enabled(_), Some(key)) => {
                return Err(Box::new(unexpected_key(&called, key.span())));
            }
            (Shape::Count(_) | Shape::ForEach, None) => {
                if let Some(output) = output {
                    return Err(Box::new(missing_key(&called, expansion, output.span)));
                }
                return Ok((self.whole_module(child, expansion, *first), false));
            }
            (Shape::Count(_) | Shape::ForEach, Some(key)) => match self.position(expansion, key) {
                Some(index) => Some(index),
                None => return Err(Box::new(no_such_instance(&called, expansion, key))),
            },
        };
        let instance = ModuleRef { module: child, index: first + found.unwrap_or(0) as u32 };
        match (output, found) {
            (Some(output), found) => {
                let outputs = &self.evaluator.program.module(child).outputs;
                let Some(index) = outputs.get_index_of(&output.name) else {
                    return Err(Box::new(undeclared_output(&called, output, outputs.keys())));
                };
                let value = match found {
                    Some(_) if self.tells_outputs() => self.evaluator.output(instance, index),
                    _ => Value::unknown(Type::Dynamic),
                };
                Ok((value, true))
            }
            (None, Some(_)) if self.tells_outputs() => Ok((self.evaluator.outputs_of(instance), false)),
            (None, _) => Ok((Value::unknown(Type::Dynamic), false)),
        }
    }

    /// Whether what is found out of a called module may be held against an expression. While nothing is known but the
    /// files, only where the expression is certain to be evaluated: Terraform says nothing of outputs then, and with
    /// no instance nothing would ever be wrong.
    fn tells_outputs(&self) -> bool {
        if self.evaluator.options.phase != Phase::Validate {
            return true;
        }
        let program = &self.evaluator.program;
        let mut module = self.declared();
        if !matches!(self.each, Each::None) {
            return false;
        }
        while let Some((parent, call)) = module.parent {
            module = program.module(parent);
            if module.calls[call as usize].repetition.expr().is_some() {
                return false;
            }
        }
        true
    }

    fn whole_module(&self, child: crate::ModuleId, expansion: &Expansion, first: u32) -> Value {
        let all = expansion
            .range()
            .map(|index| self.evaluator.outputs_of(ModuleRef { module: child, index: first + index as u32 }));
        expansion.gather(all.collect())
    }

    fn position(&self, expansion: &Expansion, step: &TraversalStep) -> Option<usize> {
        expansion.find_lenient(&literal_key(step)?)
    }

    fn resource(
        &self,
        (mode, kind, name): (Mode, &Ident, &Ident),
        key: Option<&TraversalStep>,
        rest: Option<&TraversalStep>,
    ) -> Result<Value, Box<Diagnostic>> {
        let declared = self.declared();
        let resource = ResourceName { mode, kind: kind.as_str(), name: name.as_str() };
        let Some(index) = declared.resources.get_index_of(&resource) else {
            return Err(Box::new(undeclared_resource(mode, kind, name, declared)));
        };
        let node = self.evaluator.program.node_id(self.module.module, NodeKind::Resource, index);
        let NodeState::Resource { kind, states } = &self.evaluator.nodes[node.0 as usize] else {
            return Ok(Value::unknown(Type::Dynamic));
        };
        let Some(state) = states.get(self.module.index as usize) else {
            return Ok(Value::unknown(Type::Dynamic));
        };
        let ty = &self.evaluator.kinds[*kind as usize].ty;
        let called = || eco_format!("{}", declared.resources[index].resource);
        match (state.expansion.shape, key) {
            (Shape::Unknown, None) if declared.resources[index].repetition.count.is_some() => match rest {
                Some(TraversalStep::Attribute(attribute)) => {
                    Err(Box::new(missing_key(&called(), &state.expansion, attribute.span)))
                }
                _ => Ok(Value::unknown(Type::Dynamic)),
            },
            (Shape::Unknown, _) => Ok(Value::unknown(Type::Dynamic)),
            (Shape::Enabled(false), None) => Ok(Value::Null(ty.clone())),
            (Shape::One | Shape::Enabled(_), None) => Ok(object(state, 0, ty)),
            (Shape::One | Shape::Enabled(_), Some(key)) => {
                Err(Box::new(unexpected_key(&called(), key.span())))
            }
            (Shape::Count(_) | Shape::ForEach, Some(key)) => match self.position(&state.expansion, key) {
                Some(index) => Ok(object(state, index, ty)),
                None => Err(Box::new(no_such_instance(&called(), &state.expansion, key))),
            },
            (Shape::Count(_) | Shape::ForEach, None) => match rest {
                Some(TraversalStep::Attribute(attribute)) => {
                    // The instances of `for_each` are attributes of an object too, by name.
                    let by_name = state.expansion.find(&Key::String(attribute.name.clone()));
                    if by_name.is_none() {
                        return Err(Box::new(missing_key(&called(), &state.expansion, attribute.span)));
                    }
                    Ok(whole(state, ty))
                }
                _ => Ok(whole(state, ty)),
            },
        }
    }

    fn path(&self, name: &Ident) -> Result<Value, Box<Diagnostic>> {
        let text = match name.as_str() {
            "module" => shown(&self.declared().directory),
            "root" => shown(&self.evaluator.program.root().directory),
            "cwd" => shown(&self.evaluator.options.world.cwd()),
            other => {
                return Err(Box::new(
                    Diagnostic::error("invalid-attribute-of-root", "Invalid \"path\" attribute")
                        .detail(eco_format!("`path` has `module`, `root` and `cwd`, but no `{other}`."))
                        .at(name.span)
                        .maybe_help(did_you_mean(other, ["module", "root", "cwd"])),
                ));
            }
        };
        Ok(Value::string(text))
    }

    fn terraform(&self, name: &Ident) -> Result<Value, Box<Diagnostic>> {
        match name.as_str() {
            "workspace" if self.evaluator.options.phase == Phase::Validate => {
                Ok(Value::unknown_not_null(Type::String))
            }
            "workspace" => Ok(Value::String(self.evaluator.options.workspace.clone())),
            "applying" => {
                let applying = self.evaluator.options.phase == Phase::Apply;
                Ok(Value::Bool(applying).with_marks(Marks::EPHEMERAL))
            }
            other => {
                let help = match other {
                    "env" => {
                        Some(EcoString::from("Write `terraform.workspace`, as it is called since 0.12."))
                    }
                    other => did_you_mean(other, ["workspace", "applying"]),
                };
                Err(Box::new(
                    Diagnostic::error("invalid-attribute-of-root", "Invalid \"terraform\" attribute")
                        .detail(eco_format!("`terraform` has `workspace` and `applying`, but no `{other}`."))
                        .at(name.span)
                        .maybe_help(help),
                ))
            }
        }
    }

    fn each(&self, name: &Ident) -> Result<Value, Box<Diagnostic>> {
        match (&self.each, name.as_str()) {
            (Each::Pair(key, _), "key") => Ok(key.clone()),
            (Each::Pair(_, value), "value") => Ok(value.clone()),
            (Each::Unknown, "key") => Ok(Value::unknown_not_null(Type::String)),
            (Each::Unknown, "value") => Ok(Value::unknown(Type::Dynamic)),
            (_, "key" | "value") => Err(Box::new(no_each(name.span))),
            (_, other) => Err(Box::new(
                Diagnostic::error("invalid-attribute-of-root", "Invalid \"each\" attribute")
                    .detail(eco_format!("`each` has `key` and `value`, but no `{other}`."))
                    .at(name.span)
                    .maybe_help(did_you_mean(other, ["key", "value"])),
            )),
        }
    }

    fn count(&self, name: &Ident) -> Result<Value, Box<Diagnostic>> {
        match (&self.each, name.as_str()) {
            (Each::Count(index), "index") => Ok(index.clone()),
            (Each::Unknown, "index") => Ok(Value::unknown_not_null(Type::Number)),
            (_, "index") => Err(Box::new(no_count(name.span))),
            (_, other) => Err(Box::new(
                Diagnostic::error("invalid-attribute-of-root", "Invalid \"count\" attribute")
                    .detail(eco_format!("`count` has `index`, but no `{other}`."))
                    .at(name.span)
                    .help("Write `count.index`."),
            )),
        }
    }

    fn find(&self, traversal: &Traversal) -> Result<(Value, usize), Box<Diagnostic>> {
        let reference = reference::parse(traversal)?;
        let value = match reference.subject {
            Subject::Variable(name) => match self.declared().variables.get_index_of(&name.name) {
                Some(index) => self.stored(NodeKind::Variable, index),
                None => return Err(Box::new(undeclared_variable(name, self.declared()))),
            },
            Subject::Local(name) => match self.declared().locals.get_index_of(&name.name) {
                Some(index) => self.stored(NodeKind::Local, index),
                None => return Err(Box::new(undeclared_local(name, self.declared()))),
            },
            Subject::Module { name, key, output } => {
                let (value, used) = self.module_call(name, key, output, traversal.span)?;
                let steps = reference.steps - usize::from(output.is_some() && !used);
                return Ok((value, steps));
            }
            Subject::Resource { mode, kind, name, key } => {
                self.resource((mode, kind, name), key, traversal.steps.get(reference.steps))?
            }
            Subject::Each(name) => self.each(name)?,
            Subject::Count(name) => self.count(name)?,
            Subject::Path(name) => self.path(name)?,
            Subject::Terraform(name) => self.terraform(name)?,
            Subject::SelfObject(span) => match self.self_value {
                Some(value) => value.clone(),
                None => return Err(Box::new(no_self(span))),
            },
        };
        Ok((value, reference.steps))
    }
}

impl Names for Scope<'_> {
    fn lookup(&self, traversal: &Traversal, diagnostics: &mut Diagnostics) -> Outcome<(Value, usize)> {
        self.find(traversal).map_err(|diagnostic| {
            diagnostics.push(*diagnostic);
            Failed
        })
    }

    fn indexed(
        &self,
        traversal: &Traversal,
        key: &Value,
        attribute: Option<&Ident>,
    ) -> Option<(Value, bool)> {
        let reference = reference::parse(traversal).ok()?;
        if reference.steps != traversal.steps.len() {
            return None;
        }
        let declared = self.declared();
        let marks = key.marks();
        match reference.subject {
            Subject::Resource { mode, kind, name, key: None } => {
                let resource = ResourceName { mode, kind: kind.as_str(), name: name.as_str() };
                let index = declared.resources.get_index_of(&resource)?;
                let node = self.evaluator.program.node_id(self.module.module, NodeKind::Resource, index);
                let NodeState::Resource { kind, states } = &self.evaluator.nodes[node.0 as usize] else {
                    return None;
                };
                let state = states.get(self.module.index as usize)?;
                let index = state.expansion.find_value(key)?;
                let ty = &self.evaluator.kinds[*kind as usize].ty;
                Some((object(state, index, ty).with_marks(marks), false))
            }
            Subject::Module { name, key: None, output: None } => {
                let index = declared.calls.get_index_of(&name.name)?;
                let node = self.evaluator.program.node_id(self.module.module, NodeKind::Call, index);
                let child = declared.children[index]?;
                let NodeState::Call(calls) = &self.evaluator.nodes[node.0 as usize] else { return None };
                let (expansion, first) = calls.get(self.module.index as usize)?;
                let found = expansion.find_value(key)?;
                let instance = ModuleRef { module: child, index: first + found as u32 };
                let output = self.evaluator.program.module(child).outputs.get_index_of(&attribute?.name)?;
                Some((self.evaluator.output(instance, output).with_marks(marks), true))
            }
            _ => None,
        }
    }

    fn is_known(&self, traversal: &Traversal) -> bool {
        let Ok(reference) = reference::parse(traversal) else { return false };
        match reference.subject {
            Subject::Variable(_) | Subject::Local(_) => {}
            Subject::Each(_) | Subject::Count(_) | Subject::SelfObject(_) => return false,
            Subject::Path(_) | Subject::Terraform(_) => return true,
            Subject::Module { .. } | Subject::Resource { .. } => return false,
        }
        let Some(node) = self.evaluator.program.named(self.module.module, &reference.subject) else {
            return false;
        };
        match &self.evaluator.nodes[node.0 as usize] {
            NodeState::Values(values) => {
                values.get(self.module.index as usize).is_some_and(|stored| stored.known)
            }
            _ => false,
        }
    }

    fn provider(&self, name: &str) -> Option<ProviderSource> {
        let declared = self.declared();
        let used = declared.required_providers.contains_key(name)
            || declared.providers.keys().any(|key| key.name == name)
            || declared.resources.values().any(|decl| decl.provider.name == name)
            || declared.dialect == plumb_syntax::Dialect::Native;
        used.then(|| crate::load::providers::source(declared, name))
    }
}

/// The object of an instance, or an unknown one of its type.
fn object(state: &ResourceState, index: usize, ty: &Type) -> Value {
    match &state.objects[index] {
        Some(value) => value.clone(),
        None if *ty == Type::Dynamic => Value::unknown(Type::Dynamic),
        None => Value::unknown_not_null(ty.clone()),
    }
}

/// The objects of all instances as one value, built once.
fn whole(state: &ResourceState, ty: &Type) -> Value {
    let build =
        || state.expansion.gather(state.expansion.range().map(|index| object(state, index, ty)).collect());
    state.whole.get_or_init(build).clone()
}

impl Expansion {
    /// What `each` and `count` mean for an instance.
    pub(super) fn each(&self, index: usize) -> Each {
        match self.shape {
            Shape::One | Shape::Enabled(_) => Each::None,
            Shape::Count(_) => Each::Count(Value::int(index as i64)),
            Shape::ForEach => {
                let key = self.keys[index].clone();
                let value = self.values.get(index).cloned().unwrap_or_else(|| key.clone());
                Each::Pair(key, value)
            }
            Shape::Unknown => Each::Unknown,
        }
    }

    /// One value of what there is for each instance: a tuple by number, an object by key.
    fn gather(&self, values: Vec<Value>) -> Value {
        match self.shape {
            Shape::ForEach => {
                let names = self.keys.iter().map(|key| key.as_str().cloned().unwrap_or_default());
                Value::object(names.zip(values).collect::<Vec<_>>())
            }
            _ => Value::tuple(values),
        }
    }

    /// The instance that a value as a key means; none if it is unknown or there is no such instance.
    pub(super) fn find_value(&self, key: &Value) -> Option<usize> {
        let key = key.unmarked();
        match self.shape {
            Shape::Count(_) => match convert(key, &Type::Number) {
                Ok(Value::Number(number)) if number.is_integer() => self.find(&Key::Int(number.to_u64()?)),
                _ => None,
            },
            Shape::ForEach => match convert(key, &Type::String) {
                Ok(Value::String(text)) => self.find(&Key::String(text)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The instance of a literal key, where numbers and their texts are the same.
    fn find_lenient(&self, key: &Key) -> Option<usize> {
        match key {
            Key::None => None,
            Key::Int(index) => self.find_value(&Value::int(i64::try_from(*index).ok()?)),
            Key::String(text) => self.find_value(&Value::String(text.clone())),
        }
    }
}

fn shown(path: &std::path::Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    if text.is_empty() { ".".into() } else { text }
}

pub(crate) fn undeclared_variable(name: &Ident, module: &Module) -> Diagnostic {
    Diagnostic::error("unknown-variable", "Reference to undeclared input variable")
        .detail(eco_format!("There is no input variable `{name}` in {}.", module_name(module)))
        .at(name.span)
        .help(
            did_you_mean(name.as_str(), module.variables.keys().map(EcoString::as_str))
                .unwrap_or_else(|| eco_format!("Declare it: `variable \"{name}\" {{}}`.")),
        )
}

pub(crate) fn undeclared_local(name: &Ident, module: &Module) -> Diagnostic {
    let guess = did_you_mean(name.as_str(), module.locals.keys().map(EcoString::as_str));
    let guess = guess.or_else(|| {
        module.variables.contains_key(&name.name).then(|| eco_format!("Did you mean `var.{name}`?"))
    });
    Diagnostic::error("unknown-local", "Reference to undeclared local value")
        .detail(eco_format!("There is no local value `{name}` in {}.", module_name(module)))
        .at(name.span)
        .maybe_help(guess)
}

pub(crate) fn undeclared_module(name: &Ident, module: &Module) -> Diagnostic {
    Diagnostic::error("unknown-module", "Reference to undeclared module")
        .detail(eco_format!("There is no module call `{name}` in {}.", module_name(module)))
        .at(name.span)
        .maybe_help(did_you_mean(name.as_str(), module.calls.keys().map(EcoString::as_str)))
}

pub(crate) fn undeclared_output<'k>(
    called: &str,
    output: &Ident,
    outputs: impl Iterator<Item = &'k EcoString>,
) -> Diagnostic {
    Diagnostic::error("unknown-output", "Unsupported attribute")
        .detail(eco_format!("`{called}` has no output `{output}`."))
        .at(output.span)
        .maybe_help(did_you_mean(output.as_str(), outputs.map(EcoString::as_str)))
}

pub(crate) fn undeclared_resource(mode: Mode, kind: &Ident, name: &Ident, module: &Module) -> Diagnostic {
    let what = match mode {
        Mode::Managed => "managed resource",
        Mode::Data => "data resource",
        Mode::Ephemeral => "ephemeral resource",
        Mode::Action => "action",
    };
    let of_kind = module.resources.keys().filter(|r| r.mode == mode && r.kind == kind.name);
    let guess = did_you_mean(name.as_str(), of_kind.map(|r| r.name.as_str()))
        .or_else(|| {
            let kinds = module.resources.keys().filter(|r| r.mode == mode && r.name == name.name);
            did_you_mean(kind.as_str(), kinds.map(|r| r.kind.as_str()))
        })
        .or_else(|| {
            let other = module.resources.keys().find(|r| r.kind == kind.name && r.name == name.name)?;
            Some(eco_format!("Did you mean `{other}`?"))
        })
        .or_else(|| {
            did_you_mean(kind.as_str(), ["var", "local", "module", "data", "path", "each", "count", "self"])
                .filter(|_| mode == Mode::Managed)
        });
    let summary = if mode == Mode::Action {
        "Reference to undeclared action"
    } else {
        "Reference to undeclared resource"
    };
    Diagnostic::error("unknown-resource", summary)
        .detail(eco_format!("There is no {what} `{kind}.{name}` in {}.", module_name(module)))
        .at(kind.span.to(name.span))
        .maybe_help(guess)
}

fn module_name(module: &Module) -> EcoString {
    if module.path.is_root() { "the root module".into() } else { eco_format!("{}", module.path) }
}

pub(crate) fn no_each(span: Span) -> Diagnostic {
    Diagnostic::error("invalid-context", "Reference to \"each\" in context without for_each")
        .detail("`each` has a meaning only in a `resource`, `data` or `module` block with `for_each`.")
        .at(span)
        .help("Add `for_each` to the block, or use a `for` expression.")
}

pub(crate) fn no_count(span: Span) -> Diagnostic {
    Diagnostic::error("invalid-context", "Reference to \"count\" in non-counted context")
        .detail("`count.index` has a meaning only in a `resource`, `data` or `module` block with `count`.")
        .at(span)
        .help("Add `count` to the block, or refer to something else.")
}

pub(crate) fn no_self(span: Span) -> Diagnostic {
    Diagnostic::error("invalid-context", "Invalid \"self\" reference")
        .detail("`self` has a meaning only in provisioners, connections and postconditions, where it is the instance's object.")
        .at(span)
        .help("Elsewhere, name the resource.")
}

fn unexpected_key(called: &str, span: Span) -> Diagnostic {
    Diagnostic::error("unexpected-instance-key", "Unexpected resource instance key")
        .detail(eco_format!(
            "`{called}` has neither `count` nor `for_each`, so it has no instances to choose from."
        ))
        .at(span)
        .help("Remove the key.")
}

fn missing_key(called: &str, expansion: &Expansion, span: Span) -> Diagnostic {
    let (by, example) = match expansion.shape {
        Shape::ForEach => ("for_each", eco_format!("{called}[each.key]")),
        _ => ("count", eco_format!("{called}[count.index]")),
    };
    Diagnostic::error("missing-instance-key", "Missing resource instance key")
        .detail(eco_format!("`{called}` has `{by}`, so its attributes must be asked of one instance."))
        .at(span)
        .help(eco_format!("Write for example `{example}`, or `{called}[*]` for all."))
}

fn no_such_instance(called: &str, expansion: &Expansion, key: &TraversalStep) -> Diagnostic {
    let written = match key {
        TraversalStep::Key(text, _) => plumb_syntax::quote(text),
        TraversalStep::Index(number, _) => eco_format!("{number}"),
        TraversalStep::Attribute(name) => name.name.clone(),
    };
    let diagnostic = Diagnostic::error("invalid-index", "Invalid index")
        .detail(eco_format!("`{called}` has no instance with the key {written}."))
        .at(key.span());
    match expansion.shape {
        Shape::Count(0) => diagnostic.note("It has no instances."),
        Shape::Count(count) => diagnostic.note(eco_format!("Its instances are 0 to {}.", count - 1)),
        _ => {
            let keys: Vec<&str> =
                expansion.keys.iter().take(8).filter_map(|key| key.as_str().map(EcoString::as_str)).collect();
            let more = if expansion.keys.len() > 8 { ", …" } else { "" };
            match keys.is_empty() {
                true => diagnostic.note("It has no instances."),
                false => diagnostic.note(eco_format!("Its keys are {}{more}.", keys.join(", "))),
            }
        }
    }
}
