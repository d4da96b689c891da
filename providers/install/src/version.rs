//! Versions and the constraints on them, by Terraform's rules.
//!
//! A constraint is a list of conditions that all hold: `>= 1.2, < 2.0`. `~>` lets only the last part that is written
//! grow. A version before a release (`1.0.0-beta1`) is chosen only where a condition names exactly that version; build
//! metadata counts for `=` and `!=` alone.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use ecow::EcoString;
use semver::{BuildMetadata, Prerelease};

pub use semver::Version;

/// Conditions that all hold. None hold for every release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraints(Vec<Condition>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    operator: Operator,
    version: Version,
    /// How many of the three numbers count: 2 or 3.
    parts: usize,
}

/// In the order in which conditions on the same version are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Operator {
    Equal,
    NotEqual,
    Pessimistic,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

const OPERATORS: [(&str, Operator); 7] = [
    ("~>", Operator::Pessimistic),
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("!=", Operator::NotEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("=", Operator::Equal),
];

/// Text that is no constraint, or no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}`: {problem}")]
pub struct VersionError {
    /// The condition, or the version.
    pub text: EcoString,
    /// What is wrong with it; a clause.
    pub problem: &'static str,
}

/// A version with all of its three numbers, as registries and mirrors name them.
///
/// # Errors
/// What is wrong with it.
pub fn parse_version(text: &str) -> Result<Version, VersionError> {
    match parse_parts(text)? {
        (version, 3) => Ok(version),
        _ => Err(VersionError { text: text.into(), problem: "a version has three numbers" }),
    }
}

fn parse_parts(text: &str) -> Result<(Version, usize), VersionError> {
    let wrong = |problem| VersionError { text: text.into(), problem };
    let (rest, build) = text.split_once('+').map_or((text, ""), |(rest, build)| (rest, build));
    let (numbers, before) = rest.split_once('-').map_or((rest, ""), |(numbers, before)| (numbers, before));
    if numbers.starts_with(['v', 'V']) {
        return Err(wrong("a version is written without \"v\""));
    }
    let mut found = [0; 3];
    let mut parts = 0;
    for number in numbers.split('.') {
        let slot = found.get_mut(parts).ok_or_else(|| wrong("a version has three numbers at most"))?;
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong("a version consists of numbers with points between them, such as 1.2.3"));
        }
        *slot = number.parse().map_err(|_| wrong("a number is too large"))?;
        parts += 1;
    }
    if parts < 3 && (!before.is_empty() || !build.is_empty()) {
        return Err(wrong("a version with a suffix needs all three numbers"));
    }
    let version = Version {
        major: found[0],
        minor: found[1],
        patch: found[2],
        pre: Prerelease::new(before).map_err(|_| wrong("the part behind `-` is not valid"))?,
        build: BuildMetadata::new(build).map_err(|_| wrong("the part behind `+` is not valid"))?,
    };
    Ok((version, parts))
}

impl Condition {
    fn parse(text: &str) -> Result<Condition, VersionError> {
        let text = text.trim();
        let wrong = |problem| VersionError { text: text.into(), problem };
        if text.is_empty() {
            return Err(wrong("there is nothing between two commas"));
        }
        let (operator, rest) = OPERATORS
            .iter()
            .find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)))
            .unwrap_or((Operator::Equal, text));
        let rest = rest.trim_start();
        if rest.contains(char::is_whitespace) {
            return Err(wrong("conditions are separated by commas"));
        }
        let (version, parts) = parse_parts(rest).map_err(|e| wrong(e.problem))?;
        // Elsewhere the numbers that were left out are zeros; `~> 1` lets the second part grow, as `~> 1.0` does.
        let parts = if operator == Operator::Pessimistic { parts.max(2) } else { 3 };
        Ok(Condition { operator, version, parts })
    }

    fn allows(&self, version: &Version) -> bool {
        let order = version.cmp_precedence(&self.version);
        match self.operator {
            Operator::Equal => *version == self.version,
            Operator::NotEqual => *version != self.version,
            Operator::Greater => order == Ordering::Greater,
            Operator::GreaterOrEqual => order != Ordering::Less,
            Operator::Less => order == Ordering::Less,
            Operator::LessOrEqual => order != Ordering::Greater,
            Operator::Pessimistic => {
                let same = version.major == self.version.major
                    && (self.parts < 3 || version.minor == self.version.minor);
                same && order != Ordering::Less
            }
        }
    }
}

impl Constraints {
    /// Whether a version may be used.
    pub fn allow(&self, version: &Version) -> bool {
        let asked_for = || self.0.iter().any(|c| c.operator == Operator::Equal && c.version == *version);
        self.0.iter().all(|c| c.allows(version)) && (version.pre.is_empty() || asked_for())
    }

    /// The conditions of both, each once.
    pub fn and(&self, other: &Constraints) -> Constraints {
        Constraints(self.0.iter().chain(&other.0).cloned().collect()).normal()
    }

    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The newest of the versions that may be used.
    pub fn newest<'v>(&self, versions: impl IntoIterator<Item = &'v Version>) -> Option<&'v Version> {
        versions.into_iter().filter(|v| self.allow(v)).max()
    }

    fn normal(mut self) -> Constraints {
        self.0.sort_by(|a, b| {
            a.version.cmp(&b.version).then(a.operator.cmp(&b.operator)).then(a.parts.cmp(&b.parts))
        });
        self.0.dedup_by_key(|c| c.to_string());
        self
    }
}

impl FromStr for Constraints {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Constraints, VersionError> {
        if text.trim().is_empty() {
            return Ok(Constraints::default());
        }
        Ok(Constraints(text.split(',').map(Condition::parse).collect::<Result<_, _>>()?).normal())
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = OPERATORS.iter().find(|(_, o)| *o == self.operator).map_or("", |(sign, _)| sign);
        match self.operator {
            Operator::Equal => write!(f, "{}", self.version),
            Operator::Pessimistic if self.parts < 3 => {
                write!(f, "{sign} {}.{}", self.version.major, self.version.minor)
            }
            _ => write!(f, "{sign} {}", self.version),
        }
    }
}

impl fmt::Display for Constraints {
    /// As lock files write it: in order, with all numbers where they do not change the meaning.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, condition) in self.0.iter().enumerate() {
            write!(f, "{}{condition}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSIONS: [&str; 11] = [
        "0.9.0",
        "1.0.0-beta1",
        "1.0.0-beta2",
        "1.0.0",
        "1.2.3",
        "1.2.4",
        "1.3.0",
        "2.0.0-rc1",
        "2.0.0",
        "3.0.0-alpha1",
        "4.0.0+build1",
    ];

    /// What `terraform init` 1.11.4 chose, and wrote into its lock file; an empty version where it found none.
    const CHOSEN: &[(&str, &str, &str)] = &[
        ("", "4.0.0+build1", ""),
        ("= 1.0", "1.0.0", "1.0.0"),
        ("~> 1.2.3", "1.2.4", "~> 1.2.3"),
        ("~> 1.2", "1.3.0", "~> 1.2"),
        ("~> 1", "1.3.0", "~> 1.0"),
        ("~>1.0", "1.3.0", "~> 1.0"),
        (">= 1.0,<1.3", "1.2.4", ">= 1.0.0, < 1.3.0"),
        ("~> 1.0.0-beta1", "1.0.0", "~> 1.0.0-beta1"),
        ("= 1.0.0-beta1", "1.0.0-beta1", "1.0.0-beta1"),
        ("<= 1.0.0-beta2", "0.9.0", "<= 1.0.0-beta2"),
        ("!= 2.0.0", "4.0.0+build1", "!= 2.0.0"),
        ("< 1", "0.9.0", "< 1.0.0"),
        ("<= 1", "1.0.0", "<= 1.0.0"),
        ("~> 3.0.0-alpha1", "", "~> 3.0.0-alpha1"),
        (">=1.0.0,>=1.2.0,!=2.0.0", "4.0.0+build1", ">= 1.0.0, >= 1.2.0, != 2.0.0"),
        (">= 1.2.3, ~> 1.2", "1.3.0", "~> 1.2, >= 1.2.3"),
        ("!= 1.3.0, >= 1.0, < 2, >= 0.9", "1.2.4", ">= 0.9.0, >= 1.0.0, != 1.3.0, < 2.0.0"),
        ("4.0.0", "", "4.0.0"),
        ("= 4.0.0+build1", "4.0.0+build1", "4.0.0+build1"),
        (">= 1.0.0, 1.0.0-beta1", "", "1.0.0-beta1, >= 1.0.0"),
        ("01.2.3", "1.2.3", "1.2.3"),
        ("~> 1.2.3, ~> 1.2.3", "1.2.4", "~> 1.2.3"),
        ("=1.2.3,!=1.2.3", "", "1.2.3, != 1.2.3"),
        ("~> 0", "0.9.0", "~> 0.0"),
        ("1.0.0-BETA1", "", "1.0.0-BETA1"),
        ("<= 4, >= 4", "4.0.0+build1", ">= 4.0.0, <= 4.0.0"),
        ("~> 2.0.0-rc1", "2.0.0", "~> 2.0.0-rc1"),
    ];

    #[test]
    fn the_same_versions_are_chosen_as_by_terraform() {
        let versions: Vec<Version> = VERSIONS.iter().map(|v| parse_version(v).unwrap()).collect();
        for (text, wanted, written) in CHOSEN {
            let constraints: Constraints = text.parse().unwrap();
            let chosen = constraints.newest(&versions).map(ToString::to_string).unwrap_or_default();
            assert_eq!((chosen.as_str(), constraints.to_string().as_str()), (*wanted, *written), "{text:?}");
        }
    }

    #[test]
    fn what_terraform_refuses_is_refused() {
        for text in [
            "v1.0.0",
            "1.*",
            "1.2.3.4",
            "~> 1.2.3.4",
            "=> 1",
            "1.x",
            ",1.0.0",
            "1.0.0,",
            "1 . 2",
            ">= 1.0 <2.0",
        ] {
            assert!(text.parse::<Constraints>().is_err(), "{text}");
        }
    }
}
