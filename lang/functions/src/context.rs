//! What functions may know of the world.

use std::time::SystemTime;

use ecow::EcoString;
use plumb_model::Value;

use crate::error::FunctionError;

/// What stands at a path; symbolic links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Nothing.
    Absent,
    /// A file.
    File,
    /// A directory.
    Directory,
    /// Something else: a device, a socket.
    Other,
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// A few words as an operating system has them: `no such file or directory`.
    pub text: EcoString,
    /// Whether there is nothing at the path.
    pub absent: bool,
}

/// What functions need of the world. Paths are absolute or relative to [`Context::working_directory`].
pub trait Context {
    /// The content of a file.
    ///
    /// # Errors
    /// The file does not exist or cannot be read.
    fn read_file(&self, path: &str) -> Result<Vec<u8>, FileError>;

    /// What stands at a path.
    fn file_kind(&self, path: &str) -> FileKind;

    /// The names in a directory with what they are, in any order.
    ///
    /// # Errors
    /// The directory does not exist or cannot be read.
    fn list_directory(&self, path: &str) -> Result<Vec<(EcoString, FileKind)>, FileError>;

    /// The working directory; absolute.
    fn working_directory(&self) -> String;

    /// The home directory of the user, if there is one.
    fn home_directory(&self) -> Option<String>;

    /// Whether functions whose result differs from call to call are unknown, as they are while planning.
    fn defers_impure(&self) -> bool;

    /// The present time.
    fn now(&self) -> SystemTime;

    /// The time that the plan was made; `None` while there is no plan.
    fn plan_time(&self) -> Option<SystemTime>;

    /// Fills the buffer with random bytes that nobody can predict.
    fn random(&self, bytes: &mut [u8]);

    /// Renders a template. `name` is shown in messages; `variables` is a map or an object whose names have been
    /// checked. A template of nothing but one interpolation gives the value of that, as a quoted string does.
    ///
    /// # Errors
    /// If the template is not one, or one of its expressions has no value.
    fn render_template(&self, source: &str, name: &str, variables: &Value) -> Result<Value, FunctionError>;

    /// Reads the definitions of variables in the native syntax, in which there are neither references nor calls.
    ///
    /// # Errors
    /// If the source does not consist of such definitions.
    fn read_definitions(&self, source: &str) -> Result<Value, FunctionError>;
}
