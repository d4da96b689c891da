//! Values: a program evaluated node by node, with unknowns and marks.
//!
//! An [`Evaluator`] belongs to one coordinator, which visits the nodes of the program in an order in which each comes
//! after those it depends on. It evaluates variables, locals, outputs and module calls with [`Evaluator::evaluate`],
//! expands resources with [`Evaluator::expand_resource`], asks for their configurations with [`Evaluator::config`], and
//! tells what became of them with [`Evaluator::set_instance`]. Each value is computed once and remembered, so that
//! evaluation never recurses from node to node and a reference costs a look-up, whatever it refers to.
//!
//! Always true: evaluating the same program with the same inputs and instances gives the same values; a value that is
//! not there because its node failed is unknown of any type, so that trouble is reported once, at its cause.
//!
//! Elsewhere: expressions are `crate::expr`, blocks by schema `decode`, `count` and `for_each` `expand`, what names
//! mean `names`.

use std::sync::{Arc, OnceLock};

use ecow::EcoString;
use indexmap::IndexMap;
use plumb_model::address::{Instance, Key, Mode, ModuleInstance, ProviderSource};
use plumb_model::{Schema, Type, Value};

use crate::program::{ModuleId, NodeId, NodeKind, Program};
use crate::schemas::Schemas;
use crate::world::World;
use expand::Expansion;

mod conditions;
mod console;
pub(crate) mod decode;
mod expand;
pub(crate) mod names;
mod nodes;
mod providers;
mod trial;

pub use conditions::{ImportRequest, Outcome};

/// How far values can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is known but the files: variables of the root module and all instances are unknown.
    Validate,
    /// What a plan computes: impure functions are unknown.
    Plan,
    /// Everything.
    Apply,
}

/// Calls functions of providers.
pub trait ProviderFunctions: Send + Sync {
    /// Calls `provider::<name>::<function>`, where `provider` is what the local name stands for.
    ///
    /// # Errors
    /// What is wrong, in a sentence, and the index of the argument it is about.
    fn call(
        &self,
        provider: &ProviderSource,
        function: &str,
        arguments: Vec<Value>,
    ) -> Result<Value, (String, Option<usize>)>;
}

/// What an evaluation stands on.
pub struct EvalOptions {
    /// Files, environment and time.
    pub world: Arc<dyn World>,
    /// The values of root variables that were given, before conversion.
    pub variables: IndexMap<EcoString, Value>,
    /// The name of the workspace.
    pub workspace: EcoString,
    /// How far values can be known.
    pub phase: Phase,
    /// What is known of resource types.
    pub schemas: Arc<dyn Schemas>,
    /// Functions of providers; without it a call of one is unknown.
    pub provider_functions: Option<Arc<dyn ProviderFunctions>>,
    /// The time that `plantimestamp()` gives: when the plan began. Without it there is no such function.
    pub plan_time: Option<std::time::SystemTime>,
    /// Whether expressions in Terraform's language mean exactly what they mean in Terraform 1.11: both operands of `&&`
    /// and `||` are needed, and there are no later functions.
    pub exactly_terraform_1_11: bool,
}

/// An instance of a resource in an evaluation: an index into it, valid until the resource is expanded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceRef {
    /// The resource block.
    pub node: NodeId,
    /// The instance of its module: an index into [`Evaluator::module_instances`].
    pub module: u32,
    /// Which instance of the block in that module instance, in the order of keys.
    pub index: u32,
}

/// A module instance in an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleRef {
    /// The module in the static tree.
    pub module: ModuleId,
    /// An index into [`Evaluator::module_instances`].
    pub index: u32,
}

impl ModuleRef {
    /// The root module.
    pub const ROOT: ModuleRef = ModuleRef { module: ModuleId::ROOT, index: 0 };
}

/// Where an expression stands: what `each`, `count`, `path.module` and names mean in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// In the block of an instance.
    Instance(InstanceRef),
    /// In a module instance.
    Module(ModuleRef),
}

impl From<InstanceRef> for At {
    fn from(instance: InstanceRef) -> At {
        At::Instance(instance)
    }
}

impl From<ModuleRef> for At {
    fn from(module: ModuleRef) -> At {
        At::Module(module)
    }
}

/// Evaluates a program.
pub struct Evaluator {
    program: Arc<Program>,
    options: EvalOptions,
    /// By [`ModuleId`].
    modules: Vec<ModuleState>,
    /// By [`NodeId`].
    nodes: Vec<NodeState>,
    /// Types of resources, each once.
    kinds: Vec<KindInfo>,
    /// What came of the conditions of variables and outputs, where they have any.
    checked: Vec<Checked>,
}

/// What came of the conditions of a variable or output in an instance of its module.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The variable or output.
    pub node: NodeId,
    /// The instance of its module: an index into [`Evaluator::module_instances`].
    pub module: u32,
    /// In the order of the conditions.
    pub outcomes: Vec<Outcome>,
}

/// The instances of a module.
#[derive(Default)]
struct ModuleState {
    instances: Vec<ModuleInstance>,
    /// Of each instance: the instance of the parent and which instance of the call it is.
    origins: Vec<(u32, u32)>,
}

/// What is known of a node.
enum NodeState {
    /// It was not evaluated yet, or has no value.
    Pending,
    /// The value in each module instance.
    Values(Vec<Stored>),
    /// The instances of a call, in each module instance, and the index of the first in the called module.
    Call(Vec<(Expansion, u32)>),
    /// The instances of a provider configuration.
    Provider(Expansion),
    /// The instances of a resource, in each module instance.
    Resource { kind: u32, states: Vec<ResourceState> },
}

/// A value and whether it is known to its last part.
struct Stored {
    value: Value,
    known: bool,
}

/// The instances of a resource in one module instance.
struct ResourceState {
    expansion: Expansion,
    /// What is known of each instance.
    objects: Vec<Option<Value>>,
    /// All of them as one value, built when it is first asked for.
    whole: OnceLock<Value>,
}

/// A resource type.
struct KindInfo {
    schema: Option<Arc<Schema>>,
    ty: Type,
}

impl Evaluator {
    /// An evaluation in which nothing has been evaluated yet.
    pub fn new(program: Arc<Program>, options: EvalOptions) -> Evaluator {
        let mut modules: Vec<ModuleState> = program.modules.iter().map(|_| ModuleState::default()).collect();
        modules[0] = ModuleState { instances: vec![ModuleInstance::root()], origins: vec![(0, 0)] };
        let mut evaluator = Evaluator {
            modules,
            nodes: Vec::with_capacity(program.node_count()),
            kinds: Vec::new(),
            checked: Vec::new(),
            program,
            options,
        };
        evaluator.prepare_nodes();
        evaluator
    }

    fn prepare_nodes(&mut self) {
        let mut seen: IndexMap<(ProviderSource, Mode, EcoString), u32> = IndexMap::new();
        let program = self.program.clone();
        for (id, node) in program.nodes() {
            let state = match (node.kind, program.resource(id), program.provider_of(id)) {
                (NodeKind::Resource, Some(decl), Some(provider)) => {
                    let key = (provider.source.clone(), decl.resource.mode, decl.resource.kind.clone());
                    let kind = *seen.entry(key).or_insert_with_key(|(source, mode, kind)| {
                        let schema = self.options.schemas.resource(source, *mode, kind);
                        let ty = schema.as_ref().map_or(Type::Dynamic, |schema| schema.block.implied_type());
                        self.kinds.push(KindInfo { schema, ty });
                        self.kinds.len() as u32 - 1
                    });
                    NodeState::Resource { kind, states: Vec::new() }
                }
                _ => NodeState::Pending,
            };
            self.nodes.push(state);
        }
    }

    /// What came of the conditions of the variables and outputs that have been evaluated.
    pub fn checked(&self) -> &[Checked] {
        &self.checked
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// What the evaluation stands on.
    pub fn options(&self) -> &EvalOptions {
        &self.options
    }

    /// The instances of a module; none before its call is evaluated.
    pub fn module_instances(&self, module: ModuleId) -> &[ModuleInstance] {
        &self.modules[module.0 as usize].instances
    }

    /// The instances of a resource in all instances of its module; none before it is expanded.
    pub fn instances(&self, node: NodeId) -> Vec<InstanceRef> {
        let NodeState::Resource { states, .. } = &self.nodes[node.0 as usize] else { return Vec::new() };
        let all = states.iter().enumerate().flat_map(|(module, state)| {
            (0..state.objects.len()).map(move |index| InstanceRef {
                node,
                module: module as u32,
                index: index as u32,
            })
        });
        all.collect()
    }

    /// The address of an instance.
    pub fn address(&self, instance: InstanceRef) -> Instance {
        let node = self.program.node(instance.node);
        Instance {
            module: self.module_instances(node.module)[instance.module as usize].clone(),
            resource: self.program.module(node.module).resources[node.index as usize].resource.clone(),
            key: self.resource_state(instance).expansion.key(instance.index as usize),
        }
    }

    /// The instance at an address, if there is one.
    pub fn find(&self, address: &Instance) -> Option<InstanceRef> {
        let node = self.program.resource_node(&address.config())?;
        let module = self.find_module(&address.module)?.index;
        let NodeState::Resource { states, .. } = &self.nodes[node.0 as usize] else { return None };
        let index = states.get(module as usize)?.expansion.find(&address.key)?;
        Some(InstanceRef { node, module, index: index as u32 })
    }

    /// The instance of a module at an address, found from call to call: however many there are, none is searched for.
    fn find_module(&self, address: &ModuleInstance) -> Option<ModuleRef> {
        address.0.iter().try_fold(ModuleRef::ROOT, |caller, (name, key)| {
            let module = self.program.module(caller.module);
            let call = module.calls.get_index_of(name)?;
            let node = self.program.node_id(caller.module, NodeKind::Call, call);
            let NodeState::Call(calls) = &self.nodes[node.0 as usize] else { return None };
            let (expansion, first) = calls.get(caller.index as usize)?;
            Some(ModuleRef { module: module.children[call]?, index: first + expansion.find(key)? as u32 })
        })
    }

    /// The key of an instance.
    pub fn key(&self, instance: InstanceRef) -> Key {
        self.resource_state(instance).expansion.key(instance.index as usize)
    }

    /// The schema of a resource node's type, if it is known.
    pub fn schema(&self, node: NodeId) -> Option<&Arc<Schema>> {
        match &self.nodes[node.0 as usize] {
            NodeState::Resource { kind, .. } => self.kinds[*kind as usize].schema.as_ref(),
            _ => None,
        }
    }

    /// Makes the planned, applied or read object of an instance visible to references.
    pub fn set_instance(&mut self, instance: InstanceRef, value: Value) {
        if let NodeState::Resource { states, .. } = &mut self.nodes[instance.node.0 as usize] {
            let state = &mut states[instance.module as usize];
            state.objects[instance.index as usize] = Some(value);
            state.whole.take();
        }
    }

    /// The object of an instance, if it was set.
    pub fn instance(&self, instance: InstanceRef) -> Option<&Value> {
        self.resource_state(instance).objects[instance.index as usize].as_ref()
    }

    /// The value of a variable, local or output in an instance of its module, if it has been evaluated.
    pub fn value(&self, node: NodeId, module: u32) -> Option<&Value> {
        match &self.nodes[node.0 as usize] {
            NodeState::Values(values) => values.get(module as usize).map(|stored| &stored.value),
            _ => None,
        }
    }

    /// The outputs of the root module that have been evaluated.
    pub fn outputs(&self) -> IndexMap<EcoString, Value> {
        let names = self.program.root().outputs.keys().enumerate();
        names
            .filter_map(|(index, name)| {
                let node = self.program.node_id(ModuleId::ROOT, NodeKind::Output, index);
                Some((name.clone(), self.value(node, 0)?.clone()))
            })
            .collect()
    }

    fn resource_state(&self, instance: InstanceRef) -> &ResourceState {
        match &self.nodes[instance.node.0 as usize] {
            NodeState::Resource { states, .. } => &states[instance.module as usize],
            _ => panic!("an instance belongs to a resource node"),
        }
    }
}
