//! The hashes by which packages are known: `zh:` of the archive, `h1:` of the files in it.
//!
//! `h1:` is the same for an archive and for the folder that it was unpacked into: names and contents count; folders,
//! modes and times do not.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of what is read, in hexadecimal.
///
/// # Errors
/// If reading fails.
pub fn sha256(mut content: impl Read) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut content, &mut hasher)?;
    Ok(hex(&hasher.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The `zh:` hash of an archive.
///
/// # Errors
/// If it cannot be read.
pub fn archive(path: &Path) -> io::Result<String> {
    Ok(format!("zh:{}", sha256(File::open(path)?)?))
}

/// The `h1:` hash of a folder.
///
/// # Errors
/// If something in it cannot be read, or has a line break in its name.
pub fn folder(path: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    for (name, path) in files_in(path)? {
        files.push((name, sha256(File::open(&path)?)?));
    }
    summary(files)
}

/// The same, remembered for as long as the file system says that every file is what it was: its inode, size, and the
/// times at which its content and anything about it last changed. Large providers take seconds to read.
///
/// # Errors
/// As [`folder`]; not being able to remember is no error.
pub fn remembered(path: &Path, notes: &Path) -> io::Result<String> {
    let mut stamp = Sha256::new();
    for (name, path) in files_in(path)? {
        let about = path.metadata()?;
        let changed = [about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec()];
        stamp.update(format!("{name}\n{} {} {} {changed:?}\n", about.dev(), about.ino(), about.size()));
    }
    let note = notes.join(hex(&stamp.finalize()));
    if let Ok(hash) = std::fs::read_to_string(&note)
        && hash.starts_with("h1:")
    {
        return Ok(hash);
    }
    let hash = folder(path)?;
    // The next command reads the files again.
    let _ = remember(&note, &hash);
    Ok(hash)
}

/// Notes that what has this `h1:` hash was unpacked from an archive with this `zh:` hash. A lock file that was made for another
/// platform knows only the second, by which a folder cannot be recognised.
///
/// # Errors
/// If the note cannot be written.
pub fn vouch(notes: &Path, contents: &str, archive: &str) -> io::Result<()> {
    remember(&voucher(notes, contents)?, archive)
}

/// The `zh:` hash of the archive that what has this `h1:` hash was unpacked from, if that was noted.
pub fn vouched(notes: &Path, contents: &str) -> Option<String> {
    let archive = std::fs::read_to_string(voucher(notes, contents).ok()?).ok()?;
    archive.starts_with("zh:").then_some(archive)
}

fn voucher(notes: &Path, contents: &str) -> io::Result<PathBuf> {
    Ok(notes.join(format!("{}-archive", sha256(contents.as_bytes())?)))
}

fn remember(note: &Path, hash: &str) -> io::Result<()> {
    let notes = note.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(notes)?;
    let mut file = tempfile::NamedTempFile::new_in(notes)?;
    file.write_all(hash.as_bytes())?;
    file.persist(note)?;
    Ok(())
}

/// The names and paths of the files in a folder, at any depth, by name.
fn files_in(path: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let root = path.canonicalize()?;
    let mut files = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
                continue;
            }
            let path = entry.path();
            let name = path.strip_prefix(&root).expect("the walk stays within the root");
            let name = name.to_str().ok_or_else(|| io::Error::other("a file name is not UTF-8"))?;
            files.insert(name.to_owned(), path);
        }
    }
    Ok(files)
}

/// The `h1:` hash of what an archive would unpack to.
///
/// # Errors
/// If it is no archive, or something in it cannot be read.
pub fn archive_contents(path: &Path) -> io::Result<String> {
    let mut archive = zip::ZipArchive::new(File::open(path)?).map_err(io::Error::other)?;
    let mut files = Vec::new();
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(io::Error::other)?;
        let name = entry.name().map_err(io::Error::other)?.into_owned();
        if !name.ends_with('/') {
            files.push((name, sha256(entry)?));
        }
    }
    summary(files)
}

fn summary(mut files: Vec<(String, String)>) -> io::Result<String> {
    files.sort();
    let mut hasher = Sha256::new();
    for (name, hash) in files {
        if name.contains('\n') {
            return Err(io::Error::other(format!("the file name {name:?} has a line break")));
        }
        hasher.update(format!("{hash}  {name}\n"));
    }
    Ok(format!("h1:{}", STANDARD.encode(hasher.finalize())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_folder_has_the_known_hash() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(super::folder(folder.path()).unwrap(), "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn a_changed_folder_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (content, notes) = (folder.path().join("content"), folder.path().join("notes"));
        std::fs::create_dir(&content).unwrap();
        std::fs::write(content.join("a"), "one").unwrap();
        let first = remembered(&content, &notes).unwrap();
        assert_eq!(first, super::folder(&content).unwrap());
        assert_eq!(remembered(&content, &notes).unwrap(), first);
        std::fs::write(content.join("a"), "two").unwrap();
        assert_eq!(remembered(&content, &notes).unwrap(), super::folder(&content).unwrap());
    }

    #[test]
    fn archive_and_folder_agree() {
        let folder = tempfile::tempdir().unwrap();
        let content = folder.path().join("content");
        std::fs::create_dir_all(content.join("docs")).unwrap();
        std::fs::write(content.join("b"), "two").unwrap();
        std::fs::write(content.join("docs/a"), "one").unwrap();
        let path = folder.path().join("a.zip");
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        zip.add_directory("docs/", options).unwrap();
        for (name, text) in [("docs/a", "one"), ("b", "two")] {
            zip.start_file(name, options).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        assert_eq!(super::folder(&content).unwrap(), archive_contents(&path).unwrap());
    }
}
