//! Fetches archives, follows pages that say where a module is, and asks registries.
//!
//! A page, or a registry, answers with another address, in the header `X-Terraform-Get` or in a `<meta name="terraform-get">` element.
//! Such an address may lead to git or to another archive, but never to files of this machine.

use std::fs::File;
use std::io::{self, Seek as _};
use std::path::Path;

use plumb_model::Diagnostic;
use plumb_provider_install::Version;
use plumb_registry::archive::{self, ArchiveError, Rules};
use plumb_registry::{Answer, Authorization, FetchError, Hosts, Request, Url};
use serde::Deserialize;

use crate::address::{Algorithm, ArchiveKind, Checksum, HttpPackage, ModuleAddress, Package, RegistryModule};
use crate::digest::hex;
use crate::netrc;

/// The header in which servers say where a module is.
const GET_HEADER: &str = "x-terraform-get";

/// The service of registries that knows modules.
const SERVICE: &str = "modules.v1";

/// The most bytes of a page or a list of versions.
const MAX_DOCUMENT: usize = 16 << 20;

/// The most bytes of an archive.
const MAX_ARCHIVE: u64 = 2 << 30;

/// What an archive of a module may have in it. Links are looked at again when the package is whole.
const RULES: Rules = Rules { links: true, entries: 200_000, bytes: 8 << 30 };

/// Asks web servers for modules.
#[derive(Debug)]
pub(crate) struct Web {
    hosts: Hosts,
}

impl Web {
    pub(crate) fn new(hosts: Hosts) -> Web {
        Web { hosts }
    }

    /// The versions that a registry has of a module; those that are none are left out.
    pub(crate) async fn versions(&self, module: &RegistryModule) -> Result<Vec<Version>, Diagnostic> {
        #[derive(Deserialize)]
        struct List {
            modules: Vec<Module>,
        }
        #[derive(Deserialize)]
        struct Module {
            versions: Vec<Published>,
        }
        #[derive(Deserialize)]
        struct Published {
            version: String,
        }
        let answer = self.ask_registry(module, "versions").await?;
        let list: List = serde_json::from_slice(&answer.body)
            .map_err(|error| garbage(module, &format!("its list of versions cannot be read: {error}")))?;
        let published = list.modules.into_iter().flat_map(|module| module.versions);
        Ok(published.filter_map(|published| published.version.parse().ok()).collect())
    }

    /// Where a registry says that a version of a module is.
    pub(crate) async fn location(
        &self,
        module: &RegistryModule,
        version: &Version,
    ) -> Result<ModuleAddress, Diagnostic> {
        #[derive(Deserialize)]
        struct Body {
            location: String,
        }
        let answer = self.ask_registry(module, &format!("{version}/download")).await?;
        let location = match answer.header(GET_HEADER) {
            Some(location) => location.to_owned(),
            None => match serde_json::from_slice::<Body>(&answer.body) {
                Ok(body) => body.location,
                Err(_) => return Err(garbage(module, "it does not say where the module is")),
            },
        };
        told(&location, &answer.url).map_err(|problem| garbage(module, &problem))
    }

    async fn ask_registry(&self, module: &RegistryModule, what: &str) -> Result<Answer, Diagnostic> {
        let failed = |problem: String| {
            not_fetched(format!("{module}: {problem}."))
                .help("Check the name of the host, and that it can be reached from here.")
        };
        let base =
            self.hosts.service(&module.host, SERVICE).await.map_err(|error| failed(error.to_string()))?;
        let authorization =
            self.hosts.authorization(&module.host).await.map_err(|error| failed(error.to_string()))?;
        let RegistryModule { namespace, name, provider, .. } = module;
        let url = base
            .join(&format!("{namespace}/{name}/{provider}/{what}"))
            .map_err(|error| failed(error.to_string()))?;
        let request = Request::json(url).authorized(authorization.clone());
        self.hosts.client().get(&request, MAX_DOCUMENT).await.map_err(|error| match error {
            error if error.is_not_found() => not_fetched(format!(
                "The registry {} has no module {namespace}/{name}/{provider}.",
                module.host
            ))
            .help("Check the spelling of the address, and whether the registry shows it to you."),
            error if error.is_denied() => {
                not_fetched(format!("{module}: {error}.")).help(match authorization {
                    None => format!(
                        "Log in: save a token for {} with `terraform login {}`, or in TF_TOKEN_….",
                        module.host, module.host
                    ),
                    Some(_) => format!(
                        "The token for {} does not allow this, or has expired; save another one.",
                        module.host
                    ),
                })
            }
            error => failed(error.to_string()),
        })
    }

    /// Where a page says that a module is.
    pub(crate) async fn page(&self, package: &HttpPackage) -> Result<ModuleAddress, Diagnostic> {
        let mut url = parse(package)?;
        url.query_pairs_mut().append_pair("terraform-get", "1");
        let request = request(url);
        let answer =
            self.hosts.client().get(&request, MAX_DOCUMENT).await.map_err(|error| failed(package, &error))?;
        let said = match answer.header(GET_HEADER) {
            Some(said) => Some(said.to_owned()),
            None => meta(&String::from_utf8_lossy(&answer.body)),
        };
        let Some(said) = said else {
            return Err(not_fetched(format!(
                "{package} is neither an archive, by its name, nor a page that says where the module is."
            ))
            .help("If it is an archive, say of which kind: add `archive=zip` to its arguments. If it is a git repository, write `git::` in front."));
        };
        told(&said, &answer.url)
            .map_err(|problem| not_fetched(format!("{package} says where the module is, but {problem}.")))
    }

    /// Downloads an archive and unpacks it into a folder.
    pub(crate) async fn archive(
        &self,
        package: &HttpPackage,
        kind: ArchiveKind,
        folder: &Path,
    ) -> Result<(), Diagnostic> {
        let disk = |error: io::Error| not_fetched(format!("{package} cannot be saved: {error}."));
        let beside = folder.parent().unwrap_or(folder);
        let mut file = tempfile::tempfile_in(beside).map_err(disk)?;
        let request = request(parse(package)?);
        self.hosts
            .client()
            .download(&request, &mut file, MAX_ARCHIVE, &|_, _| {})
            .await
            .map_err(|error| failed(package, &error))?;
        file.rewind().map_err(disk)?;
        if let Some(wanted) = &package.checksum {
            let digits = checksum(wanted.algorithm, &mut file).map_err(disk)?;
            if digits != wanted.digits {
                return Err(wrong_checksum(package, wanted, &digits));
            }
            file.rewind().map_err(disk)?;
        }
        unpack(file, kind, folder).map_err(|error| {
            not_fetched(format!("{package} cannot be unpacked: {error}."))
                .help("Make the archive again; modules consist of files and folders with plain names.")
        })
    }
}

/// The address that a server gave, which may be relative to where it gave it.
fn told(text: &str, at: &Url) -> Result<ModuleAddress, String> {
    let relative = ["./", "../", "/"].iter().any(|start| text.starts_with(start));
    let text = match relative {
        true => at.join(text).map_err(|error| format!("{text:?} is no address: {error}"))?.to_string(),
        false => text.to_owned(),
    };
    let address =
        ModuleAddress::parse(&text).map_err(|error| format!("the address {text:?} is of no use: {error}"))?;
    match &address.package {
        Package::Registry(_) => Err(format!("the address {text:?} is one of a registry again")),
        Package::Git(git) if git.url.starts_with("file:") => {
            Err(format!("the address {text:?} leads to files of this machine"))
        }
        Package::Git(_) | Package::Http(_) => Ok(address),
    }
}

fn parse(package: &HttpPackage) -> Result<Url, Diagnostic> {
    Url::parse(&package.url).map_err(|error| not_fetched(format!("{package} is no URL: {error}.")))
}

/// The name and the password in a URL, or in `.netrc` for its host, are sent; plain HTTP is for those who wrote it.
fn request(mut url: Url) -> Request {
    let plain = url.scheme() == "http";
    let decoded = |text: &str| {
        let pairs = format!("x={}", text.replace('+', "%2B"));
        url::form_urlencoded::parse(pairs.as_bytes()).map(|(_, value)| value.into_owned()).collect::<String>()
    };
    let authorization = match (url.username(), url.password()) {
        ("", None) => {
            url.host_str().and_then(netrc::login).map(|(user, password)| Authorization::Basic(user, password))
        }
        (user, password) => Some(Authorization::Basic(decoded(user), decoded(password.unwrap_or_default()))),
    };
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Request::new(url).authorized(authorization).plain(plain)
}

fn not_fetched(detail: String) -> Diagnostic {
    Diagnostic::error("module-not-fetched", "Module cannot be fetched").detail(detail)
}

fn failed(package: &HttpPackage, error: &FetchError) -> Diagnostic {
    let diagnostic = not_fetched(format!("{package}: {error}."));
    match error.is_not_found() {
        true => diagnostic.help("Check the address."),
        false => diagnostic.help("Check the address, and that the server can be reached from here."),
    }
}

fn garbage(module: &RegistryModule, problem: &str) -> Diagnostic {
    not_fetched(format!("The registry {} gives no useful answer about {module}: {problem}.", module.host))
        .help("Tell those who run the registry.")
}

fn wrong_checksum(package: &HttpPackage, wanted: &Checksum, found: &str) -> Diagnostic {
    Diagnostic::error("module-checksum", "Checksum of a module does not match")
        .detail(format!(
            "The archive {package} has the checksum {found}, and the address says {}.",
            wanted.digits
        ))
        .help("If the archive was meant to change, correct `checksum` in the address.")
}

/// The content of `<meta name="terraform-get" content="…">`. Case and the order of attributes do not matter, as little as
/// anything else about the page.
fn meta(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = lower[from..].find("<meta").map(|at| from + at) {
        let end = lower[at..].find('>').map(|end| at + end)?;
        let tag = &page[at..end];
        if attribute(tag, "name").is_some_and(|name| name.eq_ignore_ascii_case("terraform-get")) {
            return attribute(tag, "content");
        }
        from = end;
    }
    None
}

fn attribute(tag: &str, wanted: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let mut from = 0;
    loop {
        let at = from + lower[from..].find(wanted)?;
        from = at + wanted.len();
        let alone = lower[..at].ends_with(|c: char| c.is_ascii_whitespace() || c == '"' || c == '\'');
        let Some(value) = tag[from..].trim_start().strip_prefix('=').filter(|_| alone) else { continue };
        let value = value.trim_start();
        let text = match value.chars().next()? {
            quote @ ('"' | '\'') => value[1..].split(quote).next()?,
            _ => value.split(|c: char| c.is_ascii_whitespace() || c == '/').next()?,
        };
        return Some(text.replace("&amp;", "&"));
    }
}

fn checksum(algorithm: Algorithm, file: &mut File) -> io::Result<String> {
    fn of<D: sha2::Digest + io::Write>(file: &mut File) -> io::Result<String> {
        let mut hasher = D::new();
        io::copy(file, &mut hasher)?;
        Ok(hex(&hasher.finalize()))
    }
    match algorithm {
        Algorithm::Md5 => of::<md5::Md5>(file),
        Algorithm::Sha1 => of::<sha1::Sha1>(file),
        Algorithm::Sha256 => of::<sha2::Sha256>(file),
        Algorithm::Sha512 => of::<sha2::Sha512>(file),
    }
}

fn unpack(file: File, kind: ArchiveKind, folder: &Path) -> Result<(), ArchiveError> {
    let file = io::BufReader::new(file);
    match kind {
        ArchiveKind::Zip => archive::zip(file, folder, &RULES),
        ArchiveKind::Tar => archive::tar(file, folder, &RULES),
        ArchiveKind::TarGz => archive::tar_gz(file, folder, &RULES),
        ArchiveKind::TarBz2 => archive::tar(bzip2::bufread::MultiBzDecoder::new(file), folder, &RULES),
        ArchiveKind::TarXz => archive::tar(lzma_rust2::XzReader::new(file, true), folder, &RULES),
        ArchiveKind::TarZst => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(file)
                .map_err(|error| ArchiveError::Unreadable(error.to_string()))?;
            archive::tar(decoder, folder, &RULES)
        }
    }
}
