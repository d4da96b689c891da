//! Static types and phases of a whole program.
//!
//! [`check`] visits the nodes of a program, each after those it depends on, finds the type of each once and keeps it
//! ([`Typer::nodes`]), so that a chain of any length needs no stack and a reference costs a look-up. On the way every
//! expression gets a type, and what can never work is reported. Types cross the borders of modules through variables
//! and outputs, and come from schemas where resources are mentioned; what has no schema is any.
//!
//! What is said in `.tf` files is what `terraform validate` says, which [`crate::eval::Evaluator::try_out`] finds; types
//! are found there too, since a `.cfg` module may call such a module, but nothing is reported.
//!
//! Elsewhere: `ty` types, `expr`, `access` and `call` expressions, `resource` objects of resources, `early` what must be
//! known before applying and why it is not.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::address::{Mode, ProviderSource};
use plumb_model::{Diagnostic, Diagnostics, Schema, Type};
use plumb_syntax::Dialect;
use plumb_syntax::tree::{Block, Body, Expr, ExprKind, Item, ObjectEntry};

use crate::graph::iterator;
use crate::program::{
    CallDecl, Condition, Declarations, FunctionDecl, ModuleId, Node, NodeId, NodeKind, OutputDecl, Program,
    Repetition, VariableDecl,
};
use crate::schemas::Schemas;
use crate::world::World;
use expr::{Infer, Place, repeated};

mod access;
mod call;
mod early;
mod expr;
mod resource;
mod ty;

pub use ty::{Field, Kind, Misfit, Phase, Ty};

/// The static types of a program's variables, locals, outputs and resources.
pub struct Types {
    nodes: Vec<Option<Ty>>,
}

impl Types {
    /// Finds the types of a program. `world` is what functions read files from.
    pub fn of(program: &Program, schemas: &dyn Schemas, world: &dyn World) -> Types {
        let mut typer = Typer::new(program, schemas, world);
        for id in program.order() {
            typer.visit(id);
        }
        Types { nodes: typer.nodes }
    }

    /// The type of a node: of a variable, local or output that of its value, of a resource that of all its instances.
    /// None for nodes that have no value.
    pub fn get(&self, node: NodeId) -> Option<&Ty> {
        self.nodes[node.0 as usize].as_ref()
    }
}

/// What is wrong with the types of a program.
pub(super) fn check(program: &Program, schemas: &dyn Schemas, world: &dyn World) -> Diagnostics {
    let mut typer = Typer::new(program, schemas, world);
    // Without a native module nothing would be reported.
    if program.modules().any(|(_, module)| module.dialect == Dialect::Native) {
        typer.functions();
        for id in program.order() {
            typer.visit(id);
        }
    }
    typer.diagnostics
}

/// Finds the types of a program.
struct Typer<'a> {
    program: &'a Program,
    schemas: &'a dyn Schemas,
    world: &'a dyn World,
    /// By [`NodeId`]: of variables, locals and outputs their types, of resources that of all instances, of calls what
    /// tells instances apart.
    nodes: Vec<Option<Ty>>,
    /// The types of what functions give, by function. Those of their parameters are the declared ones.
    bodies: RefCell<HashMap<*const FunctionDecl, Ty>>,
    /// Schemas that were asked for.
    known: HashMap<(ProviderSource, Mode, EcoString), Option<Arc<Schema>>>,
    diagnostics: Diagnostics,
}

impl<'a> Typer<'a> {
    fn new(program: &'a Program, schemas: &'a dyn Schemas, world: &'a dyn World) -> Typer<'a> {
        Typer {
            program,
            schemas,
            world,
            nodes: vec![None; program.node_count()],
            bodies: RefCell::default(),
            known: HashMap::new(),
            diagnostics: Diagnostics::new(),
        }
    }

    fn dialect(&self, module: ModuleId) -> Dialect {
        self.program.module(module).dialect
    }

    fn is_native(&self, module: ModuleId) -> bool {
        self.dialect(module) == Dialect::Native
    }

    /// The type of a node that has been visited; on a cycle, of any.
    fn node(&self, module: ModuleId, kind: NodeKind, index: usize) -> Ty {
        let id = self.program.node_id(module, kind, index);
        self.nodes[id.0 as usize].clone().unwrap_or(Ty::any(Phase::Const))
    }

    /// The outputs of a call, of all of its instances.
    fn call(&self, module: ModuleId, index: usize) -> Ty {
        let declared = self.program.module(module);
        let Some(child) = declared.children[index] else { return Ty::any(Phase::Plan) };
        let outputs = self.program.module(child).outputs.keys().enumerate();
        let fields = outputs.map(|(i, name)| (name.clone(), self.node(child, NodeKind::Output, i)));
        let by = self.node(module, NodeKind::Call, index);
        repeated(&declared.calls[index].repetition, &by, Ty::new(Kind::row(fields)))
    }

    /// Finds the type of a node, all of whose dependencies have been visited, and checks its expressions.
    fn visit(&mut self, id: NodeId) {
        let Node { module, kind, index } = self.program.node(id);
        let declared = self.program.module(module);
        let index = index as usize;
        let place = Place::module(module);
        let ty = match kind {
            NodeKind::Variable => Some(self.variable(module, &declared.variables[index])),
            NodeKind::Local => Some(self.expr(&place, &declared.locals[index].value)),
            NodeKind::Output => Some(self.output(&place, &declared.outputs[index])),
            NodeKind::Resource => Some(self.resource(module, index)),
            NodeKind::Call => Some(self.module_call(module, &declared.calls[index])),
            NodeKind::Provider => {
                let decl = &declared.providers[index];
                let by = decl.for_each.as_ref().map(|expr| {
                    let ty = self.expr(&place, expr);
                    self.early_keys(&place, expr, &ty);
                    ty
                });
                let place = self.instance_place(module, decl.for_each.as_ref().zip(by.as_ref()));
                decl.body.iter().for_each(|block| self.body(&place, &block.body));
                None
            }
            NodeKind::Check => {
                self.conditions(&place, &declared.checks[index].asserts);
                None
            }
            NodeKind::CallEnd => None,
        };
        self.nodes[id.0 as usize] = ty;
    }

    /// The type of what a function gives whose result has no type written. Functions do not call themselves, and are not
    /// nested deeper than an expression may be.
    fn body_of(&self, home: &'a Declarations, decl: &'a FunctionDecl) -> Ty {
        let key = std::ptr::from_ref(decl);
        if let Some(known) = self.bodies.borrow().get(&key) {
            return known.clone();
        }
        let ty = self.infer_body(home, decl).0;
        self.bodies.borrow_mut().insert(key, ty.clone());
        ty
    }

    /// The type of what a function gives, and what is wrong in it.
    fn infer_body(&self, home: &'a Declarations, decl: &'a FunctionDecl) -> (Ty, Diagnostics) {
        let place = Place::module(ModuleId::ROOT);
        let mut infer = Infer::new(self, &place);
        (infer.declared, infer.closed, infer.native) = (home, true, true);
        let parameters = decl.parameters.values().map(|parameter| {
            let ty = Ty::of(&parameter.constraint.ty, Phase::Const).refined(&parameter.constraint.shape);
            (parameter.name.name.clone(), ty)
        });
        infer.bindings.extend(parameters);
        let all: Vec<(EcoString, Ty)> = infer.bindings.clone();
        infer.bindings.push(("param".into(), Ty::new(Kind::row(all))));
        let mut locals: Vec<(EcoString, Ty)> = Vec::new();
        for local in decl.locals.values() {
            infer.bindings.push(("local".into(), Ty::new(Kind::row(locals.clone()))));
            let ty = infer.infer(&local.value);
            infer.bindings.pop();
            locals.push((local.name.name.clone(), ty));
        }
        infer.bindings.push(("local".into(), Ty::new(Kind::row(locals))));
        let ty = infer.infer(&decl.value);
        // What attributes an object must have is said better with a value at hand.
        if let Some(result) = decl.result.as_ref().filter(|_| !matches!(ty.kind, Kind::Object(_))) {
            let what = eco_format!("What `{}` gives", decl.name);
            let (code, summary) = ("unsuitable-value", "Unsuitable value type");
            infer.check_fits(&ty, &result.ty, &decl.value, code, summary, &what);
        }
        (ty.widened(), infer.found)
    }

    /// Checks the functions of a program and of the libraries that it imports.
    fn functions(&mut self) {
        let program = self.program;
        let modules = program.modules().map(|(_, module)| &*module.declarations);
        let libraries = program.modules().flat_map(|(_, module)| module.libraries.values());
        let imported = libraries.filter_map(|decl| Some(&*decl.library.as_ref()?.declarations));
        let mut seen = HashSet::new();
        for home in modules.chain(imported) {
            if seen.insert(std::ptr::from_ref(home)) {
                for decl in home.functions.values() {
                    let found = self.infer_body(home, decl).1;
                    self.diagnostics.extend(found);
                }
            }
        }
    }

    /// The type of an expression; what is wrong is reported.
    fn expr(&mut self, place: &Place, expr: &Expr) -> Ty {
        self.with(place, |infer| infer.infer(expr))
    }

    fn with<T>(&mut self, place: &Place, f: impl FnOnce(&mut Infer<'_, 'a>) -> T) -> T {
        let mut infer = Infer::new(self, place);
        let result = f(&mut infer);
        let (native, found) = (infer.native, infer.found);
        if native {
            self.diagnostics.extend(found);
        }
        result
    }

    fn report(&mut self, place: &Place, diagnostic: Diagnostic) {
        if self.is_native(place.module) {
            self.diagnostics.push(diagnostic);
        }
    }

    fn variable(&mut self, module: ModuleId, decl: &VariableDecl) -> Ty {
        let ty = self.given(module, decl);
        // The conditions mention the variable itself.
        if let Some(index) = self.program.module(module).variables.get_index_of(&decl.name.name) {
            let id = self.program.node_id(module, NodeKind::Variable, index);
            self.nodes[id.0 as usize] = Some(ty.clone());
        }
        self.conditions(&Place::module(module), &decl.validations);
        ty
    }

    /// The type of a variable: what is declared, with the phases of what the caller gives.
    fn given(&mut self, module: ModuleId, decl: &VariableDecl) -> Ty {
        let root_phase = if decl.constant { Phase::Const } else { Phase::Plan };
        let Some((parent, call)) = self.program.module(module).parent else {
            return Ty::of(&decl.ty, root_phase).refined(&decl.shape);
        };
        let call = &self.program.module(parent).calls[call as usize];
        match (call.given(&decl.name.name), call.passed_object()) {
            (Some(written), _) => {
                let place = self.call_place(parent, call);
                let given = self.expr(&place, written);
                let what = eco_format!("The value given for `{}` of `module.{}`", decl.name, call.name);
                let constraint = if decl.typed { &decl.constraint } else { &Type::Dynamic };
                let fine = self.with(&place, |infer| {
                    infer.check_fits(
                        &given,
                        constraint,
                        written,
                        "invalid-variable-value",
                        "Invalid value for input variable",
                        &what,
                    )
                });
                let ty = if fine { given.converted(&decl.ty) } else { Ty::of(&decl.ty, given.deepest()) };
                // What else the module's other callers give is not known to it.
                match (decl.typed, self.is_native(module)) {
                    (false, false) => Ty::any(given.deepest()),
                    _ => ty.widened().refined(&decl.shape),
                }
            }
            (None, Some(all)) => {
                let place = self.call_place(parent, call);
                let all = self.expr(&place, all);
                let given = match &all.kind {
                    Kind::Object(fields) => fields.get(&decl.name.name).map(|field| field.ty.clone()),
                    _ => None,
                };
                match given {
                    Some(given) => given.converted(&decl.ty).widened().at_least(all.phase),
                    None => Ty::of(&decl.ty, all.deepest()),
                }
                .refined(&decl.shape)
            }
            (None, None) => Ty::of(&decl.ty, Phase::Const).refined(&decl.shape),
        }
    }

    fn output(&mut self, place: &Place, decl: &OutputDecl) -> Ty {
        let ty = self.expr(place, &decl.value);
        self.conditions(place, &decl.preconditions);
        let Some(crate::types::Constraint { ty: wanted, .. }) = &decl.ty else { return ty };
        let what = eco_format!("The value of `{}`", decl.name);
        let fine = self.with(place, |infer| {
            infer.check_fits(
                &ty,
                wanted,
                &decl.value,
                "invalid-output-value",
                "Invalid value for output",
                &what,
            )
        });
        if fine { ty.converted(wanted) } else { Ty::of(wanted, ty.deepest()) }
    }

    /// What tells the instances of a call apart.
    fn module_call(&mut self, module: ModuleId, decl: &CallDecl) -> Ty {
        let by = self.repetition(&Place::module(module), &decl.repetition);
        let place = self.repeated_place(module, &decl.repetition, &by);
        for expr in decl.providers.iter().filter_map(|entry| entry.outer.instance.as_ref()) {
            self.expr(&place, expr);
        }
        by
    }

    /// The type of what says how many instances there are; constant where nothing does.
    fn repetition(&mut self, place: &Place, repetition: &Repetition) -> Ty {
        let mut by = Ty::new(Kind::Null);
        if let Some(expr) = &repetition.count {
            by = self.expr(place, expr);
            self.with(place, |infer| {
                infer.check_fits(&by, &Type::Number, expr, "invalid-count", "Incorrect value type", "`count`")
            });
            self.early(place, expr, &by, early::Wanted::Count);
        }
        if let Some(expr) = &repetition.for_each {
            by = self.expr(place, expr);
            self.iterable(place, expr, &by);
            self.early_keys(place, expr, &by);
        }
        if let Some(expr) = &repetition.enabled {
            by = self.expr(place, expr);
            let (code, what) = ("invalid-enabled", "`enabled`");
            self.with(place, |infer| {
                infer.check_fits(&by, &Type::Bool, expr, code, "Invalid enabled argument", what)
            });
            self.early(place, expr, &by, early::Wanted::Enabled);
        }
        by
    }

    /// `for_each` is a map, an object or a set of strings.
    fn iterable(&mut self, place: &Place, expr: &Expr, ty: &Ty) {
        let error = |detail: EcoString| {
            Diagnostic::error("invalid-for-each", "Invalid for_each argument")
                .detail(detail)
                .label(expr.span, ty.name())
        };
        match &ty.kind {
            Kind::Error | Kind::Any | Kind::Map(_) | Kind::Object(_) | Kind::Dictionary(_) => {}
            Kind::Set(part) if part.is_open() || part.model() == Type::String => {}
            Kind::Set(part) => self.report(
                place,
                Diagnostic::error("invalid-for-each", "Invalid for_each set argument")
                    .detail(eco_format!(
                        "The set holds elements of type {}; only sets of strings can be used.",
                        part.model()
                    ))
                    .at(expr.span)
                    .help("Convert the elements, `toset([for x in … : tostring(x)])`, or use a map."),
            ),
            Kind::List(_) | Kind::Tuple(_) | Kind::Sequence(_) => self.report(
                place,
                error(eco_format!("`for_each` is {}; it must be a map, or a set of strings, whose keys name the instances.", ty.name()))
                    .help("If the elements are distinct strings, write `toset(…)`; else make a map: `{ for x in … : x.name => x }`."),
            ),
            Kind::Null => self.report(
                place,
                error("`for_each` is null; it must be a map, or a set of strings.".into())
                    .help("Give an empty one for the case of null: `coalesce(value, {})`."),
            ),
            _ => self.report(
                place,
                error(eco_format!("`for_each` is {}; it must be a map, or a set of strings.", ty.name())),
            ),
        }
    }

    /// The place of expressions in a block that `for_each` repeats.
    fn instance_place(&self, module: ModuleId, by: Option<(&Expr, &Ty)>) -> Place {
        let each = by.map(|(_, by)| {
            let key = Ty::new(Kind::String).at_least(by.phase);
            let value = match &by.kind {
                Kind::Set(_) => key.clone(),
                _ => by.element().unwrap_or(Ty::any(by.deepest())),
            };
            (key, value)
        });
        Place { each, ..Place::module(module) }
    }

    fn repeated_place(&self, module: ModuleId, repetition: &Repetition, by: &Ty) -> Place {
        let place = self.instance_place(module, repetition.for_each.as_ref().map(|expr| (expr, by)));
        let count = repetition.count.as_ref().map(|_| Ty::new(Kind::Number).at_least(by.phase));
        Place { count, ..place }
    }

    fn call_place(&self, module: ModuleId, decl: &CallDecl) -> Place {
        let index = self.program.module(module).calls.get_index_of(&decl.name.name);
        let by = index.map_or(Ty::error(), |index| self.node(module, NodeKind::Call, index));
        self.repeated_place(module, &decl.repetition, &by)
    }

    fn conditions(&mut self, place: &Place, conditions: &[Condition]) {
        for condition in conditions {
            let ty = self.expr(place, &condition.condition);
            self.with(place, |infer| {
                infer.check_fits(
                    &ty,
                    &Type::Bool,
                    &condition.condition,
                    "condition-not-bool",
                    "Invalid condition result",
                    "The condition",
                )
            });
            let message = self.expr(place, &condition.message);
            self.with(place, |infer| {
                infer.check_fits(
                    &message,
                    &Type::String,
                    &condition.message,
                    "invalid-message",
                    "Invalid error message",
                    "`error_message`",
                )
            });
        }
    }

    /// The expressions of a block of which nothing more is known.
    fn body(&mut self, place: &Place, body: &Body) {
        self.with(place, |infer| items(infer, body));
    }
}

fn items(infer: &mut Infer<'_, '_>, body: &Body) {
    for item in &body.items {
        match item {
            Item::Attribute(attribute) => {
                infer.infer(&attribute.value);
            }
            Item::Block(block) if block.kind.as_str() == "dynamic" => {
                dynamic(infer, block, &mut |infer, body| {
                    items(infer, body);
                });
            }
            Item::Block(block) => items(infer, &block.body),
            Item::Error(_) => {}
        }
    }
}

/// Goes into a `dynamic` block with its variable bound; gives the type of what it iterates over.
fn dynamic<'t, 'a>(
    infer: &mut Infer<'t, 'a>,
    block: &Block,
    content: &mut dyn FnMut(&mut Infer<'t, 'a>, &Body),
) -> Ty {
    let Some(for_each) = block.body.attribute("for_each") else { return Ty::error() };
    let by = infer.infer(&for_each.value);
    let pair = infer.key_and_value(&by, &for_each.value);
    let (key, value) = pair.unwrap_or((Ty::error(), Ty::error()));
    let each = Kind::row([("key".into(), key), ("value".into(), value)]);
    infer.bindings.push((iterator(block).into(), Ty::new(each)));
    if let Some(labels) = block.body.attribute("labels") {
        infer.infer(&labels.value);
    }
    for inner in block.body.blocks_of("content") {
        content(infer, &inner.body);
    }
    infer.bindings.pop();
    by
}

/// The part of an expression that a path, as written behind its name, leads to; the whole where it is not written out.
fn part<'e>(expr: &'e Expr, path: &str) -> &'e Expr {
    let expr = expr.without_parens();
    let inner = match &expr.kind {
        ExprKind::Object(object) => path.strip_prefix('.').and_then(|rest| {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let entry = object.entries.iter().rev().find_map(|entry| match entry {
                ObjectEntry::Pair { key, value }
                    if key.as_literal().is_some_and(|name| *name == rest[..end]) =>
                {
                    Some(value)
                }
                _ => None,
            })?;
            Some((entry, &rest[end..]))
        }),
        ExprKind::Tuple(tuple) => path.strip_prefix('[').and_then(|rest| {
            let (index, rest) = rest.split_once(']')?;
            Some((tuple.elements.get(index.parse::<usize>().ok()?)?, rest))
        }),
        _ => None,
    };
    match inner {
        Some((inner, rest)) if !path.is_empty() => part(inner, rest),
        _ => expr,
    }
}
