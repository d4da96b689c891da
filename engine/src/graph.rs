//! In which order things can be done. The only place that knows petgraph.
//!
//! A [`Graph`] is built once from numbered tasks and edges "waits for"; [`Progress`] then says which tasks are ready,
//! in constant time for each task and edge. Nothing here recurses, so a chain of any length is fine.

use petgraph::algo::{kosaraju_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

/// A task, numbered from 0.
pub type Task = usize;

/// Tasks, and which of them wait for which.
#[derive(Debug, Default)]
pub struct Graph {
    /// Edges lead from what is waited for to what waits; the weight is the caller's number of the edge.
    inner: DiGraph<(), usize, u32>,
}

/// An edge of a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CycleEdge {
    /// What waits.
    pub from: Task,
    /// What it waits for.
    pub to: Task,
    /// The number that the caller gave the edge.
    pub edge: usize,
}

impl Graph {
    /// A graph of that many tasks, none of which waits.
    pub fn new(tasks: usize) -> Graph {
        let mut inner = DiGraph::with_capacity(tasks, tasks * 2);
        for _ in 0..tasks {
            inner.add_node(());
        }
        Graph { inner }
    }

    /// Adds tasks, none of which waits; gives the number of the first.
    pub fn extend(&mut self, tasks: usize) -> Task {
        let first = self.len();
        for _ in 0..tasks {
            self.inner.add_node(());
        }
        first
    }

    /// Says that `from` waits for `to`; `edge` is a number by which the caller knows why.
    pub fn wait(&mut self, from: Task, to: Task, edge: usize) {
        self.inner.add_edge(NodeIndex::new(to), NodeIndex::new(from), edge);
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.inner.node_count()
    }

    /// Whether there is no task.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tasks that wait for a task directly.
    pub fn dependents(&self, task: Task) -> impl Iterator<Item = Task> {
        self.inner.neighbors(NodeIndex::new(task)).map(NodeIndex::index)
    }

    /// Cycles, each as the edges of one closed way; empty if there is an order.
    ///
    /// Of several cycles through the same tasks one is given, which is enough to break it.
    pub fn cycles(&self) -> Vec<Vec<CycleEdge>> {
        if toposort(&self.inner, None).is_ok() {
            return Vec::new();
        }
        let mut cycles: Vec<_> = kosaraju_scc(&self.inner)
            .into_iter()
            .filter(|tasks| tasks.len() > 1 || self.inner.contains_edge(tasks[0], tasks[0]))
            .map(|tasks| self.shortest_cycle(&tasks))
            .collect();
        cycles.sort_by_key(|cycle| cycle.iter().map(|e| e.from).min());
        cycles
    }

    /// A shortest closed way from the first task of a strongly connected set, by breadth first search.
    fn shortest_cycle(&self, set: &[NodeIndex]) -> Vec<CycleEdge> {
        let start = *set.iter().min().expect("a strongly connected set has a task");
        let within: std::collections::HashSet<_> = set.iter().copied().collect();
        let mut reached_by = std::collections::HashMap::new();
        let mut queue = std::collections::VecDeque::from([start]);
        while let Some(task) = queue.pop_front() {
            for edge in self.inner.edges(task).filter(|e| within.contains(&e.target())) {
                if edge.target() == start {
                    let mut way =
                        vec![CycleEdge { from: start.index(), to: task.index(), edge: *edge.weight() }];
                    let mut at = task;
                    while at != start {
                        let (before, number) = reached_by[&at];
                        way.push(CycleEdge { from: at.index(), to: NodeIndex::index(before), edge: number });
                        at = before;
                    }
                    return way;
                }
                if edge.target() != start && !reached_by.contains_key(&edge.target()) {
                    reached_by.insert(edge.target(), (task, *edge.weight()));
                    queue.push_back(edge.target());
                }
            }
        }
        unreachable!("every task of a strongly connected set lies on a cycle")
    }
}

/// How far the tasks of a graph are done.
#[derive(Debug)]
pub struct Progress<'g> {
    graph: &'g Graph,
    waiting_for: Vec<u32>,
}

impl<'g> Progress<'g> {
    /// Nothing is done yet. Gives also the tasks that are ready at once, in order.
    pub fn start(graph: &'g Graph) -> (Progress<'g>, Vec<Task>) {
        let waiting_for: Vec<u32> = graph
            .inner
            .node_indices()
            .map(|n| graph.inner.neighbors_directed(n, petgraph::Incoming).count() as u32)
            .collect();
        let ready = waiting_for.iter().enumerate().filter(|(_, n)| **n == 0).map(|(t, _)| t).collect();
        (Progress { graph, waiting_for }, ready)
    }

    /// The graph.
    pub fn graph(&self) -> &'g Graph {
        self.graph
    }

    /// A task is done. Gives the tasks that are ready because of it, in order.
    pub fn done(&mut self, task: Task) -> Vec<Task> {
        let mut ready: Vec<Task> = Vec::new();
        for dependent in self.graph.dependents(task) {
            self.waiting_for[dependent] -= 1;
            if self.waiting_for[dependent] == 0 {
                ready.push(dependent);
            }
        }
        ready.sort_unstable();
        ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_become_ready_when_all_they_wait_for_is_done() {
        let mut graph = Graph::new(4);
        graph.wait(2, 0, 0);
        graph.wait(2, 1, 1);
        graph.wait(3, 2, 2);
        let (mut progress, ready) = Progress::start(&graph);
        assert_eq!(ready, [0, 1]);
        assert!(progress.done(0).is_empty());
        assert_eq!(progress.done(1), [2]);
        assert_eq!(progress.done(2), [3]);
    }

    #[test]
    fn a_cycle_is_given_edge_by_edge() {
        let mut graph = Graph::new(5);
        graph.wait(0, 1, 10);
        graph.wait(1, 2, 11);
        graph.wait(2, 0, 12);
        graph.wait(3, 0, 13);
        graph.wait(4, 4, 14);
        let cycles = graph.cycles();
        assert_eq!(cycles.len(), 2);
        for edge in &cycles[0] {
            assert_eq!(edge.to, (edge.from + 1) % 3);
            assert_eq!(edge.edge, 10 + edge.from);
        }
        assert_eq!(cycles[1], [CycleEdge { from: 4, to: 4, edge: 14 }]);
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let mut graph = Graph::new(200_000);
        for task in 1..200_000 {
            graph.wait(task, task - 1, 0);
        }
        assert!(graph.cycles().is_empty());
        graph.wait(0, 199_999, 0);
        assert_eq!(graph.cycles()[0].len(), 200_000);
    }
}
