//! A world with nothing in it, while planning.

use std::time::{SystemTime, UNIX_EPOCH};

use ecow::EcoString;
use plumb_functions::{Context, FileError, FileKind, FunctionError};
use plumb_model::Value;

/// There are no files, and nothing impure is known.
pub struct Nothing;

impl Context for Nothing {
    fn read_file(&self, _: &str) -> Result<Vec<u8>, FileError> {
        Err(FileError { text: "no such file or directory".into(), absent: true })
    }

    fn file_kind(&self, _: &str) -> FileKind {
        FileKind::Absent
    }

    fn list_directory(&self, _: &str) -> Result<Vec<(EcoString, FileKind)>, FileError> {
        Err(FileError { text: "no such file or directory".into(), absent: true })
    }

    fn working_directory(&self) -> String {
        "/".to_owned()
    }

    fn home_directory(&self) -> Option<String> {
        None
    }

    fn defers_impure(&self) -> bool {
        true
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH
    }

    fn plan_time(&self) -> Option<SystemTime> {
        None
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }

    fn render_template(&self, _: &str, _: &str, _: &Value) -> Result<Value, FunctionError> {
        Err(FunctionError::failed("there are no templates here"))
    }

    fn read_definitions(&self, _: &str) -> Result<Value, FunctionError> {
        Err(FunctionError::failed("there are no definitions here"))
    }
}
