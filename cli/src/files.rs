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

/// Replaces a file that is there in one piece; who may read and write it stays as it is. Of a link, what it leads to is
/// replaced.
///
/// # Errors
/// What the operating system says.
pub fn rewrite(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    let mode = std::os::unix::fs::PermissionsExt::mode(&permissions);
    write(&path, content, mode)?;
    // The user's mask has been taken off the mode of the new file.
    fs::set_permissions(&path, permissions)
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
