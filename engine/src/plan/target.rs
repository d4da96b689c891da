//! `-target` and `-exclude`: which part of a program is planned.
//!
//! A target takes with it everything that it depends on; an exclusion takes with it everything that depends on it.
//! Where everything is to be deleted it is the other way round: what depends on a target goes with it, and what an
//! exclusion depends on stays with it. All this is decided for whole blocks first; [`Selection::instance`] then decides
//! for each instance of a selected block.

use plumb_model::address::{ConfigResource, Instance, Key, ProviderConfig, Target};
use plumb_semantics::program::{NodeId, NodeKind, Program};

/// Which nodes and instances are planned.
#[derive(Clone, Debug)]
pub struct Selection {
    nodes: Vec<bool>,
    /// Nodes that are themselves named, and not only needed by others: instances of these are filtered.
    named: Vec<bool>,
    /// Of a plan to delete, nodes whose instances all go; others are evaluated for these, and stay.
    deleted: Option<Vec<bool>>,
    targets: Vec<Target>,
    excludes: Vec<Target>,
}

impl Selection {
    /// Decides for all nodes; `destroying` says whether selected instances are to be deleted.
    pub fn new(program: &Program, targets: &[Target], excludes: &[Target], destroying: bool) -> Selection {
        let count = program.node_count();
        let mut selection = Selection {
            nodes: vec![targets.is_empty(); count],
            named: vec![false; count],
            deleted: None,
            targets: targets.to_vec(),
            excludes: excludes.to_vec(),
        };
        if destroying && !selection.is_everything() {
            selection.select_deletions(program);
            return selection;
        }
        if !targets.is_empty() {
            selection.select_targets(program);
        }
        if !excludes.is_empty() {
            selection.drop_excluded(program);
        }
        selection
    }

    /// Only some nodes and what they depend on.
    pub(crate) fn of_nodes(program: &Program, nodes: Vec<NodeId>) -> Selection {
        let mut selection = Selection {
            nodes: vec![false; program.node_count()],
            named: vec![false; program.node_count()],
            deleted: None,
            targets: Vec::new(),
            excludes: Vec::new(),
        };
        selection.select(program, nodes, |_| Vec::new());
        selection
    }

    /// Only what configures some providers.
    pub(crate) fn providers<'a>(
        program: &Program,
        providers: impl Iterator<Item = &'a ProviderConfig>,
    ) -> Selection {
        Selection::of_nodes(program, providers.filter_map(|config| program.provider_node(config)).collect())
    }

    /// Selects nodes, all that they depend on, and what else goes with each.
    fn select(
        &mut self,
        program: &Program,
        mut wanted: Vec<NodeId>,
        goes_with: impl Fn(NodeId) -> Vec<NodeId>,
    ) {
        while let Some(id) = wanted.pop() {
            if std::mem::replace(&mut self.nodes[id.0 as usize], true) {
                continue;
            }
            wanted.extend(program.dependencies(id).iter().map(|d| d.to));
            wanted.extend(goes_with(id));
        }
    }

    fn select_targets(&mut self, program: &Program) {
        let mut wanted: Vec<NodeId> = Vec::new();
        for (id, _) in program.nodes() {
            let block = block_of(program, id);
            if block.is_some_and(|block| self.targets.iter().any(|target| names_block(target, &block))) {
                self.named[id.0 as usize] = true;
                wanted.push(id);
            }
        }
        // What is invoked after a change goes with it.
        self.select(program, wanted, |id| program.triggered(id));
        // Outputs of the root show what they can: those that depend on nothing left out.
        for (id, node) in program.nodes() {
            if node.kind == NodeKind::Output
                && program.module(node.module).path.is_root()
                && program.dependencies(id).iter().all(|d| self.nodes[d.to.0 as usize])
            {
                self.nodes[id.0 as usize] = true;
            }
        }
    }

    fn select_deletions(&mut self, program: &Program) {
        let (dependents, dependencies) = (dependents(program), dependencies(program));
        let (mut going, mut staying, mut named) = (Vec::new(), Vec::new(), Vec::new());
        for (id, _) in program.nodes() {
            let Some(block) = block_of(program, id) else { continue };
            let is_named = |targets: &[Target]| targets.iter().any(|target| names_block(target, &block));
            if is_named(&self.targets) {
                going.extend(&dependents[id.0 as usize]);
                named.push(id);
            } else if is_named(&self.excludes) {
                staying.extend(&dependencies[id.0 as usize]);
                named.push(id);
            }
        }
        let mut deleted = vec![self.targets.is_empty(); program.node_count()];
        reach(going, &dependents, &mut deleted);
        let mut kept = vec![false; program.node_count()];
        reach(staying, &dependencies, &mut kept);
        deleted.iter_mut().zip(kept).for_each(|(deleted, kept)| *deleted &= !kept);
        named.iter().for_each(|id| self.named[id.0 as usize] = true);
        if !self.excludes.is_empty() {
            // Of what is named, the instances that are not excluded go, unless something that stays needs them.
            named.retain(|id| deleted[id.0 as usize]);
            self.named.fill(false);
            named.iter().for_each(|id| self.named[id.0 as usize] = true);
            named.iter().for_each(|id| deleted[id.0 as usize] = false);
        }
        let gone = program.nodes().map(|(id, _)| id).filter(|id| deleted[id.0 as usize]);
        reach(gone.chain(named).collect(), &dependencies, &mut self.nodes);
        self.deleted = Some(deleted);
    }

    fn drop_excluded(&mut self, program: &Program) {
        let dependents = dependents(program);
        let mut dropped: Vec<NodeId> = Vec::new();
        for (id, _) in program.nodes() {
            let Some(block) = block_of(program, id) else { continue };
            let whole = |target: &Target| match target {
                Target::Module(_) => names_block(target, &block),
                // Excluding one instance leaves the others of its block, and what depends on them.
                Target::Resource(instance) => instance.key == Key::None && names_block(target, &block),
            };
            if self.excludes.iter().any(whole) {
                dropped.push(id);
            }
            if self.excludes.iter().any(|target| names_block(target, &block)) {
                self.named[id.0 as usize] = true;
            }
        }
        let mut seen = vec![false; program.node_count()];
        while let Some(id) = dropped.pop() {
            if std::mem::replace(&mut seen[id.0 as usize], true) {
                continue;
            }
            self.nodes[id.0 as usize] = false;
            dropped.extend(&dependents[id.0 as usize]);
        }
    }

    /// Whether a node is planned or evaluated at all.
    pub fn node(&self, id: NodeId) -> bool {
        self.nodes[id.0 as usize]
    }

    /// Whether an instance of a node is planned.
    pub fn instance(&self, id: NodeId, address: &Instance) -> bool {
        let named = self.named[id.0 as usize] && self.address(address);
        match &self.deleted {
            Some(deleted) => deleted[id.0 as usize] || named,
            None => self.node(id) && (!self.named[id.0 as usize] || named),
        }
    }

    /// Whether an instance that no block declares is planned.
    pub fn orphan(&self, address: &Instance) -> bool {
        self.address(address)
    }

    fn address(&self, address: &Instance) -> bool {
        (self.targets.is_empty() || self.targets.iter().any(|target| target.contains(address)))
            && !self.excludes.iter().any(|target| target.contains(address))
    }

    /// Whether everything is planned.
    pub fn is_everything(&self) -> bool {
        self.targets.is_empty() && self.excludes.is_empty()
    }
}

/// For each node, those that it depends on.
fn dependencies(program: &Program) -> Vec<Vec<NodeId>> {
    program.nodes().map(|(id, _)| program.dependencies(id).iter().map(|d| d.to).collect()).collect()
}

/// For each node, those that depend on it.
fn dependents(program: &Program) -> Vec<Vec<NodeId>> {
    let mut dependents: Vec<Vec<NodeId>> = vec![Vec::new(); program.node_count()];
    for (id, _) in program.nodes() {
        for dependency in program.dependencies(id) {
            dependents[dependency.to.0 as usize].push(id);
        }
    }
    dependents
}

/// Marks what can be reached along edges, from nodes that are not marked yet.
fn reach(mut from: Vec<NodeId>, edges: &[Vec<NodeId>], reached: &mut [bool]) {
    while let Some(id) = from.pop() {
        if !std::mem::replace(&mut reached[id.0 as usize], true) {
            from.extend(&edges[id.0 as usize]);
        }
    }
}

fn block_of(program: &Program, id: NodeId) -> Option<ConfigResource> {
    let node = program.node(id);
    let resource = program.resource(id)?.resource.clone();
    Some(ConfigResource { module: program.module(node.module).path.clone(), resource })
}

/// Whether a target is, or may contain, instances of a block.
fn names_block(target: &Target, block: &ConfigResource) -> bool {
    match target {
        Target::Module(module) => block.module.0.starts_with(&module.path().0),
        Target::Resource(instance) => instance.config() == *block,
    }
}
