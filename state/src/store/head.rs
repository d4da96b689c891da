//! The third witness: a small file that says how far the store had come when it was last closed.
//!
//! Log and index can each lose their end without a trace, a file that is cut short at the border of two frames for
//! example. The head file tells that something is missing. It also holds the fingerprint of the closed index, so that an
//! index that is as it was left need not be checked entry by entry.
//!
//! It is the first file that a new store writes. Where it is missing or does not check, log and index have to agree.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::{StoreError, sled::Fingerprint};

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// The last commit at that time. There is at least this much.
    pub sequence: u64,
    /// The length of all keys and values then, in bytes.
    pub bytes: u64,
    /// The index as it was closed; none while it is open, and after a crash.
    pub index: Option<Fingerprint>,
}

impl Head {
    /// Reads the file. The inner error says in a few words why it does not help.
    ///
    /// # Errors
    /// What is there cannot be read.
    pub(super) fn read(path: &Path) -> Result<Result<Self, &'static str>, StoreError> {
        match fs::read(path) {
            Ok(text) => Ok(Self::parse(&text).ok_or("the head does not check")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Err("the head is missing")),
            Err(error) => Err(StoreError::io("read", path)(error)),
        }
    }

    /// One line of JSON and one with its checksum.
    fn parse(text: &[u8]) -> Option<Self> {
        let (json, checksum) = std::str::from_utf8(text).ok()?.strip_suffix('\n')?.rsplit_once('\n')?;
        let wanted = format!("{:08x}", crc32fast::hash(json.as_bytes()));
        if checksum != wanted { None } else { serde_json::from_str(json).ok() }
    }

    /// Writes the file in one piece.
    pub(super) fn write(&self, path: &Path) -> Result<(), StoreError> {
        let json = serde_json::to_string(self).expect("numbers and text keys are always JSON");
        let text = format!("{json}\n{:08x}\n", crc32fast::hash(json.as_bytes()));
        let fresh = path.with_extension("new");
        let write = || {
            let mut file = File::create(&fresh)?;
            file.write_all(text.as_bytes())?;
            // A machine that stops must not leave an empty file under the name.
            file.sync_data()
        };
        write().map_err(StoreError::io("write", &fresh))?;
        fs::rename(&fresh, path).map_err(StoreError::io("write", path))
    }
}
