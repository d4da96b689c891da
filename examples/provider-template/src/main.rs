//! The program that Plumb, Terraform and OpenTofu start.

use std::process::ExitCode;

use terraform_provider_shelf::{ADDRESS, provider};

fn main() -> ExitCode {
    plumb_provider_sdk::serve(ADDRESS, provider())
}
