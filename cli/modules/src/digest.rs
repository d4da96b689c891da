//! What a package contains, and the digest by which that is known.
//!
//! The digest is `h1:` as Go modules and provider lock files compute it: SHA-256 over a sorted list of the SHA-256 of each file and its
//! name. A symbolic link counts as a file that contains the path it leads to, as in git. Folders, modes and times do not count.
//!
//! A package is also checked here before it is used: links must stay in it, and names must be text.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of each file of a package, in hexadecimal, by its path with `/` between names.
pub type Files = BTreeMap<String, String>;

/// Reads all files of a package.
///
/// # Errors
/// Something cannot be read, is neither file, folder nor link, or has a name that is no text.
pub fn files(package: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    for (name, path, kind) in entries(package)? {
        let hash = match kind {
            Kind::Link => {
                let target = fs::read_link(&path)?;
                hex(&Sha256::digest(target.as_os_str().as_encoded_bytes()))
            }
            Kind::File => {
                let mut hasher = Sha256::new();
                io::copy(&mut fs::File::open(&path)?, &mut hasher)?;
                hex(&hasher.finalize())
            }
        };
        files.insert(name, hash);
    }
    Ok(files)
}

/// The digest of a package with these files.
pub fn digest(files: &Files) -> String {
    let mut hasher = Sha256::new();
    for (name, hash) in files {
        hasher.update(format!("{hash}  {name}\n"));
    }
    format!("h1:{}", STANDARD.encode(hasher.finalize()))
}

/// Something that changes whenever a file of the package may have changed, without reading the files: names, inodes,
/// sizes, times.
///
/// # Errors
/// As [`files`].
pub fn stamp(package: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    for (name, path, _) in entries(package)? {
        let about = fs::symlink_metadata(path)?;
        let times = [about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec()];
        hasher.update(format!("{name}\n{} {} {times:?}\n", about.ino(), about.size()));
    }
    Ok(hex(&hasher.finalize()))
}

/// What is different, in a few words: `main.tf is changed, x.tf is new`.
pub fn differences(before: &Files, now: &Files) -> String {
    const SHOWN: usize = 5;
    let mut found = Vec::new();
    for (name, hash) in now {
        match before.get(name) {
            Some(was) if was == hash => {}
            Some(_) => found.push(format!("`{name}` is changed")),
            None => found.push(format!("`{name}` is new")),
        }
    }
    found.extend(
        before.keys().filter(|name| !now.contains_key(*name)).map(|name| format!("`{name}` is gone")),
    );
    let more = found.len().saturating_sub(SHOWN);
    found.truncate(SHOWN);
    if more > 0 {
        found.push(format!("and {more} more"));
    }
    found.join(", ")
}

/// Takes repositories' own files out of a package, and looks whether links stay in it.
///
/// # Errors
/// A link leads out of the package, or something cannot be read or removed.
pub fn clean(package: &Path) -> io::Result<()> {
    let root = package.canonicalize()?;
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if entry.file_name() == ".git" {
                if kind.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
            } else if kind.is_dir() {
                folders.push(path);
            } else if kind.is_symlink() && !stays(&root, &path)? {
                let name = path.strip_prefix(&root).unwrap_or(&path).display();
                let target = fs::read_link(&path)?;
                return Err(io::Error::other(format!(
                    "the link `{name}` leads to `{}`, which is not in the package",
                    target.display()
                )));
            }
        }
    }
    Ok(())
}

/// Whether a link leads to something in the root, by its words and, where it leads to something, in fact.
fn stays(root: &Path, link: &Path) -> io::Result<bool> {
    let target = fs::read_link(link)?;
    let mut depth =
        link.parent().and_then(|p| p.strip_prefix(root).ok()).map_or(0, |p| p.components().count());
    let mut goes_up = false;
    for part in target.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => {
                goes_up = true;
                depth -= 1;
            }
            _ => return Ok(false),
        }
    }
    match link.canonicalize() {
        Ok(path) => Ok(path.starts_with(root)),
        // Through other links `..` may lead elsewhere than its words say, and nobody can look.
        Err(_) => Ok(!goes_up),
    }
}

enum Kind {
    File,
    Link,
}

/// Files and links at any depth.
fn entries(package: &Path) -> io::Result<Vec<(String, PathBuf, Kind)>> {
    let root = package.canonicalize()?;
    let mut found = Vec::new();
    let mut folders = vec![(root, String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name
                .to_str()
                .filter(|name| !name.contains('\n'))
                .ok_or_else(|| io::Error::other(format!("the file name {name:?} is no line of text")))?;
            let name = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push((entry.path(), name + "/"));
            } else if kind.is_symlink() {
                found.push((name, entry.path(), Kind::Link));
            } else if kind.is_file() {
                found.push((name, entry.path(), Kind::File));
            } else {
                return Err(io::Error::other(format!("`{name}` is neither a file nor a folder")));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn package() -> tempfile::TempDir {
        let package = tempfile::tempdir().unwrap();
        fs::create_dir_all(package.path().join("a/b")).unwrap();
        fs::write(package.path().join("a/b/x.tf"), "one").unwrap();
        fs::write(package.path().join("y.tf"), "two").unwrap();
        package
    }

    #[test]
    fn a_package_without_links_has_the_digest_of_a_provider_package() {
        let package = package();
        let digest = digest(&files(package.path()).unwrap());
        assert_eq!(digest, plumb_provider_install::hash::folder(package.path()).unwrap());
    }

    #[test]
    fn what_changed_is_said_by_name() {
        let package = package();
        let before = files(package.path()).unwrap();
        fs::write(package.path().join("y.tf"), "three").unwrap();
        fs::write(package.path().join("z.tf"), "").unwrap();
        fs::remove_file(package.path().join("a/b/x.tf")).unwrap();
        let now = files(package.path()).unwrap();
        assert_eq!(differences(&before, &now), "`y.tf` is changed, `z.tf` is new, `a/b/x.tf` is gone");
        assert_ne!(digest(&before), digest(&now));
    }

    #[test]
    fn links_may_not_leave_the_package() {
        for (link, target, fine) in [
            ("l", "y.tf", true),
            ("a/b/l", "../../y.tf", true),
            ("a/b/l", "../../../y.tf", false),
            ("l", "/etc/passwd", false),
            ("l", "nothing", true),
            ("a/l", "../nothing", false),
        ] {
            let package = package();
            symlink(target, package.path().join(link)).unwrap();
            assert_eq!(clean(package.path()).is_ok(), fine, "{link} -> {target}");
        }
        // `a/up` is the package itself, so `a/up/..` is what is around it, whatever its words say.
        let package = package();
        symlink("..", package.path().join("a/up")).unwrap();
        symlink("a/up/..", package.path().join("l")).unwrap();
        assert!(clean(package.path()).is_err());
    }

    #[test]
    fn what_git_keeps_for_itself_is_no_part_of_a_package() {
        let package = package();
        let before = files(package.path()).unwrap();
        fs::create_dir_all(package.path().join(".git/objects")).unwrap();
        fs::write(package.path().join("a/.git"), "gitdir: elsewhere").unwrap();
        clean(package.path()).unwrap();
        assert_eq!(files(package.path()).unwrap(), before);
    }
}
