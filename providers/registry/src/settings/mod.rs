//! The command-line configuration: what a user says once for all working directories.
//!
//! Plumb's own file is the one that `PLUMB_CLI_CONFIG_FILE` names, or else `config` or `config.json` in `$XDG_CONFIG_HOME/plumb` (usually
//! `~/.config/plumb`). Where there is none, Terraform's files are read in its order: the one that `TF_CLI_CONFIG_FILE` names, or else
//! `~/.terraformrc` and the `*.tfrc` and `*.tfrc.json` files in `~/.terraform.d`. Both have the same syntax ([`syntax`]).
//! Tokens that `terraform login` saved are known in any case.
//!
//! This module knows files, hosts and credentials. Other settings are kept as they are written, for those whom they concern.

pub mod syntax;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Diagnostics};

use syntax::{Item, Setting};

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct SettingsError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong; a clause.
    pub problem: String,
}

/// Names at the top of a file. Those without use here are Terraform's, and mean nothing to Plumb.
const KNOWN: [&str; 10] = [
    "credentials",
    "credentials_helper",
    "disable_checkpoint",
    "disable_checkpoint_signature",
    "host",
    "plugin_cache_dir",
    "plugin_cache_may_break_dependency_lock_file",
    "provider_installation",
    "providers",
    "provisioners",
];

/// A program that knows tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helper {
    /// Its name: the program is `terraform-credentials-NAME`.
    pub name: String,
    /// What it is given in front of the command.
    pub args: Vec<String>,
}

/// A setting that concerns others, and the file it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// The file.
    pub file: PathBuf,
    /// The setting.
    pub item: Item,
}

/// What the files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The services of hosts that are not to be asked for them: URLs, or objects, by service.
    pub hosts: BTreeMap<String, BTreeMap<String, String>>,
    /// Tokens by host.
    pub tokens: BTreeMap<String, String>,
    /// Tokens by host that `terraform login` saved.
    pub saved_tokens: BTreeMap<String, String>,
    /// Who else knows tokens.
    pub helper: Option<Helper>,
    /// Everything else, in the order of the files.
    pub others: Vec<Other>,
}

impl Settings {
    /// Reads the files that the environment names. Warnings are among what is given; nothing is if there are errors.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub fn load() -> Result<(Settings, Diagnostics), Diagnostics> {
        let mut settings = Settings::default();
        let mut found = Diagnostics::new();
        for file in files() {
            let text = match std::fs::read_to_string(&file.path) {
                Ok(text) => text,
                Err(error) => {
                    if file.named || error.kind() != std::io::ErrorKind::NotFound {
                        found.push(unreadable(&file, &error));
                    }
                    continue;
                }
            };
            found.extend(settings.add(&file.path, &text));
        }
        settings.add_saved_tokens(&mut found);
        if found.has_errors() { Err(found) } else { Ok((settings, found)) }
    }

    /// Adds what the text of a file says; of a setting that may be there once, what was said first stays.
    pub fn add(&mut self, file: &Path, text: &str) -> Diagnostics {
        let mut found = Diagnostics::new();
        let items = match syntax::parse(text) {
            Ok(items) => items,
            Err(error) => return invalid(file, &error).into(),
        };
        for item in items {
            if let Err(error) = self.take(file, item, &mut found) {
                found.push(invalid(file, &error));
            }
        }
        found
    }

    fn take(&mut self, file: &Path, item: Item, found: &mut Diagnostics) -> Result<(), SettingsError> {
        match (item.names[0].as_str(), item.names.get(1)) {
            ("credentials", Some(host)) => {
                let host = host_name(&item, host)?;
                if let Some(token) = item.block()?.iter().find(|inner| inner.names == ["token"]) {
                    self.tokens.entry(host).or_insert(token.text()?.to_owned());
                }
            }
            ("host", Some(host)) => {
                let host = host_name(&item, host)?;
                let mut services = BTreeMap::new();
                for inner in item.block()? {
                    if inner.names != ["services"] {
                        found.push(unknown(file, inner, &format!("host {host:?}"), &["services"]));
                        continue;
                    }
                    for service in inner.block()? {
                        // Some services are described by objects; none that is used here is.
                        if let Setting::Text(url) = &service.value {
                            services.insert(service.names[0].clone(), url.clone());
                        }
                    }
                }
                self.hosts.entry(host).or_insert(services);
            }
            ("credentials_helper", Some(name)) => {
                if self.helper.is_some() {
                    return Err(item.wrong("there may be one `credentials_helper` only"));
                }
                let args = item.block()?.iter().find(|inner| inner.names == ["args"]);
                let args = args.map(Item::texts).transpose()?.unwrap_or_default();
                self.helper = Some(Helper { name: name.clone(), args });
            }
            ("credentials" | "host" | "credentials_helper", None) => {
                return Err(item.wrong(format!("`{}` needs a name behind it, in quotes", item.names[0])));
            }
            (name, _) => {
                if !KNOWN.contains(&name) {
                    found.push(unknown(file, &item, "", &KNOWN));
                }
                self.others.push(Other { file: file.to_owned(), item });
            }
        }
        Ok(())
    }

    fn add_saved_tokens(&mut self, found: &mut Diagnostics) {
        let Some(path) = home().map(|home| home.join(".terraform.d/credentials.tfrc.json")) else { return };
        let Ok(text) = std::fs::read_to_string(&path) else { return };
        let mut saved = Settings::default();
        found.extend(saved.add(&path, &text));
        self.saved_tokens = saved.tokens;
    }
}

/// The normal form of the name of a host: lower case, in ASCII, without the usual port. `None` if it is none.
pub fn normal_host(text: &str) -> Option<String> {
    let text = text.trim_end_matches('.');
    let url = url::Url::parse(&format!("https://{text}/")).ok()?;
    let host = url.host_str()?;
    let whole = url.username().is_empty() && url.path() == "/" && !text.contains(['/', '?', '#', '@']);
    whole.then(|| url.port().map_or(host.to_owned(), |port| format!("{host}:{port}")))
}

fn host_name(item: &Item, text: &str) -> Result<String, SettingsError> {
    normal_host(text)
        .ok_or_else(|| item.wrong(format!("{text:?} is not the name of a host, such as \"example.com\"")))
}

/// An error at a place in a file.
pub fn invalid(file: &Path, error: &SettingsError) -> Diagnostic {
    Diagnostic::error("invalid-cli-config", "Invalid command-line configuration")
        .detail(format!("{}, {error}.", file.display()))
        .help("Correct the file, or name another one in `PLUMB_CLI_CONFIG_FILE`.")
}

/// A warning about a setting that means nothing; `place` names the block around it, and is empty at the top.
pub fn unknown(file: &Path, item: &Item, place: &str, known: &[&str]) -> Diagnostic {
    let inside = if place.is_empty() { String::new() } else { format!(" in `{place}`") };
    let all = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Diagnostic::warning("unknown-cli-setting", "Unknown setting in the command-line configuration")
        .detail(format!(
            "{}, line {}: `{}` means nothing{inside}, and is passed over.",
            file.display(),
            item.line,
            item.names[0]
        ))
        .maybe_help(did_you_mean(&item.names[0], known.iter().copied()))
        .note(format!("Known here: {all}."))
}

fn unreadable(file: &Named, error: &std::io::Error) -> Diagnostic {
    let why = if file.named { " (named in the environment)" } else { "" };
    Diagnostic::warning("cli-config-unreadable", "Command-line configuration cannot be read")
        .detail(format!("{}{why}: {error}.", file.path.display()))
        .help("Correct the name or the permissions; until then the settings in it do not hold.")
}

/// The home folder.
pub fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

/// A file, and whether the environment names it.
struct Named {
    path: PathBuf,
    named: bool,
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn files() -> Vec<Named> {
    let named = |path: PathBuf| vec![Named { path, named: true }];
    if let Some(path) = variable("PLUMB_CLI_CONFIG_FILE") {
        return named(path);
    }
    let own = variable("XDG_CONFIG_HOME").or_else(|| home().map(|home| home.join(".config")));
    let own = own.map(|folder| folder.join("plumb"));
    let own = own.iter().flat_map(|folder| [folder.join("config"), folder.join("config.json")]);
    let own: Vec<Named> =
        own.filter(|path| path.is_file()).map(|path| Named { path, named: false }).collect();
    if !own.is_empty() {
        return own;
    }
    if let Some(path) = variable("TF_CLI_CONFIG_FILE") {
        return named(path);
    }
    let Some(home) = home() else { return Vec::new() };
    let in_folder = |folder: &Path| -> BTreeSet<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let is_settings = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // Saved tokens are read on their own.
            (name.ends_with(".tfrc") || name.ends_with(".tfrc.json")) && name != "credentials.tfrc.json"
        };
        paths.filter(is_settings).collect()
    };
    let mut files = vec![home.join(".terraformrc")];
    files.extend(in_folder(&home.join(".terraform.d")));
    files.into_iter().map(|path| Named { path, named: false }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Settings, Diagnostics) {
        let mut settings = Settings::default();
        let found = settings.add(Path::new("rc"), text);
        (settings, found)
    }

    #[test]
    fn hosts_and_credentials_are_read_and_the_rest_is_kept() {
        let (settings, found) = read(
            r#"
            credentials "Registry.Example.com:443" { token = "secret" }
            credentials_helper "vault" { args = ["-v", "x"] }
            host "example.com" { services = { "providers.v1" = "https://p.example.com/v1/" } }
            plugin_cache_dir = "/cache"
            disable_checkpoint = true
            "#,
        );
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(settings.tokens["registry.example.com"], "secret");
        assert_eq!(settings.hosts["example.com"]["providers.v1"], "https://p.example.com/v1/");
        assert_eq!(settings.helper.unwrap().args, ["-v", "x"]);
        let others: Vec<&str> = settings.others.iter().map(|other| other.item.names[0].as_str()).collect();
        assert_eq!(others, ["plugin_cache_dir", "disable_checkpoint"]);
    }

    #[test]
    fn the_two_syntaxes_say_the_same() {
        let native = read("credentials \"a.com\" {\n token = \"x\"\n}\nhost \"b.com\" {\n services = {\n \"m\" = \"u\"\n }\n}").0;
        let json = read(
            r#"{"credentials": {"a.com": {"token": "x"}}, "host": {"b.com": {"services": {"m": "u"}}}}"#,
        )
        .0;
        assert_eq!(native, json);
    }

    #[test]
    fn what_means_nothing_is_a_warning_and_what_is_wrong_an_error() {
        let (_, found) = read("plugin_cash_dir = \"/x\"");
        let warning = found.iter().next().unwrap();
        assert_eq!((warning.code, warning.is_error()), ("unknown-cli-setting", false));
        assert!(warning.help.as_ref().unwrap().contains("plugin_cache_dir"), "{warning:?}");
        for (text, wanted) in [
            ("\n\ncredentials { token = \"x\" }", "line 3: `credentials` needs a name"),
            ("credentials \"a b\" {}", "not the name of a host"),
            ("credentials \"a.com\" { token = [] }", "`token` is a text"),
            ("credentials_helper \"a\" {}\ncredentials_helper \"b\" {}", "line 2: there may be one"),
        ] {
            let (_, found) = read(text);
            assert!(
                found.has_errors() && found.iter().any(|d| d.detail.contains(wanted)),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn hosts_have_a_normal_form() {
        for (text, wanted) in [
            ("Example.COM", Some("example.com")),
            ("example.com:443", Some("example.com")),
            ("localhost:8443", Some("localhost:8443")),
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("a/b", None),
            ("", None),
        ] {
            assert_eq!(normal_host(text).as_deref(), wanted, "{text}");
        }
    }
}
