//! A compiled-in provider, served as a plugin: the tests run it under Plumb and under Terraform.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let provider = plumb_provider_builtin::lookup("random").expect("it is compiled in");
    plumb_provider_protocol::server::serve("example.com/plumb/random", provider).await
}
