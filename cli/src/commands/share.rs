//! `plumb providers link` and `serve`: the compiled-in providers for Terraform and OpenTofu.
//!
//! A linked provider is a script that starts Plumb, in the layout of a mirror, so that `terraform init` installs it like
//! any other. The script is the same whatever the version of Plumb does, and so is its hash in the lock file.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

use plumb_model::address::ProviderSource;
use plumb_model::{Diagnostic, Diagnostics, Sources};
use plumb_provider_install::Platform;

use crate::compiled;
use crate::ui::{Exit, Ui};

/// Serves a provider until its host ends it.
pub fn serve(name: &str, debug: bool, ui: &Ui) -> Exit {
    let served = find(name).and_then(|source| {
        if !debug && !plumb_provider_sdk::is_started_by_host() {
            let by_hand = Diagnostic::error("not-started-by-host", "No host started this provider")
                .detail("Found a person, wanted Terraform or OpenTofu, which start providers themselves.")
                .help("Run `plumb providers link DIRECTORY` to let them, or add `-debug` to try the provider by hand.");
            return Err(by_hand.into());
        }
        compiled::serve(&source)
    });
    match served {
        Ok(code) if code == ExitCode::SUCCESS => Exit::Done,
        Ok(_) => Exit::Error,
        Err(found) => failed(&found, ui),
    }
}

/// The provider of a name.
fn find(name: &str) -> Result<ProviderSource, Diagnostics> {
    let all = compiled::shareable();
    let found = all.into_iter().find(|source| source.kind == name);
    found.ok_or_else(|| match name {
        "terraform" => Diagnostic::error("provider-not-shareable", "Provider cannot be shared")
            .detail("The provider `terraform` is a part of Terraform and of OpenTofu too.")
            .into(),
        _ => compiled::unknown(name).into(),
    })
}

/// Makes a program for each provider.
pub fn link(directory: &Path, ui: &Ui) -> Exit {
    let done = std::env::current_exe().and_then(|plumb| {
        let directory = std::path::absolute(directory)?;
        let all = compiled::shareable();
        all.iter().try_for_each(|source| write(&directory, source, &plumb))?;
        Ok((directory, all))
    });
    match done {
        Ok((directory, all)) => {
            ui.result(&configuration(&directory, &all));
            let names: Vec<&str> = all.iter().map(|source| source.kind.as_str()).collect();
            ui.remark(&format!(
                "Linked {}. Add the lines above to ~/.terraformrc, or to the file that TF_CLI_CONFIG_FILE names; then name a provider by its address, such as {}.",
                names.join(", "),
                all.first().map(ToString::to_string).unwrap_or_default(),
            ));
            Exit::Done
        }
        Err(error) => {
            let wrong = Diagnostic::error("providers-not-linked", "Providers cannot be linked")
                .detail(format!("{}: {error}.", directory.display()))
                .help("Name a directory that can be written.");
            failed(&wrong.into(), ui)
        }
    }
}

fn failed(found: &Diagnostics, ui: &Ui) -> Exit {
    ui.diagnostics(found, &Sources::new());
    Exit::Error
}

/// Writes the program of a provider, where a mirror has it.
fn write(directory: &Path, source: &ProviderSource, plumb: &Path) -> io::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let ProviderSource { host, namespace, kind } = source;
    let folder =
        [host, namespace, kind].iter().fold(directory.to_owned(), |path, part| path.join(part.as_str()));
    let folder = folder.join(version).join(Platform::current().to_string());
    fs::create_dir_all(&folder)?;
    let program = folder.join(format!("terraform-provider-{kind}_v{version}"));
    let plumb = plumb.to_string_lossy().replace('\'', "'\\''");
    let script = format!(
        "#!/bin/sh\n# The provider `{kind}` that is compiled into Plumb. Written by `plumb providers link`.\nexec '{plumb}' providers serve {kind}\n"
    );
    fs::write(&program, script)?;
    make_executable(&program)
}

#[cfg(unix)]
fn make_executable(program: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_program: &Path) -> io::Result<()> {
    Err(io::Error::other("programs are shell scripts, which this system does not run"))
}

/// What tells Terraform where the programs are.
fn configuration(directory: &Path, all: &[ProviderSource]) -> String {
    let mut patterns: Vec<String> = all.iter().map(|s| format!("\"{}/{}/*\"", s.host, s.namespace)).collect();
    patterns.sort();
    patterns.dedup();
    let patterns = patterns.join(", ");
    let mut text = String::from("provider_installation {\n  filesystem_mirror {\n");
    let _ = writeln!(text, "    path    = {:?}", directory.to_string_lossy());
    let _ =
        writeln!(text, "    include = [{patterns}]\n  }}\n  direct {{\n    exclude = [{patterns}]\n  }}\n}}");
    text
}
