//! Stopping: first gently, then at once.

use tokio::sync::watch;

/// How urgently a command is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Urgency {
    /// Not at all.
    #[default]
    None,
    /// Begin nothing new, let what runs end.
    Graceful,
    /// Wait for nothing. What runs stays in the journal, to be resolved by the next command.
    Immediate,
}

/// The end that asks to stop.
#[derive(Clone, Debug)]
pub struct Canceller(watch::Sender<Urgency>);

/// The end that is asked to stop.
#[derive(Clone, Debug)]
pub struct Cancel(watch::Receiver<Urgency>);

/// Both ends.
pub fn channel() -> (Canceller, Cancel) {
    let (sender, receiver) = watch::channel(Urgency::None);
    (Canceller(sender), Cancel(receiver))
}

impl Canceller {
    /// Asks once more: first to stop gently, then at once. Gives the urgency that holds now.
    pub fn press(&self) -> Urgency {
        self.0.send_modify(|urgency| {
            *urgency = if *urgency == Urgency::None { Urgency::Graceful } else { Urgency::Immediate };
        });
        *self.0.borrow()
    }
}

impl Cancel {
    /// Never asked to stop.
    pub fn never() -> Cancel {
        Cancel(watch::channel(Urgency::None).1)
    }

    /// How urgently to stop, now.
    pub fn urgency(&self) -> Urgency {
        *self.0.borrow()
    }

    /// Waits until there is more urgency than `than`; for ever if nobody can ask any more.
    pub async fn more_urgent(&mut self, than: Urgency) -> Urgency {
        loop {
            let urgency = self.urgency();
            if urgency > than {
                return urgency;
            }
            if self.0.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
