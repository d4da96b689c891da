//! Waiting for an entry to be durable.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::StateError;

/// Whether an entry is on stable storage, or why it is not.
pub type Durable = Result<(), StateError>;

type Callback = Box<dyn FnOnce(Durable) + Send>;

enum Progress {
    Pending(Vec<Callback>),
    Done(Durable),
}

struct Inner {
    progress: Mutex<Progress>,
    done: Condvar,
}

/// A claim on an entry that is on its way to stable storage. It can be waited for, or ask to be called back; dropping
/// it changes nothing about the entry.
#[derive(Clone)]
pub struct Ticket(Arc<Inner>);

/// The other end of a ticket. Dropping it unused tells those who wait that the state was closed.
pub(super) struct Promise(Option<Arc<Inner>>);

/// A ticket and the promise to resolve it.
pub(super) fn ticket() -> (Ticket, Promise) {
    let inner = Arc::new(Inner { progress: Mutex::new(Progress::Pending(Vec::new())), done: Condvar::new() });
    (Ticket(inner.clone()), Promise(Some(inner)))
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Waits until the entry is durable. Blocks the thread: async code uses [`Ticket::on_durable`].
    ///
    /// # Errors
    /// The entry is not durable, and neither is any other of its group.
    pub fn wait(&self) -> Durable {
        let pending = |progress: &mut Progress| matches!(progress, Progress::Pending(_));
        let progress = self.0.done.wait_while(self.0.lock(), pending).unwrap_or_else(PoisonError::into_inner);
        match &*progress {
            Progress::Done(result) => result.clone(),
            Progress::Pending(_) => unreachable!("the wait ends when nothing is pending"),
        }
    }

    /// Calls `callback` once with the result: at once if it is known, otherwise from the thread that commits. It should
    /// do no more than pass the message on, since others wait behind it.
    pub fn on_durable(&self, callback: impl FnOnce(Durable) + Send + 'static) {
        let mut progress = self.0.lock();
        let result = match &mut *progress {
            Progress::Pending(callbacks) => return callbacks.push(Box::new(callback)),
            Progress::Done(result) => result.clone(),
        };
        drop(progress);
        callback(result);
    }

    /// The result, if it is known.
    pub fn result(&self) -> Option<Durable> {
        match &*self.0.lock() {
            Progress::Pending(_) => None,
            Progress::Done(result) => Some(result.clone()),
        }
    }
}

impl Promise {
    pub(super) fn resolve(mut self, result: Durable) {
        if let Some(inner) = self.0.take() {
            settle(&inner, result);
        }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some(inner) = self.0.take() {
            settle(&inner, Err(StateError::Closed));
        }
    }
}

fn settle(inner: &Inner, result: Durable) {
    let before = std::mem::replace(&mut *inner.lock(), Progress::Done(result.clone()));
    inner.done.notify_all();
    if let Progress::Pending(callbacks) = before {
        for callback in callbacks {
            callback(result.clone());
        }
    }
}
