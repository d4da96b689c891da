//! Unpacking archives, some of which were made to do harm.

use std::fs;
use std::io::{Cursor, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use plumb_registry::archive::{self, ArchiveError, Rules};

/// An entry: its name, and what it is.
enum Entry {
    File(&'static str),
    Program(&'static str),
    Link(&'static str),
    Folder,
    Pipe,
}

fn zip(entries: &[(&str, Entry)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, entry) in entries {
        match entry {
            Entry::File(text) | Entry::Program(text) => {
                let mode = if matches!(entry, Entry::Program(_)) { 0o755 } else { 0o644 };
                zip.start_file(*name, options.unix_permissions(mode)).unwrap();
                zip.write_all(text.as_bytes()).unwrap();
            }
            Entry::Link(to) => zip.add_symlink(*name, *to, options).unwrap(),
            Entry::Folder => zip.add_directory(*name, options).unwrap(),
            Entry::Pipe => panic!("zip has none"),
        }
    }
    zip.finish().unwrap().into_inner()
}

fn tar_gz(entries: &[(&str, Entry)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, entry) in entries {
        let mut header = tar::Header::new_gnu();
        let (kind, text, mode) = match entry {
            Entry::File(text) => (tar::EntryType::Regular, *text, 0o644),
            Entry::Program(text) => (tar::EntryType::Regular, *text, 0o4755),
            Entry::Link(_) => (tar::EntryType::Symlink, "", 0o777),
            Entry::Folder => (tar::EntryType::Directory, "", 0o755),
            Entry::Pipe => (tar::EntryType::Fifo, "", 0o644),
        };
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(text.len() as u64);
        // The name is put in as it is, since the library would refuse the bad ones.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        if let Entry::Link(to) = entry {
            header.as_old_mut().linkname[..to.len()].copy_from_slice(to.as_bytes());
        }
        header.set_cksum();
        tar.append(&header, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn both(
    entries: impl Fn() -> Vec<(&'static str, Entry)>,
    rules: &Rules,
    check: impl Fn(Result<(), ArchiveError>, &Path),
) {
    for packed in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a/target");
        let outcome = match packed {
            true => archive::zip(Cursor::new(zip(&entries())), &target, rules),
            false => archive::tar_gz(Cursor::new(tar_gz(&entries())), &target, rules),
        };
        check(outcome, &target);
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1, "something is outside");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something is outside");
    }
}

#[test]
fn files_and_folders_come_out_as_they_went_in() {
    let entries = || {
        vec![
            ("docs/", Entry::Folder),
            ("docs/./deep/readme", Entry::File("text")),
            ("program", Entry::Program("#!")),
            ("empty/", Entry::Folder),
        ]
    };
    both(entries, &Rules::default(), |outcome, target| {
        outcome.unwrap();
        assert_eq!(fs::read_to_string(target.join("docs/deep/readme")).unwrap(), "text");
        let mode = |name: &str| fs::metadata(target.join(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode("program") & !0o022, mode("docs/deep/readme") & !0o022), (0o755, 0o644));
        assert!(target.join("empty").is_dir());
    });
}

#[test]
fn nothing_leads_out() {
    for name in ["../out", "a/../../out", "/tmp/out", "a\\..\\out"] {
        both(
            || vec![("good", Entry::File("x")), (name, Entry::File("x"))],
            &Rules::default(),
            |outcome, _| {
                let error = outcome.unwrap_err();
                assert!(error.to_string().contains("its entry"), "{name}: {error}");
            },
        );
    }
}

#[test]
fn links_are_made_only_where_they_are_wanted_and_stay_inside() {
    let links = Rules { links: true, ..Rules::default() };
    let good = || vec![("a/file", Entry::File("x")), ("b/link", Entry::Link("../a/file"))];
    both(good, &links, |outcome, target| {
        outcome.unwrap();
        assert_eq!(fs::read_to_string(target.join("b/link")).unwrap(), "x");
    });
    both(good, &Rules::default(), |outcome, _| {
        assert!(outcome.unwrap_err().to_string().contains("is a link"))
    });
    for to in ["/etc/passwd", "../../x", "a/../../../x", "a/.."] {
        both(
            || vec![("a/link", Entry::Link(to))],
            &links,
            |outcome, _| {
                assert!(outcome.unwrap_err().to_string().contains("may lead out"), "{to}");
            },
        );
    }
    // Through a link, were it there already, the file would be written elsewhere.
    both(
        || vec![("a", Entry::Link("b")), ("a/file", Entry::File("x"))],
        &links,
        |outcome, _| {
            assert!(outcome.is_err());
        },
    );
}

#[test]
fn what_is_there_twice_too_much_or_odd_is_refused() {
    let twice = tar_gz(&[("a", Entry::File("x")), ("./a", Entry::File("y"))]);
    let pipe = tar_gz(&[("a", Entry::Pipe)]);
    let large = tar_gz(&[("a", Entry::File("0123456789")), ("b", Entry::File("0123456789"))]);
    let few = Rules { entries: 1, ..Rules::default() };
    let short = Rules { bytes: 15, ..Rules::default() };
    for (archive, rules, wanted) in [
        (&twice, &Rules::default(), "is there twice"),
        (&pipe, &Rules::default(), "neither a file"),
        (&large, &few, "more than 1 entries"),
        (&large, &short, "more than 15 bytes"),
        (&large[..40].to_vec(), &Rules::default(), "no readable archive"),
        (&b"<html>".to_vec(), &Rules::default(), "no readable archive"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let error = archive::tar_gz(Cursor::new(archive), folder.path(), rules).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let error = archive::zip(Cursor::new(b"<html>"), folder.path(), &Rules::default()).unwrap_err();
    assert!(error.to_string().contains("no readable archive"), "{error}");
}
