//! The hashes by which packages are known: `zh:` of the archive, `h1:` of the files in it.
//!
//! `h1:` is the same for an archive and for the folder that it was unpacked into: names and contents count; folders,
//! modes and times do not.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

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
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
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
    let root = path.canonicalize()?;
    let mut files = Vec::new();
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
            files.push((name.to_owned(), sha256(File::open(&path)?)?));
        }
    }
    summary(files)
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
        let name = entry.name().to_owned();
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
    use std::io::Write as _;

    use super::*;

    #[test]
    fn an_empty_folder_has_the_known_hash() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(super::folder(folder.path()).unwrap(), "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
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
