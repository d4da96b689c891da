//! The module lock, `.plumb.modules.lock.hcl`: what was fetched for each package, and what it must be.
//!
//! The file lies beside the configuration and is kept in version control. It says, for each package of the whole tree of
//! modules, the version that was chosen, where it came from, the commit, and the digest of its content. It is written in
//! one order and one layout, so that two machines write the same bytes, and a review shows what moves.

use std::collections::BTreeMap;
use std::fmt;

use plumb_model::{Diagnostic, Diagnostics, SourceId, Span};
use plumb_provider_install::Version;
use plumb_provider_install::version::parse_version;
use plumb_syntax::tree::Block;
use plumb_syntax::{Dialect, quote};

/// The name of the file.
pub const FILE_NAME: &str = ".plumb.modules.lock.hcl";

const HEADER: &str = "# Written by `plumb init` and `plumb get`. Keep it in version control: it says which modules\n\
                      # everybody gets. `plumb get -upgrade` moves it.\n";

/// What was fetched, by package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockFile {
    /// By package.
    pub packages: BTreeMap<PackageKey, Locked>,
}

/// The name of a package in the lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageKey {
    /// The text of the [`crate::address::Package`].
    pub source: String,
    /// The version, if it is from a registry.
    pub version: Option<Version>,
}

/// What was fetched for a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// Where the registry, or a page, said that the package is; without passwords.
    pub from: Option<String>,
    /// The commit, if it came from git.
    pub commit: Option<String>,
    /// The digest of the content: `h1:…`.
    pub digest: String,
}

impl fmt::Display for PackageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        self.version.iter().try_for_each(|version| write!(f, " {version}"))
    }
}

impl LockFile {
    /// Reads the text of a lock.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(source: SourceId, text: &str) -> Result<LockFile, Diagnostics> {
        let parsed = plumb_syntax::parse(source, text, Dialect::Native);
        let mut diagnostics = parsed.diagnostics;
        let mut lock = LockFile::default();
        for block in parsed.tree.body.blocks_of("module") {
            match locked(block) {
                Ok((key, locked)) => {
                    if lock.packages.insert(key.clone(), locked).is_some() {
                        diagnostics.push(invalid(block.header_span, &format!("`{key}` is locked twice.")));
                    }
                }
                Err(problem) => diagnostics.push(*problem),
            }
        }
        diagnostics.into_result().map(|_| lock)
    }
}

fn invalid(span: Span, problem: &str) -> Diagnostic {
    Diagnostic::error("invalid-module-lock", "Invalid module lock")
        .detail(problem)
        .at(span)
        .help(format!("Restore {FILE_NAME} from version control, or remove the block and run `plumb get`."))
}

fn locked(block: &Block) -> Result<(PackageKey, Locked), Box<Diagnostic>> {
    let wrong = |span: Span, problem: String| Box::new(invalid(span, &problem));
    let [label] = block.labels.as_slice() else {
        return Err(wrong(
            block.header_span,
            "A module block in the lock has one label, the address of the package.".into(),
        ));
    };
    let text = |name: &str| match block.body.attribute(name) {
        None => Ok(None),
        Some(attribute) => match attribute.value.as_string() {
            Some(text) => Ok(Some((text.to_string(), attribute.value.span))),
            None => Err(wrong(attribute.value.span, format!("`{name}` must be a text."))),
        },
    };
    let version = match text("version")? {
        Some((version, span)) => Some(parse_version(&version).map_err(|e| wrong(span, format!("{e}.")))?),
        None => None,
    };
    let digest = match text("digest")? {
        Some((digest, _)) if digest.starts_with("h1:") => digest,
        Some((_, span)) => return Err(wrong(span, "A digest is a text such as \"h1:…\".".into())),
        None => return Err(wrong(block.header_span, "The block has no `digest`.".into())),
    };
    let (from, commit) = (text("from")?, text("commit")?);
    let commit = match commit {
        Some((commit, span)) if !is_commit(&commit) => {
            return Err(wrong(span, "A commit is a text of 40 or 64 hexadecimal digits.".into()));
        }
        commit => commit.map(|(commit, _)| commit),
    };
    let key = PackageKey { source: label.text.to_string(), version };
    Ok((key, Locked { from: from.map(|(from, _)| from), commit, digest }))
}

/// Whether a text names a commit and nothing else.
pub fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
}

impl fmt::Display for LockFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        for (key, locked) in &self.packages {
            let version = key.version.as_ref().map(ToString::to_string);
            let attributes = [
                ("version", version.as_ref()),
                ("from", locked.from.as_ref()),
                ("commit", locked.commit.as_ref()),
                ("digest", Some(&locked.digest)),
            ];
            let attributes = attributes.into_iter().filter_map(|(name, value)| Some((name, value?)));
            let width = attributes.clone().map(|(name, _)| name.len()).max().unwrap_or_default();
            write!(f, "\nmodule {} {{\n", quote(&key.source))?;
            for (name, value) in attributes {
                writeln!(f, "  {name:width$} = {}", quote(value))?;
            }
            f.write_str("}\n")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"
module "git::https://example.com/net.git?ref=v1" {
  commit = "0123456789012345678901234567890123456789"
  digest = "h1:abc="
}

module "registry.terraform.io/acme/net/aws" {
  version = "1.9.0"
  from    = "git::https://example.com/net.git?ref=v1.9.0"
  commit  = "0123456789012345678901234567890123456789"
  digest  = "h1:abc="
}

module "registry.terraform.io/acme/net/aws" {
  version = "1.10.0"
  digest  = "h1:def="
}
"#;

    #[test]
    fn a_lock_reads_back_as_it_is_written() {
        let text = format!("{HEADER}{BODY}");
        let lock = LockFile::parse(SourceId(0), &text).unwrap();
        assert_eq!(lock.packages.len(), 3);
        assert_eq!(lock.to_string(), text);
        assert_eq!(LockFile::parse(SourceId(0), "").unwrap(), LockFile::default());
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        for (text, wanted) in [
            ("module {\n digest = \"h1:a\"\n}", "has one label"),
            ("module \"a\" {}", "has no `digest`"),
            ("module \"a\" {\n digest = \"x\"\n}", "such as \"h1:…\""),
            ("module \"a\" {\n digest = 1\n}", "`digest` must be a text"),
            ("module \"a\" {\n digest = \"h1:a\"\n version = \"x\"\n}", "a version"),
            ("module \"a\" {\n digest = \"h1:a\"\n commit = \"--x\"\n}", "hexadecimal digits"),
            ("module \"a\" {\n digest = \"h1:a\"\n}\nmodule \"a\" {\n digest = \"h1:a\"\n}", "locked twice"),
        ] {
            let diagnostics = LockFile::parse(SourceId(0), text).unwrap_err();
            let diagnostic = diagnostics.iter().next().unwrap();
            assert!(diagnostic.detail.contains(wanted), "{text}: {diagnostic:?}");
            assert!(diagnostic.span().is_some());
        }
    }
}
