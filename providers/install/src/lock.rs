//! The lock file, `.terraform.lock.hcl`: which version of each provider was chosen, and what its package must be.
//!
//! The file is shared with Terraform and OpenTofu: it is written as they write it, byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use plumb_model::{Diagnostic, Diagnostics, SourceId, Span};
use plumb_syntax::tree::{Block, ExprKind};
use plumb_syntax::{Dialect, quote};

use crate::address::Address;
use crate::version::{Constraints, Version, parse_version};

/// The name of the file.
pub const FILE_NAME: &str = ".terraform.lock.hcl";

const HEADER: &str = "# This file is maintained automatically by \"terraform init\".\n\
                      # Manual edits may be lost in future updates.\n";

/// What was chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockFile {
    /// By provider.
    pub providers: BTreeMap<Address, Locked>,
}

/// What was chosen for one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// The version.
    pub version: Version,
    /// What it was chosen by.
    pub constraints: Constraints,
    /// What its packages are known by, with the scheme in front: `h1:`, `zh:`.
    pub hashes: BTreeSet<String>,
}

impl LockFile {
    /// Reads the text of a lock file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(source: SourceId, text: &str) -> Result<LockFile, Diagnostics> {
        let parsed = plumb_syntax::parse(source, text, Dialect::Terraform);
        let mut diagnostics = parsed.diagnostics;
        let mut lock = LockFile::default();
        for block in parsed.tree.body.blocks_of("provider") {
            match locked(block) {
                Ok((address, locked)) => {
                    if lock.providers.insert(address.clone(), locked).is_some() {
                        let twice = format!("Provider `{address}` is locked twice.");
                        diagnostics.push(invalid(block.header_span, &twice));
                    }
                }
                Err(problem) => diagnostics.push(*problem),
            }
        }
        diagnostics.into_result().map(|_| lock)
    }
}

fn invalid(span: Span, problem: &str) -> Diagnostic {
    Diagnostic::error("invalid-lock-file", "Invalid dependency lock file")
        .detail(problem)
        .at(span)
        .help(format!("Restore {FILE_NAME} from version control, or remove the block and run `plumb init`."))
}

fn locked(block: &Block) -> Result<(Address, Locked), Box<Diagnostic>> {
    let wrong = |span: Span, problem: String| Box::new(invalid(span, &problem));
    let [label] = block.labels.as_slice() else {
        return Err(wrong(
            block.header_span,
            "A provider block has one label, the provider's address.".into(),
        ));
    };
    let address: Address = label.text.parse().map_err(|e| wrong(label.span, format!("{e}.")))?;
    let text = |name: &str| {
        block.body.attribute(name).map(|a| {
            let text = a
                .value
                .as_string()
                .ok_or_else(|| wrong(a.value.span, format!("`{name}` must be a string.")))?;
            Ok::<_, Box<Diagnostic>>((text.clone(), a.value.span))
        })
    };
    let (version, span) = text("version")
        .unwrap_or_else(|| Err(wrong(block.header_span, "The block has no `version`.".into())))?;
    let version = parse_version(&version).map_err(|e| wrong(span, format!("{e}.")))?;
    let constraints = match text("constraints").transpose()? {
        Some((constraints, span)) => constraints.parse().map_err(|e| wrong(span, format!("{e}.")))?,
        None => Constraints::default(),
    };
    let mut hashes = BTreeSet::new();
    if let Some(attribute) = block.body.attribute("hashes") {
        let ExprKind::Tuple(list) = &attribute.value.kind else {
            return Err(wrong(attribute.value.span, "`hashes` must be a list of strings.".into()));
        };
        for element in &list.elements {
            let hash = element
                .as_string()
                .filter(|hash| hash.contains(':'))
                .ok_or_else(|| wrong(element.span, "A hash is a string such as \"h1:…\".".into()))?;
            hashes.insert(hash.to_string());
        }
    }
    Ok((address, Locked { version, constraints, hashes }))
}

impl fmt::Display for LockFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        for (address, locked) in &self.providers {
            write!(f, "\nprovider {} {{\n{locked}}}\n", quote(&address.to_string()))?;
        }
        Ok(())
    }
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = quote(&self.version.to_string());
        if self.constraints.is_empty() {
            writeln!(f, "  version = {version}")?;
        } else {
            writeln!(f, "  version     = {version}")?;
            writeln!(f, "  constraints = {}", quote(&self.constraints.to_string()))?;
        }
        if !self.hashes.is_empty() {
            f.write_str("  hashes = [\n")?;
            for hash in &self.hashes {
                writeln!(f, "    {},", quote(hash))?;
            }
            f.write_str("  ]\n")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "example.com/acme/plain" {
  version = "4.0.0+build1"
}

provider "example.com/acme/probe" {
  version     = "1.2.3"
  constraints = "~> 1.2, >= 1.2.3"
  hashes = [
    "h1:QuAmVfldWuoqXvXN7jpYAx60QDfImSc4LErhPAJVBMg=",
    "zh:0000000000000000000000000000000000000000000000000000000000000000",
  ]
}
"#;

    #[test]
    fn a_lock_file_reads_back_as_it_is_written() {
        let lock = LockFile::parse(SourceId(0), TEXT).unwrap();
        assert_eq!(lock.providers.len(), 2);
        assert_eq!(lock.to_string(), TEXT);
        assert_eq!(LockFile::parse(SourceId(0), "").unwrap(), LockFile::default());
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        for (text, wanted) in [
            ("provider \"a\" {}", "The block has no `version`."),
            ("provider \"a/b/c/d\" { version = \"1.0.0\" }", "more than three parts"),
            ("provider \"a\" { version = \"1.0\" }", "a version has three numbers"),
            ("provider \"a\" {\n version = \"1.0.0\"\n hashes = [1]\n}", "A hash is a string"),
        ] {
            let diagnostics = LockFile::parse(SourceId(0), text).unwrap_err();
            let diagnostic = diagnostics.iter().next().unwrap();
            assert!(diagnostic.detail.contains(wanted), "{text}: {diagnostic:?}");
            assert!(diagnostic.span().is_some());
        }
    }
}
