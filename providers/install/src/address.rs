//! Where providers come from, by name: `registry.terraform.io/hashicorp/time`.

use std::fmt;
use std::str::FromStr;

use ecow::EcoString;

/// The host of addresses that name none.
pub const DEFAULT_HOST: &str = "registry.terraform.io";
/// The namespace of addresses that name only a type.
pub const DEFAULT_NAMESPACE: &str = "hashicorp";
/// The host of providers that are part of the program.
pub const BUILTIN_HOST: &str = "terraform.io";

/// The address of a provider, complete and in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The host of its registry; it need not exist.
    pub host: EcoString,
    /// Who publishes it.
    pub namespace: EcoString,
    /// What it is called.
    pub kind: EcoString,
}

/// Text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the address of a provider: {problem}")]
pub struct AddressError {
    /// What was written.
    pub text: EcoString,
    /// What is wrong with it; a clause.
    pub problem: EcoString,
}

impl Address {
    /// Whether it is part of the program, and never installed.
    pub fn is_builtin(&self) -> bool {
        self.host == BUILTIN_HOST && self.namespace == "builtin"
    }

    /// As people write it: without the parts that go without saying.
    pub fn short(&self) -> String {
        match (self.host.as_str(), self.namespace.as_str()) {
            (DEFAULT_HOST, namespace) => format!("{namespace}/{}", self.kind),
            _ => self.to_string(),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Reads `type`, `namespace/type` or `host/namespace/type`.
    fn from_str(text: &str) -> Result<Address, AddressError> {
        let wrong = |problem: String| AddressError { text: text.into(), problem: problem.into() };
        let parts: Vec<&str> = text.split('/').collect();
        let (host, namespace, kind) = match parts.as_slice() {
            [kind] => (DEFAULT_HOST, DEFAULT_NAMESPACE, *kind),
            [namespace, kind] => (DEFAULT_HOST, *namespace, *kind),
            [host, namespace, kind] => (*host, *namespace, *kind),
            _ => return Err(wrong("it has more than three parts".into())),
        };
        let host = host_name(host).map_err(wrong)?;
        let namespace = name_part(namespace).map_err(wrong)?;
        let kind = name_part(kind).map_err(wrong)?;
        if let Some(rest) = kind.strip_prefix("terraform-provider-") {
            return Err(wrong(format!("the name of the type is without the prefix of programs: `{rest}`")));
        }
        Ok(Address { host, namespace, kind })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.host, self.namespace, self.kind)
    }
}

fn host_name(text: &str) -> Result<EcoString, String> {
    let (name, port) = text.split_once(':').map_or((text, None), |(n, p)| (n, Some(p)));
    let label = |label: &str| {
        !label.is_empty()
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok());
    let named = name.contains('.') || name == "localhost";
    if named && name.split('.').all(label) && port_is_good {
        Ok(text.to_lowercase().into())
    } else {
        Err(format!("`{text}` is not the name of a host, such as `example.com`"))
    }
}

fn name_part(text: &str) -> Result<EcoString, String> {
    if text.is_empty() {
        return Err("a part of it is empty".into());
    }
    let good = text.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    if !good || text.starts_with('-') || text.ends_with('-') || text.contains("--") {
        return Err(format!("`{text}` may have letters, digits and single dashes between them"));
    }
    Ok(text.to_lowercase().into())
}

/// The kind of system that a package is for, in the names of Go: `linux_amd64`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    /// The operating system.
    pub os: EcoString,
    /// The processor.
    pub arch: EcoString,
}

impl Platform {
    /// The one that this program runs on.
    pub fn current() -> Platform {
        let os = match std::env::consts::OS {
            "macos" => "darwin",
            other => other,
        };
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "x86" => "386",
            "aarch64" => "arm64",
            other => other,
        };
        Platform { os: os.into(), arch: arch.into() }
    }
}

/// Text that is no platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no platform; one is written `os_arch`, such as `linux_amd64`")]
pub struct PlatformError(pub EcoString);

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Platform, PlatformError> {
        // It becomes part of the names of files.
        let word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match text.split_once('_') {
            Some((os, arch)) if word(os) && word(arch) => Ok(Platform { os: os.into(), arch: arch.into() }),
            _ => Err(PlatformError(text.into())),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.os, self.arch)
    }
}

/// Which addresses a method of installation is for: `example.com/*/*`, `hashicorp/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern([EcoString; 3]);

impl Pattern {
    /// Whether it is for an address.
    pub fn matches(&self, address: &Address) -> bool {
        let parts = [&address.host, &address.namespace, &address.kind];
        self.0.iter().zip(parts).all(|(pattern, part)| pattern == "*" || pattern == part)
    }
}

impl FromStr for Pattern {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Pattern, AddressError> {
        // A star stands where a name could, so a name in its place is checked instead.
        let named: Vec<&str> = text.split('/').collect();
        let checked: Vec<String> = named
            .iter()
            .enumerate()
            .map(|(i, part)| match *part {
                "*" if i == 0 && named.len() == 3 => "any.host".to_owned(),
                "*" => "any".to_owned(),
                part => part.to_owned(),
            })
            .collect();
        let address: Address =
            checked.join("/").parse().map_err(|e: AddressError| AddressError { text: text.into(), ..e })?;
        let mut parts = [address.host, address.namespace, address.kind];
        let skipped = 3 - named.len();
        for (i, part) in named.iter().enumerate().filter(|(_, part)| **part == "*") {
            parts[skipped + i] = (*part).into();
        }
        Ok(Pattern(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_completed() {
        for (text, wanted, short) in [
            ("time", "registry.terraform.io/hashicorp/time", "hashicorp/time"),
            ("DataDog/datadog", "registry.terraform.io/datadog/datadog", "datadog/datadog"),
            ("example.com/acme/Probe", "example.com/acme/probe", "example.com/acme/probe"),
            ("localhost:8080/a/b", "localhost:8080/a/b", "localhost:8080/a/b"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.to_string().as_str(), address.short().as_str()), (wanted, short));
        }
        for text in ["", "a//b", "a/b/c/d", "a b", "-a", "example/acme/probe", "acme/terraform-provider-x"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn patterns_match_what_they_leave_open() {
        let address: Address = "example.com/acme/probe".parse().unwrap();
        for (text, wanted) in [
            ("example.com/*/*", true),
            ("*/*/*", true),
            ("example.com/acme/probe", true),
            ("example.com/other/*", false),
            ("acme/*", false),
        ] {
            assert_eq!(text.parse::<Pattern>().unwrap().matches(&address), wanted, "{text}");
        }
        assert!("hashicorp/*".parse::<Pattern>().unwrap().matches(&"time".parse().unwrap()));
    }
}
