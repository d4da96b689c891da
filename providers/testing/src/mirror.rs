//! A filesystem mirror of built providers, and the command-line configuration that names it.

use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A provider that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// Its address: `registry.terraform.io/hashicorp/time`.
    pub address: String,
    /// Under which version it is installed.
    pub version: String,
    /// The program.
    pub program: PathBuf,
}

/// The platform in the words of Go, which name the folders of a mirror.
fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}_{machine}")
}

/// Makes a mirror of these providers in a folder. What is given is the command-line configuration to name in
/// `TF_CLI_CONFIG_FILE`.
///
/// # Errors
/// If the folder cannot be written.
pub fn create(folder: &Path, providers: &[Built]) -> io::Result<PathBuf> {
    let mirror = folder.join("mirror");
    for Built { address, version, program } in providers {
        let place = mirror.join(address).join(version).join(platform());
        std::fs::create_dir_all(&place)?;
        let name = address.rsplit('/').next().unwrap_or(address);
        symlink(program, place.join(format!("terraform-provider-{name}_v{version}")))?;
    }
    let file = folder.join("terraformrc");
    std::fs::write(
        &file,
        format!("provider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n"),
    )?;
    Ok(file)
}
