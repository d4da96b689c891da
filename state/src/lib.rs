//! Records, journal, history, locks and the stores that hold them.
