//! Files on disk: looking, writing whole, deleting with the directories that were made for them.
//!
//! A file is written under a name that is derived from its own, made durable, and renamed; where directories above it are
//! missing, that is done with the topmost of them and the file in it. Whoever is killed meanwhile leaves at most what has
//! that name, and the next write or deletion of the same path removes it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use plumb_model::{Diagnostic, Diagnostics};
use sha2::{Digest as _, Sha256};

/// Larger files are known by their digests alone.
const MAX_CONTENT: u64 = 16 * 1024 * 1024;

/// What tells contents apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digests {
    pub size: u64,
    pub sha256: String,
    pub base64sha256: String,
    pub md5: String,
}

impl Digests {
    pub(super) fn of(bytes: &[u8]) -> Digests {
        Digests::from_parts(bytes.len() as u64, Sha256::new_with_prefix(bytes), Md5::new_with_prefix(bytes))
    }

    fn from_parts(size: u64, sha256: Sha256, md5: Md5) -> Digests {
        let sha256 = sha256.finalize();
        Digests {
            size,
            base64sha256: STANDARD.encode(sha256),
            sha256: hex::encode(sha256),
            md5: hex::encode(md5.finalize()),
        }
    }
}

/// A file that is there.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub digests: Digests,
    /// Permission bits.
    pub mode: u32,
    /// The content, unless it is too large.
    pub content: Option<Vec<u8>>,
}

/// An error of the operating system in a few words.
pub(super) fn describe(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "it does not exist".into(),
        ErrorKind::PermissionDenied => "permission denied".into(),
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only".into(),
        ErrorKind::StorageFull => "no space is left".into(),
        _ => error.to_string(),
    }
}

fn trouble(what: &'static str, path: &Path, error: &io::Error) -> Diagnostics {
    Diagnostic::error("file-system", "File system refused")
        .detail(format!("Cannot {what} `{}`: {}.", path.display(), describe(error)))
        .attribute(plumb_model::Path::of("path"))
        .into()
}

/// What to say of a file that is in the way.
pub(super) fn foreign(path: &Path) -> Diagnostics {
    Diagnostic::error("file-exists", "File exists already")
        .detail(format!("`{}` is there with another content, and is not managed.", path.display()))
        .help(format!(
            "Import it by the id `{}`, set `overwrite = true`, or choose another `path`.",
            path.display()
        ))
        .attribute(plumb_model::Path::of("path"))
        .into()
}

/// Whether there is anything at a path.
pub(super) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Reads a file. `None` if there is none; an error if there is something else.
pub(super) fn look(path: &Path) -> Result<Option<Found>, Diagnostics> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(e) => return Err(trouble("look at", path, &e)),
    };
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a directory" } else { "not a regular file" };
        return Err(Diagnostic::error("not-a-file", "Not a file")
            .detail(format!("`{}` is {what}.", path.display()))
            .help("Choose another `path`.")
            .attribute(plumb_model::Path::of("path"))
            .into());
    }
    let mode = metadata.permissions().mode() & 0o7777;
    digest(path, mode).map(Some).map_err(|e| trouble("read", path, &e))
}

fn digest(path: &Path, mode: u32) -> io::Result<Found> {
    let mut file = File::open(path)?;
    let (mut sha256, mut md5, mut size) = (Sha256::new(), Md5::new(), 0u64);
    let mut content = Some(Vec::new());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        sha256.update(&buffer[..n]);
        md5.update(&buffer[..n]);
        size += n as u64;
        if size > MAX_CONTENT {
            content = None;
        }
        if let Some(content) = &mut content {
            content.extend_from_slice(&buffer[..n]);
        }
    }
    Ok(Found { digests: Digests::from_parts(size, sha256, md5), mode, content })
}

/// The directory of a file.
fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The directories above a file that do not exist, deepest first.
pub(super) fn missing_directories(path: &Path) -> Vec<String> {
    path.ancestors()
        .skip(1)
        .take_while(|dir| !dir.as_os_str().is_empty() && !exists(dir))
        .filter_map(|dir| dir.to_str().map(str::to_owned))
        .collect()
}

/// Directories that were made for any file that this process has seen. Files share directories: whichever of them goes
/// last takes the directory along, not only the one that happened to come first.
static SHARED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn shared() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Remembers directories that were made for some file.
pub(super) fn share(made: &BTreeSet<String>) {
    shared().extend(made.iter().filter_map(|dir| std::path::absolute(dir).ok()));
}

/// The directories above a file that were made for it or for another one.
pub(super) fn shared_above(path: &Path) -> Vec<String> {
    let shared = shared();
    let above = path
        .ancestors()
        .skip(1)
        .filter(|dir| std::path::absolute(dir).is_ok_and(|dir| shared.contains(&dir)));
    above.filter_map(|dir| dir.to_str().map(str::to_owned)).collect()
}

/// Writes a file whole, with the directories above it that are missing; gives those. All of it comes into being in one
/// step: missing directories are made aside with the file in them and moved to their place, so that whoever is killed
/// meanwhile leaves no directory of which nobody knows that it was made.
pub(super) fn create(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    directory_mode: u32,
    replace: bool,
) -> Result<Vec<String>, Diagnostics> {
    loop {
        let missing = missing_directories(path);
        let Some(top) = missing.last().map(PathBuf::from) else {
            return write(path, bytes, mode, replace).map(|()| Vec::new());
        };
        remove_leftovers(path)?;
        let aside = aside(&top, path);
        let made = make_aside(&aside, &top, path, bytes, (mode, directory_mode));
        let moved = made.and_then(|()| fs::rename(&aside, &top));
        match moved.and_then(|()| sync_directory(directory(&top))) {
            Ok(()) => return Ok(missing),
            Err(error) => {
                // What cannot be removed now is removed by the next write or deletion.
                let _ = fs::remove_dir_all(&aside);
                // Somebody else was faster, so there is less to make.
                if !exists(&top) {
                    return Err(trouble("make the directory", &top, &error));
                }
            }
        }
    }
}

/// Makes a directory that stands for a missing one, with everything below that leads to a file, and the file.
fn make_aside(
    aside: &Path,
    top: &Path,
    path: &Path,
    bytes: &[u8],
    (mode, directory_mode): (u32, u32),
) -> io::Result<()> {
    let below = path.strip_prefix(top).map_err(io::Error::other)?;
    let file = aside.join(below);
    let mut directories: Vec<&Path> = file.ancestors().skip(1).take(below.components().count()).collect();
    directories.reverse();
    for dir in &directories {
        fs::DirBuilder::new().mode(directory_mode).create(dir)?;
        fs::set_permissions(dir, fs::Permissions::from_mode(directory_mode))?;
    }
    write_temporary(&file, bytes, mode)?;
    directories.iter().rev().try_for_each(|dir| sync_directory(dir))
}

/// The name under which a file is written before it is renamed. Nobody else uses it.
fn temporary(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    // A long name leaves no room for an addition; its digest stands for it.
    match path.file_name() {
        Some(file) if file.len() <= 200 => name.push(file),
        file => {
            let bytes = file.map(|f| f.as_encoded_bytes()).unwrap_or_default();
            name.push(hex::encode(Sha256::digest(bytes)));
        }
    }
    name.push(".plumb-tmp");
    directory(path).join(name)
}

/// The name under which a directory above a file is made before it is renamed. Nobody else uses it: files that need the
/// same directory have names of their own for it.
fn aside(dir: &Path, path: &Path) -> PathBuf {
    let digest = hex::encode(Sha256::digest(path.as_os_str().as_encoded_bytes()));
    directory(dir).join(format!(".{}.plumb-tmp", &digest[..32]))
}

/// Removes what an interrupted write of a file left behind.
pub(super) fn remove_leftovers(path: &Path) -> Result<(), Diagnostics> {
    let temporary = temporary(path);
    removed(&temporary, fs::remove_file(&temporary))?;
    for dir in path.ancestors().skip(1).filter(|dir| !dir.as_os_str().is_empty()) {
        let aside = aside(dir, path);
        removed(&aside, fs::remove_dir_all(&aside))?;
    }
    Ok(())
}

/// Whether something is gone.
fn removed(path: &Path, result: io::Result<()>) -> Result<(), Diagnostics> {
    match result {
        Err(e) if !matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(trouble("remove", path, &e))
        }
        _ => Ok(()),
    }
}

/// Writes a file whole. Without `replace`, it must not exist.
fn write(path: &Path, bytes: &[u8], mode: u32, replace: bool) -> Result<(), Diagnostics> {
    remove_leftovers(path)?;
    let temporary = temporary(path);
    write_temporary(&temporary, bytes, mode).map_err(|e| {
        // What is left is removed by the next write at the latest.
        let _ = fs::remove_file(&temporary);
        trouble("write", path, &e)
    })?;
    let temporary = tempfile::TempPath::try_from_path(temporary).map_err(|e| trouble("write", path, &e))?;
    let renamed = if replace { temporary.persist(path) } else { temporary.persist_noclobber(path) };
    renamed.map_err(|e| match e.error.kind() {
        ErrorKind::AlreadyExists if !replace => foreign(path),
        _ => trouble("write", path, &e.error),
    })?;
    sync_directory(directory(path)).map_err(|e| trouble("write", path, &e))
}

fn write_temporary(temporary: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    // Nobody else may read it before it has its own mode.
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(temporary)?;
    file.write_all(bytes)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.sync_all()
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Sets the permission bits where they differ.
pub(super) fn set_mode(path: &Path, found: u32, wanted: u32) -> Result<(), Diagnostics> {
    if found == wanted {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(wanted))
        .and_then(|()| sync_directory(directory(path)))
        .map_err(|e| trouble("change the mode of", path, &e))
}

/// Deletes a file, and of the directories above it those in `made` that are empty afterwards.
pub(super) fn delete(path: &Path, made: &BTreeSet<String>) -> Result<(), Diagnostics> {
    remove_leftovers(path)?;
    match fs::remove_file(path) {
        // The directory may be gone already with the last file in it, which is as good as synchronised.
        Ok(()) => match sync_directory(directory(path)) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(trouble("delete", path, &e)),
            _ => {}
        },
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
        Err(e) => return Err(trouble("delete", path, &e)),
    }
    for dir in path.ancestors().skip(1) {
        if !dir.to_str().is_some_and(|dir| made.contains(dir)) {
            continue;
        }
        match fs::remove_dir(dir) {
            Ok(()) => drop(std::path::absolute(dir).map(|dir| shared().remove(&dir))),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) if e.kind() == ErrorKind::DirectoryNotEmpty => break,
            Err(e) => return Err(trouble("remove the directory", dir, &e)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_need_the_same_directories_do_not_get_in_each_others_way() {
        let base = tempfile::tempdir().unwrap();
        let path = |i: usize| base.path().join(format!("a/b{}/f{i}", i % 3));
        let made: BTreeSet<String> = std::thread::scope(|scope| {
            let create = |i| move || create(&path(i), b"x", 0o644, 0o755, false).unwrap();
            let all: Vec<_> = (0..24).map(|i| scope.spawn(create(i))).collect();
            all.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let text = |name: &str| base.path().join(name).to_str().unwrap().to_owned();
        assert_eq!(made, ["a", "a/b0", "a/b1", "a/b2"].map(text).into());
        for i in 0..24 {
            assert_eq!(fs::read(path(i)).unwrap(), b"x");
            delete(&path(i), &made).unwrap();
        }
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0, "also nothing temporary");
    }

    #[test]
    fn a_directory_that_was_not_finished_goes_with_the_next_write_or_deletion() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("a/b/f");
        for finish in [
            |path: &Path| drop(create(path, b"x", 0o644, 0o755, false).unwrap()),
            |path: &Path| {
                delete(path, &BTreeSet::new()).unwrap();
            },
        ] {
            let left = aside(&base.path().join("a"), &path);
            fs::create_dir_all(left.join("b")).unwrap();
            finish(&path);
            assert!(!left.exists());
        }
    }
}
