//! The provider `file`: files on this machine.
//!
//! Elsewhere: touching the disk is `disk`.

use std::collections::BTreeSet;
use std::path::Path as FilePath;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plumb_model::{Diagnostic, Diagnostics, Path, Value};
use plumb_provider_api::Provider;
use plumb_provider_sdk::check::not_empty;
use plumb_provider_sdk::{
    Attr, Checks, Context, DataSource, Failed, Model, Planning, ProviderBuilder, Resource, async_trait,
};
use serde::{Deserialize, Serialize};

mod disk;

use crate::blocking;
use disk::{Digests, Found};

/// The provider.
pub fn provider() -> Arc<dyn Provider> {
    ProviderBuilder::new("file").resource("file", Files).data_source("file", ReadFile).build()
}

/// A file with a given content.
///
/// Exactly one of `content`, `sensitive_content`, `content_base64` and `source` says what is in it. It is written
/// beside its place and renamed into it, so that nobody ever sees half of it. Directories that do not exist are
/// made; they belong to the file and are removed with it once they are empty. A file that exists already and has
/// another content is not touched, unless `overwrite` says so.
///
/// Import by path.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct File {
    /// Where it is.
    #[attribute(required, requires_replace)]
    pub path: Attr<String>,
    /// The content, as text.
    #[attribute(optional)]
    pub content: Attr<String>,
    /// The content, as text that is never shown. There are no digests of it.
    #[attribute(optional, sensitive)]
    pub sensitive_content: Attr<String>,
    /// The content, as Base64 of any bytes.
    #[attribute(optional)]
    pub content_base64: Attr<String>,
    /// A file to copy the content from. State keeps digests only.
    #[attribute(optional)]
    pub source: Attr<String>,
    /// Who may read, write and execute it: three or four octal digits.
    #[attribute(default = "0644")]
    pub mode: Attr<String>,
    /// The same for directories that are made.
    #[attribute(default = "0755")]
    pub directory_mode: Attr<String>,
    /// Whether to replace a file that exists already with another content when this one is created.
    #[attribute(default = false)]
    pub overwrite: Attr<bool>,
    /// The path.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub id: Attr<String>,
    /// How many bytes it has.
    #[attribute(computed, not_null)]
    pub size: Attr<u64>,
    /// SHA-256 of the content, in hexadecimal digits.
    #[attribute(computed)]
    pub sha256: Attr<String>,
    /// SHA-256 of the content, in Base64.
    #[attribute(computed)]
    pub base64sha256: Attr<String>,
    /// MD5 of the content, in hexadecimal digits.
    #[attribute(computed)]
    pub md5: Attr<String>,
}

/// What is remembered with a file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Remembered {
    /// Directories that did not exist before it.
    #[serde(default)]
    made: BTreeSet<String>,
    /// Of a creation that has not been seen to end: something else was at the path when it was planned.
    #[serde(default)]
    foreign: bool,
}

struct Files;

#[async_trait]
impl Resource for Files {
    type Model = File;
    type Client = ();

    fn validate(&self, config: &File, checks: &mut Checks) {
        checks.attribute("path", &config.path, not_empty());
        checks.exactly_one_of(&[
            ("content", (&config.content).into()),
            ("sensitive_content", (&config.sensitive_content).into()),
            ("content_base64", (&config.content_base64).into()),
            ("source", (&config.source).into()),
        ]);
        checks.attribute("content_base64", &config.content_base64, |text| match STANDARD.decode(text) {
            Ok(_) => Ok(()),
            Err(e) => Err(format!("Found text that is not Base64: {e}.")),
        });
        for (name, mode) in [("mode", &config.mode), ("directory_mode", &config.directory_mode)] {
            checks.attribute(name, mode, |mode| parse_mode(mode).map(|_| ()));
        }
    }

    async fn plan(&self, plan: &mut Planning<'_>, context: &mut Context<()>) -> Result<(), Diagnostics> {
        let path = plan.planned_value("path").as_str().cloned();
        if plan.is_create()
            && let Some(path) = &path
        {
            let mut remembered: Remembered = context.private.get();
            remembered.made.extend(disk::missing_directories(FilePath::new(path.as_str())));
            remembered.foreign = disk::exists(FilePath::new(path.as_str()));
            context.private.set(&remembered);
        }
        if let Some(path) = path {
            plan.set("id", Value::String(path));
        }
        if plan.planned_value("mode").as_str().is_some_and(|mode| parse_mode(mode).is_err()) {
            return Ok(()); // Validation tells.
        }
        plan_content(plan, context).await
    }

    async fn create(&self, planned: File, context: &mut Context<()>) -> Result<File, Failed<File>> {
        let write = Write::new(&planned)?;
        let mut remembered: Remembered = context.private.get();
        let (outcome, made) = blocking(move || {
            let mut made = Vec::new();
            (write.create(&mut made), made)
        })
        .await;
        remembered.made.extend(made);
        remembered.made.extend(disk::shared_above(FilePath::new(planned.path.text())));
        remembered.foreign = false;
        let (digests, adopted) = outcome?;
        disk::share(&remembered.made);
        context.private.set(&remembered);
        if adopted {
            context.warn(
                Diagnostic::warning("file-adopted", "File existed already")
                    .detail(format!(
                        "`{}` was there with the wanted content; it is managed from now on.",
                        planned.path.text()
                    ))
                    .attribute(Path::of("path")),
            );
        }
        Ok(with_digests(planned, &digests))
    }

    async fn read(&self, current: File, context: &mut Context<()>) -> Result<Option<File>, Diagnostics> {
        let path = current.path.text().to_owned();
        let wanted = expected_digest(&current);
        let found = blocking(move || disk::look(FilePath::new(&path))).await?;
        let Some(found) = found else { return Ok(None) };
        let mut remembered: Remembered = context.private.get();
        disk::share(&remembered.made);
        if remembered.foreign {
            // Creations are all or nothing: what is there is either what was planned or what was there before.
            if wanted.is_some_and(|wanted| wanted != found.digests.sha256) {
                return Ok(None);
            }
            remembered.foreign = false;
            context.private.set(&remembered);
        }
        Ok(Some(as_found(current, found)))
    }

    async fn update(&self, _: File, planned: File, _: &mut Context<()>) -> Result<File, Failed<File>> {
        let write = Write::new(&planned)?;
        let digests = blocking(move || write.update()).await?;
        Ok(with_digests(planned, &digests))
    }

    async fn delete(&self, prior: File, context: &mut Context<()>) -> Result<(), Failed<File>> {
        let mut remembered: Remembered = context.private.get();
        let path = prior.path.text().to_owned();
        disk::share(&remembered.made);
        remembered.made.extend(disk::shared_above(FilePath::new(&path)));
        Ok(blocking(move || disk::delete(FilePath::new(&path), &remembered.made)).await?)
    }

    async fn import(&self, id: &str, _: &mut Context<()>) -> Result<File, Diagnostics> {
        Ok(File {
            path: id.into(),
            id: id.into(),
            directory_mode: "0755".into(),
            overwrite: false.into(),
            ..File::default()
        })
    }
}

/// Plans size and digests where the content is known already.
async fn plan_content(plan: &mut Planning<'_>, context: &mut Context<()>) -> Result<(), Diagnostics> {
    let unchanged = ["content", "sensitive_content", "content_base64", "source"]
        .iter()
        .all(|name| !plan.changes_attribute(name));
    let is_source = !plan.planned_value("source").is_null();
    if unchanged && !is_source && plan.prior_value("size").is_some_and(|size| !size.is_null()) {
        for name in ["size", "sha256", "base64sha256", "md5"] {
            let prior = plan.prior_value(name).cloned().unwrap_or(Value::NULL);
            plan.set(name, prior);
        }
        return Ok(());
    }
    let planned: File = plan.planned().map_err(|e| Failed::<File>::from(e).diagnostics)?;
    let work = planned.clone();
    let known = match blocking(move || content_of(&work).map(|bytes| bytes.map(|b| Digests::of(&b)))).await {
        Ok(digests) => digests,
        // It may come into being while the plan is carried out.
        Err(_) if !unchanged => None,
        Err(problems) => {
            for problem in problems {
                context.warn(Diagnostic { severity: plumb_model::Severity::Warning, ..problem });
            }
            return Ok(());
        }
    };
    match known {
        Some(digests) => {
            let file = with_digests(planned, &digests);
            plan.set("size", file.size.write());
            plan.set("sha256", file.sha256.write());
            plan.set("base64sha256", file.base64sha256.write());
            plan.set("md5", file.md5.write());
        }
        None => ["size", "sha256", "base64sha256", "md5"].iter().for_each(|name| plan.set_unknown(name)),
    }
    Ok(())
}

/// The bytes that a file is to hold; `None` while they are not known.
fn content_of(file: &File) -> Result<Option<Vec<u8>>, Diagnostics> {
    if let Some(text) = file.content.known().or(file.sensitive_content.known()) {
        return Ok(Some(text.clone().into_bytes()));
    }
    if let Some(text) = file.content_base64.known() {
        return STANDARD.decode(text).map(Some).map_err(|e| {
            Diagnostic::error("not-base64", "Text is not Base64")
                .detail(format!("`content_base64` cannot be decoded: {e}."))
                .attribute(Path::of("content_base64"))
                .into()
        });
    }
    let Some(source) = file.source.known() else { return Ok(None) };
    std::fs::read(source).map(Some).map_err(|e| {
        Diagnostic::error("source-unreadable", "Source file cannot be read")
            .detail(format!("`{source}`: {}.", disk::describe(&e)))
            .attribute(Path::of("source"))
            .into()
    })
}

/// The digest of what a file is believed to hold, if that is known.
fn expected_digest(file: &File) -> Option<String> {
    if let Some(digest) = file.sha256.known() {
        return Some(digest.clone());
    }
    content_of(file).ok().flatten().map(|bytes| Digests::of(&bytes).sha256)
}

fn with_digests(file: File, digests: &Digests) -> File {
    let hidden = file.sensitive_content.is_set();
    let shown = |text: &str| if hidden { Attr::Null } else { Attr::from(text) };
    File {
        id: file.path.clone(),
        size: digests.size.into(),
        sha256: shown(&digests.sha256),
        base64sha256: shown(&digests.base64sha256),
        md5: shown(&digests.md5),
        ..file
    }
}

/// The object as it is, in the form in which it was recorded.
fn as_found(current: File, found: Found) -> File {
    let text = || found.content.clone().and_then(|bytes| String::from_utf8(bytes).ok());
    let mut file = current.clone();
    let imported = [&current.content, &current.sensitive_content, &current.content_base64, &current.source]
        .iter()
        .all(|content| content.is_null());
    if current.sensitive_content.is_set() {
        file.sensitive_content = text().into();
    } else if current.content_base64.is_set() || (imported && text().is_none()) {
        let encoded = found.content.as_ref().map(|bytes| STANDARD.encode(bytes));
        let same =
            current.content_base64.known().and_then(|text| STANDARD.decode(text).ok()) == found.content;
        file.content_base64 = if same { current.content_base64.clone() } else { encoded.into() };
    } else if current.content.is_set() || imported {
        file.content = text().into();
    }
    let same_mode = parse_mode(current.mode.text()).is_ok_and(|mode| mode == found.mode);
    if !same_mode {
        file.mode = format!("{:04o}", found.mode).into();
    }
    with_digests(file, &found.digests)
}

/// Permission bits from octal digits.
fn parse_mode(text: &str) -> Result<u32, String> {
    let octal = matches!(text.len(), 3 | 4) && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
    match u32::from_str_radix(text, 8) {
        Ok(mode) if octal => Ok(mode),
        _ => Err(format!("Found `{text}`, wanted three or four octal digits, for example `0644`.")),
    }
}

/// All that is needed to write a file.
struct Write {
    file: File,
    mode: u32,
    directory_mode: u32,
}

impl Write {
    fn new(file: &File) -> Result<Write, Diagnostics> {
        let mode = |name: &'static str, text: &Attr<String>| -> Result<u32, Diagnostics> {
            parse_mode(text.text()).map_err(|problem| {
                Diagnostic::error("invalid-attribute-value", "Invalid attribute value")
                    .detail(problem)
                    .attribute(Path::of(name))
                    .into()
            })
        };
        let (mode, directory_mode) =
            (mode("mode", &file.mode)?, mode("directory_mode", &file.directory_mode)?);
        Ok(Write { file: file.clone(), mode, directory_mode })
    }

    /// The content, which must be what was planned.
    fn content(&self) -> Result<(Vec<u8>, Digests), Diagnostics> {
        let bytes = content_of(&self.file)?.unwrap_or_default();
        let digests = Digests::of(&bytes);
        match self.file.sha256.known() {
            Some(planned) if *planned != digests.sha256 => {
                Err(Diagnostic::error("source-changed", "Source file has changed since the plan")
                    .detail(format!(
                        "`{}` had the SHA-256 {planned} when the plan was made, and has {} now.",
                        self.file.source.text(),
                        digests.sha256
                    ))
                    .help("Plan again.")
                    .attribute(Path::of("source"))
                    .into())
            }
            _ => Ok((bytes, digests)),
        }
    }

    fn path(&self) -> &FilePath {
        FilePath::new(self.file.path.text())
    }

    /// Writes a file that does not exist yet. Whether it did, with the same content, comes back beside the digests.
    fn create(&self, made: &mut Vec<String>) -> Result<(Digests, bool), Diagnostics> {
        let (bytes, digests) = self.content()?;
        let overwrite = self.file.overwrite.known() == Some(&true);
        if let Some(found) = disk::look(self.path())? {
            if found.digests.sha256 == digests.sha256 {
                disk::remove_leftovers(self.path())?;
                disk::set_mode(self.path(), found.mode, self.mode)?;
                return Ok((digests, true));
            }
            if !overwrite {
                return Err(disk::foreign(self.path()));
            }
        }
        made.extend(disk::create(self.path(), &bytes, self.mode, self.directory_mode, overwrite)?);
        Ok((digests, false))
    }

    /// Writes over a file of ours; only what differs.
    fn update(&self) -> Result<Digests, Diagnostics> {
        let (bytes, digests) = self.content()?;
        match disk::look(self.path())? {
            Some(found) if found.digests.sha256 == digests.sha256 => {
                disk::set_mode(self.path(), found.mode, self.mode)?;
            }
            _ => {
                disk::create(self.path(), &bytes, self.mode, self.directory_mode, true)?;
            }
        }
        Ok(digests)
    }
}

/// Reads a file. It must exist.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct FileData {
    /// Where it is.
    #[attribute(required)]
    pub path: Attr<String>,
    /// Whether the content is a secret: then only `sensitive_content` has it, and there are no digests.
    #[attribute(default = false)]
    pub sensitive: Attr<bool>,
    /// The content; null if it is not UTF-8.
    #[attribute(computed)]
    pub content: Attr<String>,
    /// The content, in Base64.
    #[attribute(computed)]
    pub content_base64: Attr<String>,
    /// The content, never shown; null if it is not UTF-8, or not `sensitive`.
    #[attribute(computed, sensitive)]
    pub sensitive_content: Attr<String>,
    /// Permission bits, in four octal digits.
    #[attribute(computed)]
    pub mode: Attr<String>,
    /// The path.
    #[attribute(computed)]
    pub id: Attr<String>,
    /// How many bytes it has.
    #[attribute(computed)]
    pub size: Attr<u64>,
    /// SHA-256 of the content, in hexadecimal digits.
    #[attribute(computed)]
    pub sha256: Attr<String>,
    /// SHA-256 of the content, in Base64.
    #[attribute(computed)]
    pub base64sha256: Attr<String>,
    /// MD5 of the content, in hexadecimal digits.
    #[attribute(computed)]
    pub md5: Attr<String>,
}

struct ReadFile;

#[async_trait]
impl DataSource for ReadFile {
    type Model = FileData;
    type Client = ();

    fn validate(&self, config: &FileData, checks: &mut Checks) {
        checks.attribute("path", &config.path, not_empty());
    }

    async fn read(&self, config: FileData, _: &mut Context<()>) -> Result<FileData, Diagnostics> {
        let path = config.path.text().to_owned();
        let found = blocking(move || disk::look(FilePath::new(&path))).await?;
        let found = found.filter(|found| found.content.is_some()).ok_or_else(|| {
            Diagnostics::from(
                Diagnostic::error("file-missing", "File cannot be read")
                    .detail(format!("There is no file `{}`, or it is too large.", config.path.text()))
                    .attribute(Path::of("path")),
            )
        })?;
        let bytes = found.content.unwrap_or_default();
        let base64 = STANDARD.encode(&bytes);
        let text = String::from_utf8(bytes).ok();
        let hidden = config.sensitive.known() == Some(&true);
        let shown = |text: String| if hidden { Attr::Null } else { Attr::from(text) };
        Ok(FileData {
            content: text.clone().filter(|_| !hidden).into(),
            content_base64: shown(base64),
            sensitive_content: text.filter(|_| hidden).into(),
            mode: format!("{:04o}", found.mode).into(),
            id: config.path.clone(),
            size: found.digests.size.into(),
            sha256: shown(found.digests.sha256),
            base64sha256: shown(found.digests.base64sha256),
            md5: shown(found.digests.md5),
            ..config
        })
    }
}
