//! Serves a small JSON API on this machine, so that `examples/contact-centre` can be tried without an account anywhere.
//!
//! `cargo run --example json-api` listens on port 8181 and wants the bearer token `secret`. Objects are kept in memory.
#![allow(clippy::print_stdout)]

#[path = "../tests/support/api.rs"]
mod api;

fn main() -> std::io::Result<()> {
    let api = api::Api::start(8181, "secret")?;
    println!(
        "Serving {} with the token `secret`, and {} object. Ctrl-C ends it.",
        api.url(),
        api.objects().len()
    );
    loop {
        std::thread::park();
    }
}
