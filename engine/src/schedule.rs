//! Doing tasks in order, many at a time.
//!
//! A [`Coordinator`] owns everything that is known; [`drive`] tells it when a task may start. What it can do at once it
//! does; what takes time it queues as work, and from the queue a bounded number runs as futures that own what they
//! need. So memory is needed for what runs, not for what is to be done, nothing is locked, and nothing recurses.
//!
//! A task that fails takes those with it that wait for it: they are not started, and the coordinator is told once of
//! each.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::cancel::{Cancel, Urgency};
use crate::event::Event;
use crate::graph::{Graph, Progress, Task};

/// How often those who watch are told what is still running.
const TICK: Duration = Duration::from_secs(10);

/// What runs: it ends with the task that it belongs to and its result.
pub(crate) type Running<D> = BoxFuture<'static, (Task, D)>;

/// The tasks that are ready, the work that waits, and what runs.
pub(crate) struct Schedule<W, D> {
    queue: VecDeque<(Task, W)>,
    slots: FuturesUnordered<Running<D>>,
    limit: usize,
    /// Of each started task: how much of its work is not done.
    left: HashMap<Task, usize>,
    ready: VecDeque<Task>,
    /// By task: which failed task it goes back to.
    failed: Vec<Option<Task>>,
    /// Whether nothing new may begin.
    halted: bool,
    /// What futures tell while they run.
    notices: (UnboundedSender<Event>, UnboundedReceiver<Event>),
}

impl<W, D> Schedule<W, D> {
    /// Nothing is ready yet; at most `limit` futures are going to run at once.
    pub fn new(limit: usize) -> Schedule<W, D> {
        Schedule {
            queue: VecDeque::new(),
            slots: FuturesUnordered::new(),
            limit: limit.max(1),
            left: HashMap::new(),
            ready: VecDeque::new(),
            failed: Vec::new(),
            halted: false,
            notices: unbounded_channel(),
        }
    }

    /// Where a future tells what happens while it runs.
    pub fn notifier(&self) -> UnboundedSender<Event> {
        self.notices.0.clone()
    }

    /// Adds work to a task that has been started.
    pub fn push(&mut self, task: Task, work: W) {
        *self.left.entry(task).or_default() += 1;
        self.queue.push_back((task, work));
    }

    /// Says that a task failed.
    pub fn fail(&mut self, task: Task) {
        self.failed[task].get_or_insert(task);
    }

    /// Begins nothing new from now on; what runs comes to its end.
    pub fn halt(&mut self) {
        self.halted = true;
    }

    /// The failed task that a task goes back to, if it failed itself or waits for one that did.
    pub fn failure(&self, task: Task) -> Option<Task> {
        self.failed.get(task).copied().flatten()
    }

    fn one_less(&mut self, task: Task) {
        if let Some(left) = self.left.get_mut(&task) {
            *left -= 1;
        }
    }

    /// Passes on that a task is done, if it is.
    fn release(&mut self, task: Task, progress: &mut Progress) {
        if self.left.get(&task).is_some_and(|left| *left > 0) {
            return;
        }
        self.left.remove(&task);
        if let Some(cause) = self.failed[task] {
            for next in progress.graph().dependents(task) {
                self.failed[next].get_or_insert(cause);
            }
        }
        self.ready.extend(progress.done(task));
    }
}

/// Who owns what is known, and decides what to do for a task.
pub(crate) trait Coordinator {
    /// Something to do for a task.
    type Work;
    /// What comes of it.
    type Done;

    /// The schedule.
    fn schedule(&mut self) -> &mut Schedule<Self::Work, Self::Done>;

    /// A task is ready: do what can be done at once, and push the rest.
    fn start(&mut self, task: Task);

    /// A task is not started since `cause` failed.
    fn skip(&mut self, task: Task, cause: Task);

    /// There is a slot for work; `None` if there is nothing to wait for.
    fn begin(&mut self, task: Task, work: Self::Work) -> Option<Running<Self::Done>>;

    /// Work is done.
    fn end(&mut self, task: Task, done: Self::Done);

    /// What a running future tells.
    fn notice(&mut self, _: Event) {}

    /// Time has passed: say what is still running.
    fn tick(&mut self) {}

    /// Stopping has been asked for. With [`Urgency::Graceful`] nothing new begins and this is called once; what runs
    /// is waited for if the coordinator says so.
    fn cancelled(&mut self, urgency: Urgency) -> bool;
}

/// Does all tasks of a graph, as far as they do not fail and nobody cancels.
pub(crate) async fn drive(coordinator: &mut impl Coordinator, graph: &Graph, mut cancel: Cancel) {
    let (mut progress, ready) = Progress::start(graph);
    let schedule = coordinator.schedule();
    schedule.failed = vec![None; graph.len()];
    schedule.ready.extend(ready);
    let mut urgency = Urgency::None;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        if urgency == Urgency::None {
            begin_all(coordinator, &mut progress);
        }
        let Schedule { slots, notices: (_, notices), .. } = coordinator.schedule();
        let done = tokio::select! {
            // Cancelling comes first; what a future told comes before its end.
            biased;
            more = cancel.more_urgent(urgency) => {
                urgency = more;
                if !coordinator.cancelled(urgency) || urgency == Urgency::Immediate {
                    return;
                }
                continue;
            }
            Some(event) = notices.recv() => {
                coordinator.notice(event);
                continue;
            }
            _ = ticks.tick() => {
                coordinator.tick();
                continue;
            }
            next = slots.next() => next,
        };
        let Some((task, done)) = done else { return };
        while let Ok(event) = coordinator.schedule().notices.1.try_recv() {
            coordinator.notice(event);
        }
        coordinator.end(task, done);
        coordinator.schedule().one_less(task);
        coordinator.schedule().release(task, &mut progress);
    }
}

/// Starts what is ready and fills the slots, until nothing more can begin.
fn begin_all<C: Coordinator>(coordinator: &mut C, progress: &mut Progress) {
    while !coordinator.schedule().halted {
        while let Some(task) = coordinator.schedule().ready.pop_front() {
            match coordinator.schedule().failure(task) {
                Some(cause) => coordinator.skip(task, cause),
                None => coordinator.start(task),
            }
            coordinator.schedule().release(task, progress);
        }
        let schedule = coordinator.schedule();
        if schedule.slots.len() >= schedule.limit {
            return;
        }
        let Some((task, work)) = schedule.queue.pop_front() else { return };
        match coordinator.begin(task, work) {
            Some(future) => coordinator.schedule().slots.push(future),
            None => {
                coordinator.schedule().one_less(task);
                coordinator.schedule().release(task, progress);
            }
        }
    }
}
