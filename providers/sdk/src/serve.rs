//! Serving a provider as a plugin, for Plumb, Terraform and OpenTofu.

use std::process::ExitCode;
use std::sync::Arc;

use plumb_provider_api::Provider;
use plumb_provider_protocol::server;
pub use plumb_provider_protocol::server::is_started_by_host;

use crate::log;

/// Serves a provider over protocol 6 until its host ends it. It is all that the `main` of a plugin needs:
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use plumb_provider_sdk::ProviderBuilder;
///
/// fn main() -> ExitCode {
///     plumb_provider_sdk::serve("example.com/acme/inventory", ProviderBuilder::new("inventory").build())
/// }
/// ```
///
/// `address` is what configurations name in `source`, and the program is called `terraform-provider-NAME`. Messages are
/// encrypted where the host asks for it, log lines go where it expects them ([`log`](crate::log)), and a panic in a call
/// is an error of that call alone.
///
/// Started by a person, the program says what it is and how to try it. Started with `-debug`, it serves one host after
/// another, and prints the `TF_REATTACH_PROVIDERS` with which they find it.
///
/// The exit code is a failure if a person started the program, or it could not serve; the reason is on standard error.
#[expect(clippy::print_stderr, reason = "the only place where a host or a person looks for the reason")]
pub fn serve(address: &str, provider: Arc<dyn Provider>) -> ExitCode {
    log::to_host(address.rsplit('/').next().unwrap_or(address));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cannot serve: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(server::serve(address, provider));
    // The host has ended the connection: nobody waits for calls that still run.
    runtime.shutdown_background();
    code
}
