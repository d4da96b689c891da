//! The order of the steps of a plan.
//!
//! Creating and updating happen where the program's node of the resource is visited, so that they wait for what the
//! block refers to. Deleting goes the other way round. For each resource block there are two gates: through the first
//! comes who waits until every object that was made from this one is deleted; through the second, who waits also until
//! every reference to it has been updated away.
//!
//! - A deletion that makes room for a replacement passes the first gate, and the node of its block waits for it: what
//!   refers to the new object is updated after that.
//! - Any other deletion, also of what has been replaced already, passes the second gate.
//!
//! Gates are per block, so the number of edges is linear in the number of objects and of references between blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plumb_model::address::{ConfigResource, ProviderConfig};
use plumb_semantics::program::{NodeId, Program};

use crate::graph::{Graph, Task};
use crate::plan::{Action, Change, Plan};

/// The tasks of an execution.
pub(super) struct Steps {
    /// Nodes of the program come first, under their own numbers.
    pub graph: Graph,
    /// What each further task is.
    pub tasks: Vec<Extra>,
    first: Task,
}

/// A task that is not a node of the program.
#[derive(Clone, Debug)]
pub(super) enum Extra {
    /// Waits for others.
    Gate,
    /// Start a provider that no block of the program configures.
    Provider(ProviderConfig),
    /// Delete the object of a change: what it says itself, or the half of a replacement.
    Delete(Arc<Change>),
    /// Save what planning found out about an object that stays as it is, or is gone.
    Record(Arc<Change>),
    /// Invoke the actions that come after the steps of a resource.
    After(NodeId),
    /// On the way back: create and change the objects of a block, as its node does otherwise.
    Block(ConfigResource),
}

impl Steps {
    /// What a further task is; `None` for nodes of the program.
    pub fn extra(&self, task: Task) -> Option<&Extra> {
        task.checked_sub(self.first).map(|i| &self.tasks[i])
    }
}

/// Whether a change is carried out, or half of it, where the node of its block is visited.
pub(super) fn is_at_node(change: &Change) -> bool {
    matches!(change.action, Action::Create | Action::Update) || change.action.is_replace()
}

struct Builder<'p> {
    program: &'p Program,
    graph: Graph,
    tasks: Vec<Extra>,
    first: Task,
    /// The gates of each block: all deletions of what was made from it done; all references to it gone.
    gates: BTreeMap<ConfigResource, (Task, Task)>,
    providers: BTreeMap<ProviderConfig, Task>,
    /// On the way back, the tasks that stand for the nodes of blocks.
    blocks: Option<BTreeMap<ConfigResource, Task>>,
}

/// Orders the steps of a plan.
pub(super) fn order(program: &Program, order: Graph, plan: &Plan) -> Steps {
    Builder::new(program, order).order(plan)
}

/// Orders the steps of a way back: by what was recorded of references, since the program may say something else by now.
pub(super) fn order_back(program: &Program, order: Graph, plan: &Plan) -> Steps {
    let mut builder = Builder::new(program, order);
    builder.blocks = Some(BTreeMap::new());
    builder.add_blocks(plan);
    builder.order(plan)
}

impl Builder<'_> {
    fn new(program: &Program, order: Graph) -> Builder<'_> {
        Builder {
            program,
            first: order.len(),
            graph: order,
            tasks: Vec::new(),
            gates: BTreeMap::new(),
            providers: BTreeMap::new(),
            blocks: None,
        }
    }

    /// The task where the objects of a block are created and changed.
    fn node(&self, block: &ConfigResource) -> Option<Task> {
        match &self.blocks {
            Some(blocks) => blocks.get(block).copied(),
            None => self.program.resource_node(block).map(|node| node.0 as usize),
        }
    }

    /// Makes a task of each block whose objects are created or changed, which waits for those it was made from.
    fn add_blocks(&mut self, plan: &Plan) {
        let mut blocks: BTreeMap<ConfigResource, Task> = BTreeMap::new();
        let mut waits: BTreeSet<(Task, Task)> = BTreeSet::new();
        for change in plan.changes.iter().filter(|change| is_at_node(change)) {
            let block = change.address.config();
            let task = match blocks.get(&block) {
                Some(task) => *task,
                None => {
                    let task = self.add(Extra::Block(block.clone()));
                    blocks.insert(block, task);
                    task
                }
            };
            let provider = self.provider(&change.provider);
            waits.insert((task, provider));
        }
        for change in plan.changes.iter().filter(|change| is_at_node(change)) {
            let task = blocks[&change.address.config()];
            let made_from = change.dependencies.iter().filter_map(|block| blocks.get(block));
            waits.extend(made_from.filter(|other| **other != task).map(|other| (task, *other)));
        }
        waits.into_iter().for_each(|(task, other)| self.graph.wait(task, other, 0));
        self.blocks = Some(blocks);
    }

    fn order(mut self, plan: &Plan) -> Steps {
        for change in plan.changes.iter().filter(|change| change.action.deletes()) {
            self.gate(&change.address.config());
        }
        if !self.gates.is_empty() {
            self.wait_for_references(plan);
        }
        for change in &plan.changes {
            match change.action {
                Action::Delete | Action::DeleteThenCreate | Action::CreateThenDelete => self.delete(change),
                Action::Forget => {
                    self.add(Extra::Record(Arc::new(change.clone())));
                }
                Action::NoOp if self.is_unvisited(&change.address.config()) => {
                    // Without a block nothing visits it; only a refreshed record may have to be saved.
                    self.add(Extra::Record(Arc::new(change.clone())));
                }
                Action::NoOp | Action::Create | Action::Read | Action::Update => {}
            }
        }
        self.invoke_after(plan);
        Steps { graph: self.graph, tasks: self.tasks, first: self.first }
    }

    /// Makes a task for each resource after whose steps actions are invoked: it waits for the resource, and for all that
    /// the actions refer to.
    fn invoke_after(&mut self, plan: &Plan) {
        let after = plan.invocations.iter().filter_map(|invocation| invocation.triggered_by());
        let blocks: BTreeSet<ConfigResource> =
            after.filter(|(_, event)| !event.is_before()).map(|(resource, _)| resource.config()).collect();
        for id in blocks.iter().filter_map(|block| self.program.resource_node(block)) {
            let task = self.add(Extra::After(id));
            self.graph.wait(task, id.0 as usize, 0);
            for action in self.program.triggered(id) {
                self.graph.wait(task, action.0 as usize, 0);
            }
        }
    }

    /// Whether nothing visits the objects of a block that stay as they are.
    fn is_unvisited(&self, block: &ConfigResource) -> bool {
        self.blocks.is_some() || self.program.resource_node(block).is_none()
    }

    fn add(&mut self, extra: Extra) -> Task {
        self.tasks.push(extra);
        self.graph.extend(1)
    }

    fn gate(&mut self, block: &ConfigResource) -> (Task, Task) {
        if let Some(gates) = self.gates.get(block) {
            return *gates;
        }
        let deleted = self.add(Extra::Gate);
        let unreferenced = self.add(Extra::Gate);
        self.graph.wait(unreferenced, deleted, 0);
        self.gates.insert(block.clone(), (deleted, unreferenced));
        (deleted, unreferenced)
    }

    /// Makes the gates of each block wait for what refers to it: for the gates of blocks in between, and for the nodes
    /// of blocks whose objects referred to it when they were recorded.
    fn wait_for_references(&mut self, plan: &Plan) {
        let mut references: BTreeSet<(ConfigResource, ConfigResource)> = BTreeSet::new();
        for change in &plan.changes {
            let from = change.address.config();
            for to in &change.prior_dependencies {
                if *to != from {
                    references.insert((from.clone(), to.clone()));
                }
            }
        }
        for (from, to) in references {
            let (from_deleted, _) = self.gate(&from);
            let (to_deleted, to_unreferenced) = self.gate(&to);
            self.graph.wait(to_deleted, from_deleted, 0);
            if let Some(node) = self.node(&from) {
                self.graph.wait(to_unreferenced, node, 0);
            }
        }
    }

    fn delete(&mut self, change: &Change) {
        let block = change.address.config();
        let task = self.add(Extra::Delete(Arc::new(change.clone())));
        let (deleted, unreferenced) = self.gate(&block);
        let node = self.node(&block);
        match (change.action, node) {
            (Action::DeleteThenCreate, Some(node)) => {
                self.graph.wait(task, deleted, 0);
                self.graph.wait(node, task, 0);
            }
            (Action::CreateThenDelete, Some(node)) => {
                self.graph.wait(task, unreferenced, 0);
                self.graph.wait(task, node, 0);
            }
            _ => self.graph.wait(task, unreferenced, 0),
        }
        // What the object was made from can be deleted when it is.
        for to in &change.prior_dependencies {
            if *to != block
                && let Some((deleted, _)) = self.gates.get(to)
            {
                self.graph.wait(*deleted, task, 0);
            }
        }
        let provider = self.provider(&change.provider);
        self.graph.wait(task, provider, 0);
    }

    /// The task that makes a provider available.
    fn provider(&mut self, config: &ProviderConfig) -> Task {
        if let Some(NodeId(node)) = self.program.provider_node(config) {
            return node as usize;
        }
        if let Some(task) = self.providers.get(config) {
            return *task;
        }
        let task = self.add(Extra::Provider(config.clone()));
        self.providers.insert(config.clone(), task);
        task
    }
}
