//! Addresses of modules that are not local: what people write behind `source`, and what is fetched for it.
//!
//! An address names a *package*, which is fetched as a whole, and perhaps a folder in it behind `//`. The spellings are
//! those of Terraform, and mean the same: `namespace/name/provider` is in a registry, `git::URL` in a git repository,
//! `https://…` an archive or a page that says where the module is; `github.com/owner/repository`,
//! `bitbucket.org/owner/repository` and `git@host:path` are short for git addresses.
//!
//! The text of a [`Package`] ([`std::fmt::Display`]) is the name that it has in the lock: one spelling for each package, without
//! passwords.
//!
//! Nothing that is written in an address ever becomes an option of a program or a remote helper of git: schemes are chosen
//! from a list, and what could be read as an option is refused here.

use std::fmt;

use thiserror::Error;
use url::Url;

/// The registry that addresses without a host mean.
pub const DEFAULT_REGISTRY: &str = "registry.terraform.io";

/// A module that is not local.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleAddress {
    /// What is fetched.
    pub package: Package,
    /// The folder of the module in it, with `/` between names; empty for the package itself. `*` stands for the only
    /// folder at its place.
    pub folder: String,
}

/// What is fetched as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Package {
    /// A module in a registry, of whatever version.
    Registry(RegistryModule),
    /// A revision of a git repository.
    Git(GitPackage),
    /// An archive, or a page that says where the module is.
    Http(HttpPackage),
}

/// `host/namespace/name/provider`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegistryModule {
    /// The host name of the registry, perhaps with a port.
    pub host: String,
    /// Whose it is.
    pub namespace: String,
    /// What it is called.
    pub name: String,
    /// For which system it is.
    pub provider: String,
}

/// A revision of a git repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitPackage {
    /// The URL of the repository; `https`, `http`, `ssh`, `git` or `file`. It may contain a password.
    pub url: String,
    /// The branch, tag or commit; that which the repository itself prefers if none is named.
    pub reference: Option<String>,
    /// How much history is fetched; says nothing about what is got.
    pub depth: Option<u32>,
}

/// Something that a web server has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HttpPackage {
    /// Where it is, without the arguments that are for us. It may contain a password.
    pub url: String,
    /// The kind of archive, if it is said or the name tells; else it is a page.
    pub archive: Option<ArchiveKind>,
    /// What the archive must be.
    pub checksum: Option<Checksum>,
}

/// Kinds of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArchiveKind {
    /// `zip`
    Zip,
    /// `tar`
    Tar,
    /// `tar.gz`, `tgz`
    TarGz,
    /// `tar.bz2`, `tbz2`
    TarBz2,
    /// `tar.xz`, `txz`
    TarXz,
    /// `tar.zst`, `tzst`
    TarZst,
}

/// `algorithm:digits`, of an archive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checksum {
    /// How it is computed.
    pub algorithm: Algorithm,
    /// What it is, in lower-case hexadecimal digits.
    pub digits: String,
}

/// Algorithms of checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

/// Why an address is none, or names something that cannot be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{problem}")]
pub struct AddressError {
    /// What is wrong; a sentence without its full stop.
    pub problem: String,
    /// What to write instead.
    pub help: String,
    /// Whether the address is a good one, but of a kind that is not fetched.
    pub unsupported: bool,
}

type Result<T> = std::result::Result<T, AddressError>;

fn wrong<T>(problem: impl Into<String>, help: impl Into<String>) -> Result<T> {
    Err(AddressError { problem: problem.into(), help: help.into(), unsupported: false })
}

fn unsupported<T>(problem: impl Into<String>) -> Result<T> {
    let help = "Serve the module as an archive over HTTPS, or keep it in a git repository.";
    Err(AddressError { problem: problem.into(), help: help.into(), unsupported: true })
}

const SPELLINGS: &str = "Write \"./folder\" for a local module, \"namespace/name/provider\" for one in a registry, or \"git::https://host/path.git\" or \"https://host/module.zip\".";

impl ModuleAddress {
    /// Reads an address as people write it.
    ///
    /// # Errors
    /// It is none, or of a kind that cannot be fetched.
    pub fn parse(text: &str) -> Result<ModuleAddress> {
        if text.is_empty() {
            return wrong("the address is empty", SPELLINGS);
        }
        if let Some(c) = text.chars().find(|c| c.is_control() || c.is_whitespace()) {
            return wrong(
                format!("it contains {c:?}, which no address has"),
                "Remove white space from the address.",
            );
        }
        if matches!(text, "." | "..") || text.starts_with(".\\") || text.starts_with("..\\") {
            return wrong(
                "a local address begins with `./` or `../`",
                format!("Write \"{}/\".", text.trim_end_matches('\\')),
            );
        }
        if text.starts_with('-') {
            return wrong("an address does not begin with a dash", SPELLINGS);
        }
        let (source, folder) = split_folder(text);
        let folder = clean_folder(&folder)?;
        if let Some(module) = RegistryModule::parse(&source)? {
            return Ok(ModuleAddress { package: Package::Registry(module), folder });
        }
        Ok(ModuleAddress { package: remote(&source)?, folder })
    }
}

/// Splits the folder behind `//` off; arguments behind `?` belong to the package.
fn split_folder(text: &str) -> (String, String) {
    let (before, arguments) = text.split_at(text.find('?').unwrap_or(text.len()));
    let scheme = before.find("://").map_or(0, |at| at + 3);
    match before[scheme..].find("//") {
        Some(at) => (format!("{}{arguments}", &before[..scheme + at]), before[scheme + at + 2..].to_owned()),
        None => (text.to_owned(), String::new()),
    }
}

fn clean_folder(text: &str) -> Result<String> {
    let names: Vec<&str> = text.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
    if names.contains(&"..") {
        return wrong(
            format!("the folder `//{text}` leads out of the package"),
            "Behind `//` stands a path within the package, without `..`.",
        );
    }
    Ok(names.join("/"))
}

impl RegistryModule {
    /// Reads `namespace/name/provider` with or without a host. `None` if the text has another form.
    fn parse(text: &str) -> Result<Option<RegistryModule>> {
        let parts: Vec<&str> = text.split('/').collect();
        let (host, [namespace, name, provider]) = match parts.as_slice() {
            [namespace, name, provider] => (None, [*namespace, *name, *provider]),
            [host, namespace, name, provider] => (Some(*host), [*namespace, *name, *provider]),
            _ => return Ok(None),
        };
        let named = |text: &str| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
                && !text.starts_with(['-', '_'])
                && !text.ends_with(['-', '_'])
        };
        let system = |text: &str| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if !named(namespace) || !named(name) || !system(provider) {
            return Ok(None);
        }
        let host = match host {
            None => DEFAULT_REGISTRY.to_owned(),
            Some("github.com" | "bitbucket.org" | "gitlab.com") => return Ok(None),
            Some(host) => match registry_host(host) {
                Some(host) => host,
                None => return Ok(None),
            },
        };
        let owned = |text: &str| text.to_owned();
        Ok(Some(RegistryModule {
            host,
            namespace: owned(namespace),
            name: owned(name),
            provider: owned(provider),
        }))
    }
}

/// A host name with a point in it, or `localhost`, perhaps with a port; in lower case.
fn registry_host(text: &str) -> Option<String> {
    let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let valid = (name.contains('.') || name == "localhost")
        && name.split('.').all(label)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    valid.then(|| text.to_lowercase())
}

fn remote(text: &str) -> Result<Package> {
    let (forced, rest) = match text.split_once("::") {
        Some((forced, rest)) if forced.bytes().all(|b| b.is_ascii_alphanumeric()) => (Some(forced), rest),
        _ => (None, text),
    };
    match forced {
        Some("git") => return git(rest),
        Some("http" | "https") => return http(rest),
        Some("s3") => {
            return unsupported(
                "modules in Amazon S3 are not fetched, since that needs the signatures and the credentials of AWS",
            );
        }
        Some("gcs") => {
            return unsupported(
                "modules in Google Cloud Storage are not fetched, since that needs the credentials of Google Cloud",
            );
        }
        Some("hg") => return unsupported("modules in Mercurial repositories are not fetched"),
        Some(other) => return wrong(format!("`{other}::` is no way to fetch a module"), SPELLINGS),
        None => {}
    }
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
    match (rest.split_once("://").map(|(scheme, _)| scheme), host) {
        (Some("https" | "http"), _) => http(rest),
        (Some(scheme @ ("ssh" | "git")), _) => wrong(
            format!("a URL with `{scheme}:` is fetched by git, which has to be said"),
            format!("Write \"git::{rest}\"."),
        ),
        (Some(scheme), _) => wrong(format!("`{scheme}:` is no way to fetch a module"), SPELLINGS),
        (None, "github.com" | "bitbucket.org") => git(rest),
        (None, "gitlab.com") => wrong(
            "an address that begins with a host is one of a registry",
            format!("For the git repository, write \"git::https://{rest}\"."),
        ),
        (None, host) if host.ends_with(".amazonaws.com") => unsupported(
            "modules in Amazon S3 are not fetched, since that needs the signatures and the credentials of AWS",
        ),
        (None, "www.googleapis.com") => unsupported(
            "modules in Google Cloud Storage are not fetched, since that needs the credentials of Google Cloud",
        ),
        (None, _) if secure_copy(rest).is_some_and(|(user, _, _)| user == "git") => git(rest),
        (None, _) => wrong("it has none of the forms that an address of a module can have", SPELLINGS),
    }
}

/// `user@host:path`
fn secure_copy(text: &str) -> Option<(&str, &str, &str)> {
    let (user, rest) = text.split_once('@')?;
    let (host, path) = rest.split_once(':')?;
    let plain =
        |text: &str| !text.is_empty() && !text.starts_with('-') && !text.contains(['/', ':', '@', '?']);
    (plain(user) && plain(host) && !path.is_empty()).then_some((user, host, path))
}

fn git(text: &str) -> Result<Package> {
    let host = text.split(['/', '?']).next().unwrap_or_default();
    let url = if text.contains("://") {
        text.to_owned()
    } else if matches!(host, "github.com" | "bitbucket.org") {
        hosted(text)?
    } else if let Some((user, host, path)) = secure_copy(text) {
        format!("ssh://{user}@{host}/{}", path.trim_start_matches('/'))
    } else if text.starts_with('/') {
        format!("file://{text}")
    } else {
        return wrong(
            "behind `git::` stands the URL of a repository",
            "Write \"git::https://host/path.git\" or \"git::ssh://git@host/path.git\".",
        );
    };
    let mut url =
        Url::parse(&url).or_else(|error| wrong(format!("`{url}` is no URL: {error}"), SPELLINGS))?;
    if !matches!(url.scheme(), "https" | "http" | "ssh" | "git" | "file") {
        return wrong(
            format!("git repositories are not fetched by `{}:`", url.scheme()),
            "Use `https`, `ssh`, `http`, `git` or `file`.",
        );
    }
    if url.host_str().is_some_and(|host| host.starts_with('-')) || url.username().starts_with('-') {
        return wrong("the name of a host or a user does not begin with a dash", SPELLINGS);
    }
    let mut reference = None;
    let mut depth = None;
    for (name, value) in take_arguments(&mut url, &["ref", "depth", "sshkey"]) {
        match name.as_str() {
            "ref" if value.is_empty() => {}
            "ref" => reference = Some(checked_reference(value)?),
            "depth" => {
                let number = value.parse().ok().filter(|depth| *depth > 0);
                let Some(number) = number else {
                    return wrong(format!("`depth={value}` is no number of commits"), "Write `depth=1`.");
                };
                depth = Some(number);
            }
            _ => {
                return Err(AddressError {
                    problem: "`sshkey` would put a private key into the configuration".into(),
                    help: "Add the key to the SSH agent, or name it in ~/.ssh/config: git uses both.".into(),
                    unsupported: true,
                });
            }
        }
    }
    url.set_fragment(None);
    Ok(Package::Git(GitPackage { url: url.into(), reference, depth }))
}

/// The URL of a repository at one of the known hosts.
fn hosted(text: &str) -> Result<String> {
    let (path, arguments) = text.split_at(text.find('?').unwrap_or(text.len()));
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    match parts.as_slice() {
        [host, owner, repository] if !owner.is_empty() => {
            let repository = repository.trim_end_matches(".git");
            Ok(format!("https://{host}/{owner}/{repository}.git{arguments}"))
        }
        [host, owner, repository, rest @ ..] => wrong(
            format!("behind `{host}/` stand an owner and a repository, and nothing else"),
            format!(
                "For a folder in it, write \"{host}/{owner}/{repository}//{}{arguments}\".",
                rest.join("/")
            ),
        ),
        [host, ..] => wrong(
            format!("behind `{host}/` stand an owner and a repository"),
            format!("Write \"{host}/owner/repository\"."),
        ),
        [] => wrong("the address is empty", SPELLINGS),
    }
}

/// A revision that can be nothing but a revision.
fn checked_reference(text: String) -> Result<String> {
    if text.contains("//") {
        let (reference, folder) = text.split_once("//").unwrap_or((&text, ""));
        return wrong(
            format!("`ref={text}` is no revision"),
            format!("The folder stands before the arguments: write \"//{folder}?ref={reference}\"."),
        );
    }
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, ':' | '*' | '?' | '[' | '\\');
    if text.starts_with(['-', '+']) || text.contains(odd) || text.contains("..") || text.contains("@{") {
        return wrong(format!("`ref={text}` is no revision"), "Name a branch, a tag or a commit.");
    }
    Ok(text)
}

fn http(text: &str) -> Result<Package> {
    let mut url =
        Url::parse(text).or_else(|error| wrong(format!("`{text}` is no URL: {error}"), SPELLINGS))?;
    if !matches!(url.scheme(), "https" | "http") {
        return wrong(format!("`{}:` is no way to fetch an archive", url.scheme()), SPELLINGS);
    }
    let mut archive = ArchiveKind::of_name(url.path());
    let mut checksum = None;
    for (name, value) in take_arguments(&mut url, &["archive", "checksum", "filename"]) {
        match name.as_str() {
            "archive" => match ArchiveKind::named(&value) {
                Some(kind) => archive = Some(kind),
                None => {
                    return wrong(
                        format!("`archive={value}` is no kind of archive that can be unpacked"),
                        "The kinds are zip, tar, tar.gz, tar.bz2, tar.xz and tar.zst.",
                    );
                }
            },
            "checksum" => checksum = Some(Checksum::parse(&value)?),
            _ => {}
        }
    }
    if checksum.is_some() && archive.is_none() {
        return wrong(
            "a checksum is that of an archive, and this address does not say that it leads to one",
            "Add `archive=zip` or another kind to the arguments.",
        );
    }
    url.set_fragment(None);
    Ok(Package::Http(HttpPackage { url: url.into(), archive, checksum }))
}

/// Removes arguments from a URL and gives their names and values.
fn take_arguments(url: &mut Url, names: &[&str]) -> Vec<(String, String)> {
    let all: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let (taken, left): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(name, _)| names.contains(&name.as_str()));
    if taken.is_empty() {
        return taken;
    }
    match left.is_empty() {
        true => url.set_query(None),
        false => drop(url.query_pairs_mut().clear().extend_pairs(left)),
    }
    taken
}

impl ArchiveKind {
    /// The kind with a name as it is written behind `archive=`.
    pub fn named(name: &str) -> Option<ArchiveKind> {
        Some(match name {
            "zip" => ArchiveKind::Zip,
            "tar" => ArchiveKind::Tar,
            "tar.gz" | "tgz" => ArchiveKind::TarGz,
            "tar.bz2" | "tbz2" => ArchiveKind::TarBz2,
            "tar.xz" | "txz" => ArchiveKind::TarXz,
            "tar.zst" | "tzst" => ArchiveKind::TarZst,
            _ => return None,
        })
    }

    /// The kind that the name of a file tells.
    pub fn of_name(path: &str) -> Option<ArchiveKind> {
        let name = path.rsplit('/').next()?;
        let endings = name.match_indices('.').map(|(at, _)| &name[at + 1..]);
        endings.filter_map(ArchiveKind::named).next()
    }
}

impl Checksum {
    fn parse(text: &str) -> Result<Checksum> {
        let help = "Write `checksum=sha256:` and 64 hexadecimal digits.";
        let (name, digits) = match text.split_once(':') {
            Some(("file", _)) => {
                return unsupported(
                    "a checksum that has to be fetched from beside the archive says nothing about it",
                );
            }
            Some((name, digits)) => (Some(name), digits),
            None => (None, text),
        };
        let algorithm = match (name, digits.len()) {
            (Some("md5") | None, 32) => Algorithm::Md5,
            (Some("sha1") | None, 40) => Algorithm::Sha1,
            (Some("sha256") | None, 64) => Algorithm::Sha256,
            (Some("sha512") | None, 128) => Algorithm::Sha512,
            _ => return wrong(format!("`checksum={text}` is no checksum"), help),
        };
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return wrong(format!("`checksum={text}` is no checksum"), help);
        }
        Ok(Checksum { algorithm, digits: digits.to_lowercase() })
    }
}

impl fmt::Display for ModuleAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let package = self.package.to_string();
        if self.folder.is_empty() {
            return f.write_str(&package);
        }
        let (before, arguments) = package.split_at(package.find('?').unwrap_or(package.len()));
        write!(f, "{before}//{}{arguments}", self.folder)
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Package::Registry(module) => module.fmt(f),
            Package::Git(git) => git.fmt(f),
            Package::Http(http) => http.fmt(f),
        }
    }
}

impl fmt::Display for RegistryModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.host, self.namespace, self.name, self.provider)
    }
}

impl fmt::Display for GitPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = without_password(&self.url);
        if let (Some(url), Some(reference)) = (&mut url, &self.reference) {
            url.query_pairs_mut().append_pair("ref", reference);
        }
        match url {
            // A slash in the name of a branch is legible, and allowed in a query.
            Some(url) => write!(f, "git::{}", url.as_str().replace("%2F", "/")),
            None => f.write_str("git::"),
        }
    }
}

impl fmt::Display for HttpPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match without_password(&self.url) {
            Some(url) => f.write_str(url.as_str()),
            None => Ok(()),
        }
    }
}

/// The URL without a password; a name of a user stays, since for SSH it is part of the place.
pub fn without_password(url: &str) -> Option<Url> {
    let mut url = Url::parse(url).ok()?;
    if url.password().is_some() || matches!(url.scheme(), "https" | "http") {
        // Neither fails for a URL that has a host, and only such a one has a password.
        let _ = url.set_password(None);
    }
    if matches!(url.scheme(), "https" | "http") {
        let _ = url.set_username("");
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match ModuleAddress::parse(text) {
            Ok(ModuleAddress { package, folder }) => format!("{package} {folder}").trim_end().to_owned(),
            Err(error) => format!("error: {error}"),
        }
    }

    /// What is written; what Terraform 1.11.4 made of it in its list of installed modules, and here the folder apart.
    #[test]
    fn every_spelling_names_one_package() {
        for (text, wanted) in [
            ("hashicorp/consul/aws", "registry.terraform.io/hashicorp/consul/aws"),
            ("hashicorp/consul/aws//modules/x", "registry.terraform.io/hashicorp/consul/aws modules/x"),
            ("Example.com:8443/a/b/c", "example.com:8443/a/b/c"),
            ("github.com/acme/net", "git::https://github.com/acme/net.git"),
            ("github.com/acme/net.git//a?ref=v1", "git::https://github.com/acme/net.git?ref=v1 a"),
            ("bitbucket.org/acme/net?ref=v1", "git::https://bitbucket.org/acme/net.git?ref=v1"),
            ("git@github.com:acme/net.git//a/b?ref=v1", "git::ssh://git@github.com/acme/net.git?ref=v1 a/b"),
            ("git::me@host.io:x/y.git", "git::ssh://me@host.io/x/y.git"),
            ("git::ssh://git@host.io:22/x.git", "git::ssh://git@host.io:22/x.git"),
            ("git::https://u:p@host.io/x.git?depth=1&ref=a/b", "git::https://host.io/x.git?ref=a/b"),
            ("git::https://host.io/x.git?other=1&ref=v1", "git::https://host.io/x.git?other=1&ref=v1"),
            ("git::file:///srv/net//./a/", "git::file:///srv/net a"),
            ("git::/srv/net", "git::file:///srv/net"),
            (
                "https://host.io/a.zip//m?checksum=md5:00000000000000000000000000000000",
                "https://host.io/a.zip m",
            ),
            ("https://user:secret@host.io/a?archive=tgz&x=1", "https://host.io/a?x=1"),
            ("http://host.io/page", "http://host.io/page"),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_fetched_is_refused_with_a_reason() {
        for (text, wanted) in [
            ("", "the address is empty"),
            (".", "a local address begins"),
            ("a b/c/d", "which no address has"),
            ("network", "none of the forms"),
            ("a/b", "none of the forms"),
            ("a/b/AWS", "none of the forms"),
            ("--upload-pack=x", "does not begin with a dash"),
            ("git::--upload-pack=x", "behind `git::` stands the URL"),
            ("git::ext::sh -c x", "which no address has"),
            ("git::ext::sh", "behind `git::` stands the URL"),
            ("git::ext://x", "not fetched by `ext:`"),
            ("git::https://h/x?ref=--output=x", "is no revision"),
            ("git::https://h/x?ref=%2bx:y", "is no revision"),
            ("git::https://h/x?ref=v1//sub", "is no revision"),
            ("git::https://h/x?depth=none", "is no number of commits"),
            ("git::ssh://-oProxyCommand=x/y", "does not begin with a dash"),
            ("git::ssh://-x@host/y", "does not begin with a dash"),
            ("git::https://h/x?sshkey=abc", "would put a private key"),
            ("git::https://h/x//../y", "leads out of the package"),
            ("github.com/acme", "stand an owner and a repository"),
            ("github.com/acme/net/a", "and nothing else"),
            ("gitlab.com/a/b/c", "is one of a registry"),
            ("ssh://git@host/x.git", "fetched by git, which has to be said"),
            ("ftp://host/x.zip", "no way to fetch a module"),
            ("s3::https://s3.amazonaws.com/b/x.zip", "Amazon S3"),
            ("bucket.s3.amazonaws.com/x.zip", "Amazon S3"),
            ("gcs::https://www.googleapis.com/storage/v1/b/x.zip", "Google Cloud Storage"),
            ("www.googleapis.com/storage/v1/b/x.zip", "Google Cloud Storage"),
            ("hg::https://host/x", "Mercurial"),
            ("https://h/x?archive=rar", "no kind of archive"),
            ("https://h/x.zip?checksum=sha256:12", "is no checksum"),
            ("https://h/x.zip?checksum=file:https://h/sums", "says nothing about it"),
            (
                "https://h/x?checksum=md5:00000000000000000000000000000000",
                "does not say that it leads to one",
            ),
        ] {
            assert!(shown(text).contains(wanted), "{text}: {}", shown(text));
        }
    }
}
