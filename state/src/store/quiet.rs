//! Calls into code that may panic on damaged files.
//!
//! sled checks much of what it reads by assertion. What it finds is damage on disk, not a bug of ours, and ends as an
//! error like any other; the message of the panic would only frighten, so it is kept out of the terminal.

use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
    thread,
};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs `call`; a panic becomes an error with its message, and is not printed. So do panics of sled's own threads.
pub(super) fn guard<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let of_sled = thread::current().name().is_some_and(|name| name.starts_with("sled-"));
            if !of_sled && !QUIET.get() {
                previous(info);
            }
        }));
    });
    let before = QUIET.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    QUIET.set(before);
    result.map_err(|payload| message(&*payload))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("it panicked").to_owned()
}

#[cfg(test)]
mod tests {
    use super::guard;

    #[test]
    fn a_panic_becomes_an_error() {
        assert_eq!(guard(|| 1), Ok(1));
        assert_eq!(guard(|| panic!("page {} is gone", 3)), Err::<(), _>("page 3 is gone".to_owned()));
    }
}
