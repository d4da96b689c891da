//! The digest of a program, remembered for as long as the file is the same.
//!
//! Reading a large provider from beginning to end takes most of a second, so the digest is kept in a small file together with
//! what the file system says of the program: device, inode, size, and the times of the last change of content and of
//! anything.

use std::fs::{File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// The SHA-256 of a file in hexadecimal. What is remembered lies in `folder`; not being able to remember is no error.
///
/// # Errors
/// If the program cannot be read.
pub fn digest(program: &Path, folder: &Path) -> io::Result<String> {
    let program = program.canonicalize()?;
    let stamp = stamp(&program.metadata()?);
    let note = folder.join(hex(&Sha256::digest(program.as_os_str().as_encoded_bytes())));
    if let Ok(text) = std::fs::read_to_string(&note)
        && let Some((noted, digest)) = text.trim_end().rsplit_once(' ')
        && noted == stamp
    {
        return Ok(digest.to_owned());
    }
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(&program)?, &mut hasher)?;
    let digest = hex(&hasher.finalize());
    // The next command looks again.
    let _ = remember(&note, &format!("{stamp} {digest}\n"));
    Ok(digest)
}

fn stamp(metadata: &Metadata) -> String {
    format!(
        "{} {} {} {}.{} {}.{}",
        metadata.dev(),
        metadata.ino(),
        metadata.size(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec()
    )
}

fn remember(note: &Path, text: &str) -> io::Result<()> {
    let folder = note.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(note)?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_program_has_another_digest() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        let notes = folder.path().join("notes");
        std::fs::write(&program, "one").unwrap();
        let first = digest(&program, &notes).unwrap();
        assert_eq!(first, "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
        assert_eq!(digest(&program, &notes).unwrap(), first);
        std::fs::write(&program, "three").unwrap();
        assert_ne!(digest(&program, &notes).unwrap(), first);
    }
}
