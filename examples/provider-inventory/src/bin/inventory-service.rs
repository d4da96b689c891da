//! Runs the service: `inventory-service PORT TOKEN`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program for people who try the example"
)]

use std::process::ExitCode;

use provider_inventory::service::Service;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, token] = arguments.as_slice() else {
        eprintln!("Found {} arguments, wanted two: a port and a token.", arguments.len());
        return ExitCode::FAILURE;
    };
    match port
        .parse()
        .map_err(|e| format!("{e}"))
        .and_then(|port| Service::start(port, token).map_err(|e| e.to_string()))
    {
        Ok(service) => {
            println!("The inventory is at {}.", service.url());
            loop {
                std::thread::park();
            }
        }
        Err(problem) => {
            eprintln!("The service cannot listen on port {port}: {problem}.");
            ExitCode::FAILURE
        }
    }
}
