//! A program: every module of a configuration with what it declares, and what depends on what.
//!
//! A [`Module`] exists per *call path* in the static tree; modules that are called twice share their
//! [`Declarations`], so loading costs what the texts cost. Everything that is evaluated separately is a [`Node`] with
//! a dense [`NodeId`]: per module of the static tree, not per instance. [`Program::dependencies`] tells which nodes
//! must have been evaluated before a node; it is found statically, from references and `depends_on`.
//!
//! Always true: ids index what this program holds; the nodes of a module are consecutive.
//!
//! `declared`: what the files of a directory declare.
//!
//! Elsewhere: making a program is [`crate::load`]; finding what is wrong with it is [`crate::check`]; values are
//! [`crate::eval`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use indexmap::IndexMap;
use plumb_model::address::{ConfigResource, Mode, ModulePath, ProviderConfig, ProviderSource};
use plumb_model::{Diagnostics, SourceId, Sources, Span};

use crate::graph::ResourceName;
use crate::load::ModuleRequest;
use crate::reference::Subject;

mod declared;

pub use declared::{
    ActionTrigger, Argument, CallDecl, CheckDecl, Condition, Declarations, FunctionDecl, HandedDown,
    IgnoreChanges, ImportDecl, Library, LibraryDecl, Lifecycle, Limits, LocalDecl, MovedDecl, OutputDecl,
    ParameterDecl, PassThrough, ProviderChoice, ProviderDecl, ProviderKey, ProviderLimits, ProviderName,
    ProviderRequirement, ProvisionerDecl, RemovedDecl, Repetition, ResourceDecl, Settings, TriggerEvent,
    VariableDecl,
};

/// Names a module within [`Program::modules`]. The root is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleId(pub u32);

impl ModuleId {
    /// The root module.
    pub const ROOT: ModuleId = ModuleId(0);
}

/// Names a node; dense, from 0 to [`Program::node_count`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// What is evaluated separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// The module that it belongs to.
    pub module: ModuleId,
    /// What it is.
    pub kind: NodeKind,
    /// Which of that kind: an index into the module's map of them.
    pub index: u32,
}

/// Kinds of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// An input variable ([`Declarations::variables`]).
    Variable,
    /// A local value ([`Declarations::locals`]).
    Local,
    /// An output ([`Declarations::outputs`]).
    Output,
    /// A resource block of any mode ([`Declarations::resources`]).
    Resource,
    /// The expansion of a module call ([`Declarations::calls`]): which instances there are.
    Call,
    /// A provider configuration ([`Module::providers`]).
    Provider,
    /// A check block ([`Declarations::checks`]).
    Check,
    /// Everything in the module that a call leads to is done; what `depends_on = [module.m]` waits for. The index is
    /// that of the call. Evaluating it does nothing.
    CallEnd,
}

/// A reason why one node comes before another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// What must come first.
    pub to: NodeId,
    /// The place of the reference.
    pub span: Span,
    /// The reference as it is written: `local.a`; or why there is a dependency without one.
    pub what: EcoString,
}

/// Every module of a configuration.
#[derive(Debug)]
pub struct Program {
    /// The texts.
    pub sources: Arc<Sources>,
    /// The modules by [`ModuleId`]; a module comes after the one that calls it.
    pub modules: Vec<Module>,
    pub(crate) nodes: Vec<Node>,
    /// The dependencies of node `i` are those from `dependency_starts[i]` to the next one.
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) dependency_starts: Vec<u32>,
}

/// A module at one call path.
#[derive(Debug)]
pub struct Module {
    /// Where it is in the static tree.
    pub path: ModulePath,
    /// The directory, as the user would name it: relative to the working directory if the root was.
    pub directory: PathBuf,
    /// The directory that it was read from. It differs from `directory` where installed modules have the same files.
    pub read_from: PathBuf,
    /// What was called; none for the root module.
    pub origin: Option<ModuleOrigin>,
    /// The module that calls this one and the index of the call.
    pub parent: Option<(ModuleId, u32)>,
    /// The module that each call leads to, by the index of the call; none if it could not be loaded.
    pub children: Vec<Option<ModuleId>>,
    /// What it declares; shared by all modules of that directory.
    pub declarations: Arc<Declarations>,
    /// The provider configurations that belong to this module, by name and alias: those that have a block, and in the
    /// root module also those that something uses without one.
    pub providers: IndexMap<ProviderKey, ProviderDecl>,
    /// The configuration that each resource uses, by the index of the resource. Where that has `for_each`, it is the
    /// block, of which [`Module::provider_choices`] says which instance is meant.
    pub resource_providers: Vec<ProviderConfig>,
    /// How each instance of a resource finds its instance of the provider configuration, by the index of the resource,
    /// for those that have to choose.
    pub provider_choices: BTreeMap<u32, ProviderChoice>,
    /// The first node of each kind.
    pub(crate) first_nodes: FirstNodes,
}

/// Where a called module came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleOrigin {
    /// The address, as it was written or computed.
    pub source: EcoString,
    /// The version constraint, if there is one.
    pub constraint: Option<EcoString>,
    /// The exact version, if it has one.
    pub version: Option<EcoString>,
    /// The directory that modules called from it by relative paths may not leave; none for what is not installed but
    /// simply there. A path as [`Module::read_from`].
    pub package: Option<PathBuf>,
}

impl Module {
    /// Whether somebody else's package was fetched for it: what could be nicer in it is not for its user to mend.
    pub fn is_fetched(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.package.is_some())
    }

    /// Where the provider comes from that a local name stands for.
    pub fn provider_source(&self, name: &str) -> ProviderSource {
        crate::load::providers::source(&self.declarations, name)
    }
}

impl std::ops::Deref for Module {
    type Target = Declarations;

    fn deref(&self) -> &Declarations {
        &self.declarations
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FirstNodes {
    pub variables: u32,
    pub locals: u32,
    pub outputs: u32,
    pub resources: u32,
    pub calls: u32,
    pub providers: u32,
    pub checks: u32,
    pub call_ends: u32,
}

/// A program and what was found wrong with it.
#[derive(Debug)]
pub struct Loaded {
    /// What could be understood.
    pub program: Arc<Program>,
    /// Errors and warnings, over all files.
    pub diagnostics: Diagnostics,
    /// The calls of modules that are not installed; one of the errors names them.
    pub missing: Vec<ModuleRequest>,
}

impl Program {
    /// A module.
    pub fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.0 as usize]
    }

    /// The root module.
    pub fn root(&self) -> &Module {
        &self.modules[0]
    }

    /// The modules with their ids; a module comes after the one that calls it.
    pub fn modules(&self) -> impl ExactSizeIterator<Item = (ModuleId, &Module)> {
        self.modules.iter().enumerate().map(|(i, module)| (ModuleId(i as u32), module))
    }

    /// The module at a call path.
    pub fn module_at(&self, path: &ModulePath) -> Option<ModuleId> {
        path.0.iter().try_fold(ModuleId::ROOT, |id, name| {
            let module = self.module(id);
            module.children.get(module.calls.get_index_of(name)?).copied().flatten()
        })
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Every node with its id.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (NodeId, Node)> {
        self.nodes.iter().enumerate().map(|(i, node)| (NodeId(i as u32), *node))
    }

    /// What a node is.
    pub fn node(&self, id: NodeId) -> Node {
        self.nodes[id.0 as usize]
    }

    /// What must have been evaluated before a node, in the order in which the references are written. The same node
    /// may occur more than once, with different places.
    pub fn dependencies(&self, id: NodeId) -> &[Dependency] {
        let range = |i: usize| self.dependency_starts[i] as usize;
        &self.dependencies[range(id.0 as usize)..range(id.0 as usize + 1)]
    }

    /// The nodes, each after those that it depends on; a node on a cycle comes anywhere.
    pub fn order(&self) -> Vec<NodeId> {
        let count = self.node_count();
        let mut seen = vec![false; count];
        let mut ordered = Vec::with_capacity(count);
        let mut stack: Vec<(NodeId, usize)> = Vec::new();
        for start in 0..count as u32 {
            if !std::mem::replace(&mut seen[start as usize], true) {
                stack.push((NodeId(start), 0));
            }
            while let Some((id, next)) = stack.pop() {
                match self.dependencies(id).get(next) {
                    Some(dependency) => {
                        stack.push((id, next + 1));
                        if !std::mem::replace(&mut seen[dependency.to.0 as usize], true) {
                            stack.push((dependency.to, 0));
                        }
                    }
                    None => ordered.push(id),
                }
            }
        }
        ordered
    }

    /// The node of something that a module declares.
    pub fn node_id(&self, module: ModuleId, kind: NodeKind, index: usize) -> NodeId {
        let first = &self.module(module).first_nodes;
        let first = match kind {
            NodeKind::Variable => first.variables,
            NodeKind::Local => first.locals,
            NodeKind::Output => first.outputs,
            NodeKind::Resource => first.resources,
            NodeKind::Call => first.calls,
            NodeKind::Provider => first.providers,
            NodeKind::Check => first.checks,
            NodeKind::CallEnd => first.call_ends,
        };
        NodeId(first + index as u32)
    }

    /// The node of what a reference in a module names, if that is declared: a variable, a local, a resource, or an
    /// output of a called module. Other references name nothing that has a node of its own.
    pub fn named(&self, module: ModuleId, subject: &Subject<'_>) -> Option<NodeId> {
        let declared = self.module(module);
        let (kind, index) = match *subject {
            Subject::Variable(name) => (NodeKind::Variable, declared.variables.get_index_of(&name.name)),
            Subject::Local(name) => (NodeKind::Local, declared.locals.get_index_of(&name.name)),
            Subject::Resource { mode, kind, name, .. } => {
                let resource = ResourceName { mode, kind: kind.as_str(), name: name.as_str() };
                (NodeKind::Resource, declared.resources.get_index_of(&resource))
            }
            Subject::Module { name, output: Some(output), .. } => {
                let child = declared.children[declared.calls.get_index_of(&name.name)?]?;
                let index = self.module(child).outputs.get_index_of(&output.name)?;
                return Some(self.node_id(child, NodeKind::Output, index));
            }
            _ => return None,
        };
        Some(self.node_id(module, kind, index?))
    }

    /// The node of a resource block.
    pub fn resource_node(&self, resource: &ConfigResource) -> Option<NodeId> {
        let module = self.module_at(&resource.module)?;
        let index = self.module(module).resources.get_index_of(&resource.resource)?;
        Some(self.node_id(module, NodeKind::Resource, index))
    }

    /// The declaration of a resource node; none for other nodes.
    pub fn resource(&self, id: NodeId) -> Option<&ResourceDecl> {
        let node = self.node(id);
        match node.kind {
            NodeKind::Resource => Some(&self.module(node.module).resources[node.index as usize]),
            _ => None,
        }
    }

    /// The nodes of the actions that the triggers of a resource name, without duplicates.
    pub fn triggered(&self, id: NodeId) -> Vec<NodeId> {
        let Some(decl) = self.resource(id) else { return Vec::new() };
        let module = self.node(id).module;
        let named = decl.lifecycle.action_triggers.iter().flat_map(|trigger| &trigger.actions);
        let mut nodes: Vec<NodeId> = named
            .flat_map(|expr| expr.references())
            .filter_map(|traversal| crate::reference::parse(traversal).ok())
            .filter(|reference| matches!(reference.subject, Subject::Resource { mode: Mode::Action, .. }))
            .filter_map(|reference| self.named(module, &reference.subject))
            .collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// The declaration of a provider node; none for other nodes.
    pub fn provider(&self, id: NodeId) -> Option<&ProviderDecl> {
        let node = self.node(id);
        match node.kind {
            NodeKind::Provider => Some(&self.module(node.module).providers[node.index as usize]),
            _ => None,
        }
    }

    /// The provider configuration that a resource uses; none for other nodes. Where it has `for_each`, instances of the
    /// resource use instances of it: [`crate::eval::Evaluator::provider_of`].
    pub fn provider_of(&self, id: NodeId) -> Option<&ProviderConfig> {
        let node = self.node(id);
        match node.kind {
            NodeKind::Resource => self.module(node.module).resource_providers.get(node.index as usize),
            _ => None,
        }
    }

    /// How the instances of a resource choose an instance of their provider configuration, if they have to.
    pub fn provider_choice(&self, id: NodeId) -> Option<&ProviderChoice> {
        let node = self.node(id);
        match node.kind {
            NodeKind::Resource => self.module(node.module).provider_choices.get(&node.index),
            _ => None,
        }
    }

    /// The node of a provider configuration, or of the block that it is an instance of.
    pub fn provider_node(&self, config: &ProviderConfig) -> Option<NodeId> {
        let module = self.module_at(&config.module)?;
        let index = self.module(module).providers.values().position(|decl| decl.config.same_block(config))?;
        Some(self.node_id(module, NodeKind::Provider, index))
    }

    /// The place where a node is declared.
    pub fn span(&self, id: NodeId) -> Span {
        let node = self.node(id);
        let (module, index) = (self.module(node.module), node.index as usize);
        match node.kind {
            NodeKind::Variable => module.variables[index].span,
            NodeKind::Local => module.locals[index].span,
            NodeKind::Output => module.outputs[index].span,
            NodeKind::Resource => module.resources[index].span,
            NodeKind::Call | NodeKind::CallEnd => module.calls[index].span,
            NodeKind::Provider => module.providers[index].span,
            NodeKind::Check => module.checks[index].span,
        }
    }

    /// What people call a node: `module.m.local.a`, `var.x`, `file.notes`.
    pub fn name(&self, id: NodeId) -> EcoString {
        let node = self.node(id);
        let (module, index) = (self.module(node.module), node.index as usize);
        let local = match node.kind {
            NodeKind::Variable => eco_format!("var.{}", module.variables[index].name),
            NodeKind::Local => eco_format!("local.{}", module.locals[index].name),
            NodeKind::Output => eco_format!("output.{}", module.outputs[index].name),
            NodeKind::Resource => eco_format!("{}", module.resources[index].resource),
            NodeKind::Call => eco_format!("module.{}", module.calls[index].name),
            NodeKind::CallEnd => eco_format!("module.{} (end)", module.calls[index].name),
            NodeKind::Provider => return eco_format!("{}", module.providers[index].config),
            NodeKind::Check => eco_format!("check.{}", module.checks[index].name),
        };
        if module.path.is_root() { local } else { eco_format!("{}.{local}", module.path) }
    }

    /// The id that the text typed into a console is given: one that no file has.
    pub fn console_source(&self) -> SourceId {
        SourceId(self.sources.iter().count() as u32)
    }
}
