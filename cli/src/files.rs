//! Writing files so that nobody ever sees half of one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file that only its owner can read, in one piece: it is complete under its name, or not there.
///
/// # Errors
/// What the operating system says.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    write(path, content, 0o600)
}

/// Writes a file that others may read, as far as the user lets them, in one piece.
///
/// # Errors
/// What the operating system says.
pub fn write_shared(path: &Path, content: &[u8]) -> io::Result<()> {
    write(path, content, 0o666)
}

fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    let mut fresh =
        tempfile::Builder::new().prefix(".plumb-").permissions(permissions).tempfile_in(directory)?;
    fresh.write_all(content)?;
    fresh.as_file().sync_all()?;
    fresh.persist(path).map_err(|e| e.error)?;
    File::open(directory)?.sync_all()
}

/// The content of a file, if there is one.
///
/// # Errors
/// What the operating system says, except that there is no such file.
pub fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
