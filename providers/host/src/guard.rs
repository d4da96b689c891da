//! No plugin outlives its host, however the host ends.
//!
//! The kernel can be asked to kill a process when its parent dies, but only by the process itself, before it becomes
//! the plugin. So the host starts its own program once more under the name [`NAME`]: that first thing in `main`,
//! [`enter`], asks the kernel and then becomes the plugin. Process identifier, standard streams and environment stay
//! the same. The request is bound to the thread that started the process, which is why [`crate::process`] starts all
//! plugins from one thread that never ends.
//!
//! A program that does not call [`enter`] gets plugins without this protection: they then end with their host
//! only as long as it can tell them to. So do hosts on systems other than Linux, Android and FreeBSD.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

/// The name under which the guard is started.
pub const NAME: &str = "plumb-plugin-guard";

/// What a shell reports for a program that it cannot start.
const CANNOT_START: u8 = 127;

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// To be called first in `main`. If this process was started as a guard, it becomes the plugin, and what is returned is the
/// exit code for when that fails; otherwise this program is remembered as the one to start guards with.
pub fn enter() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    if arguments.next().is_some_and(|name| name == NAME) {
        return Some(become_plugin(arguments));
    }
    if let Ok(program) = std::env::current_exe() {
        // The link leads to this program also after the file was replaced by a newer one.
        let link = Path::new("/proc/self/exe");
        use_program(if link.exists() { link.to_owned() } else { program });
    }
    None
}

/// Starts guards with another program, which calls [`enter`]. The first program that is named stays.
pub fn use_program(program: PathBuf) {
    PROGRAM.get_or_init(|| program);
}

/// The program that starts guards, if there is one.
pub(crate) fn program() -> Option<&'static Path> {
    PROGRAM.get().map(PathBuf::as_path)
}

/// The arguments of a guard: who must be alive, and what to become.
pub(crate) fn arguments(plugin: &Path) -> [OsString; 2] {
    [std::process::id().to_string().into(), plugin.into()]
}

#[expect(clippy::print_stderr, reason = "standard error is where the host looks for the reason")]
fn become_plugin(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let host = arguments.next().and_then(|id| id.to_str().and_then(|id| id.parse::<u32>().ok()));
    let (Some(host), Some(plugin)) = (host, arguments.next()) else {
        eprintln!("{NAME} is started by Plumb, not by hand");
        return ExitCode::FAILURE;
    };
    die_with_parent();
    // The host may have ended before the kernel was asked.
    if std::os::unix::process::parent_id() != host {
        return ExitCode::FAILURE;
    }
    let error = std::os::unix::process::CommandExt::exec(std::process::Command::new(&plugin).args(arguments));
    eprintln!("cannot start {}: {error}", plugin.display());
    ExitCode::from(CANNOT_START)
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn die_with_parent() {
    // Kernels that refuse leave the plugin as it would be without the guard.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn die_with_parent() {}
