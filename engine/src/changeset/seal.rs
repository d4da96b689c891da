//! Sealing: an artifact as bytes that cannot be altered without being noticed.
//!
//! ```text
//! plumb-plan 1 <digest> <length> deflate <digest of the body> <length of the body>⏎
//! body: the content, compressed
//! ```
//!
//! The content is the canonical JSON of `saved`. A plan is known by the SHA-256 of the content
//! ([`PlanDigest`]), which depends on nothing but the plan: neither on how it was compressed nor on when it was sealed.
//! The second digest is there since several compressed bodies have the same content, and no bit of a file may change.
//!
//! [`open`] checks everything before it understands anything, and never takes more memory than a bound that the length
//! of the file allows. There is no input or output here: files are written and read by the command line.

use std::fmt;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use plumb_model::Diagnostic;
use plumb_state::Digest;
use sha2::{Digest as _, Sha256};

use super::artifact::Artifact;
use super::convert::{self, ConvertError};
use super::saved::{FORMAT, SavedArtifact};
use super::secret::Key;

/// What a sealed plan starts with.
const MAGIC: &str = "plumb-plan ";
/// The longest first line that is looked at, in bytes.
const MAX_HEADER: usize = 256;
/// The longest content, in bytes.
const MAX_CONTENT: u64 = 4 << 30;
/// A content up to this length may be compressed to whatever it gives.
const SMALL_CONTENT: u64 = 64 << 20;
/// How many times longer than its compressed form a content may be that is not small.
const MAX_RATIO: u64 = 200;
/// How a body is kept that is compressed, and one that compresses too well to be told from a bomb.
const DEFLATE: &str = "deflate";
const PLAIN: &str = "plain";

/// By what a plan is known: the digest of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanDigest(Digest);

impl PlanDigest {
    /// Reads `pl1:sha256:…`.
    pub fn parse(text: &str) -> Option<PlanDigest> {
        let digest = PlanDigest(Digest::parse(text.strip_prefix("pl1:sha256:")?)?);
        (digest.to_string() == text).then_some(digest)
    }
}

impl fmt::Display for PlanDigest {
    /// `pl1:sha256:` and 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pl1:sha256:{}", self.0)
    }
}

/// A sealed plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// By what it is known.
    pub digest: PlanDigest,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Why a plan cannot be sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Something in it has no saved form.
    #[error("the plan cannot be saved: {0}")]
    Unsaveable(#[from] ConvertError),
    /// It is longer than any plan that is opened.
    #[error("the plan has {0} bytes, and at most {MAX_CONTENT} can be saved")]
    TooLong(u64),
}

impl SealError {
    /// What to tell the user.
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::error("plan-not-saveable", "Plan cannot be saved");
        match self {
            SealError::Unsaveable(ConvertError { place, problem }) => diagnostic
                .detail(format!("{place}: {problem}."))
                .help("Change that value in the configuration, or apply without saving the plan."),
            SealError::TooLong(_) => diagnostic
                .detail(format!("{self}."))
                .help("Plan a part of the configuration with `-target`, or divide it."),
        }
    }
}

/// An opened plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// By what it is known.
    pub digest: PlanDigest,
    /// What it holds. For showing: it can have placeholders ([`super::secret::is_redacted`]) for sensitive values.
    pub artifact: Artifact,
    /// How many values have placeholders, since the key was not there.
    pub redacted: usize,
    /// The id of the key under which sensitive values are concealed; none if there are none.
    pub key: Option<String>,
}

impl Opened {
    /// The artifact, to be carried out.
    ///
    /// # Errors
    /// [`OpenError::Concealed`] if it has placeholders.
    pub fn for_applying(self) -> Result<Artifact, OpenError> {
        match self.key {
            Some(key) if self.redacted > 0 => Err(OpenError::Concealed { key, values: self.redacted }),
            _ => Ok(self.artifact),
        }
    }
}

/// Why bytes cannot be opened as a sealed plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is something else.
    #[error("it is not a saved plan of Plumb{}", if *terraform { ", but looks like one of Terraform or OpenTofu" } else { "" })]
    NotAPlan {
        /// Whether it looks like a plan file of Terraform.
        terraform: bool,
    },
    /// A newer program sealed it.
    #[error("its format is {found}, and this program reads format {FORMAT}")]
    OtherFormat {
        /// The format that was found.
        found: u32,
    },
    /// Its end is missing.
    #[error("it ends too early: {missing} bytes are missing")]
    Truncated {
        /// How many bytes are missing at least.
        missing: u64,
    },
    /// Something follows its end.
    #[error("{extra} bytes follow the end of the plan")]
    Trailing {
        /// How many bytes.
        extra: u64,
    },
    /// It is not what was sealed.
    #[error("{part} is not what was sealed")]
    Altered {
        /// The part in which something else stands.
        part: &'static str,
    },
    /// It would take too much memory.
    #[error("it claims to hold {claimed} bytes, more than a file of this length may")]
    TooLong {
        /// How many bytes it says that it has.
        claimed: u64,
    },
    /// It is as it was sealed, and yet says what no plan says.
    #[error("its content is not understood: {problem}")]
    NotUnderstood {
        /// What is not understood.
        problem: String,
    },
    /// Sensitive values in it cannot be read.
    #[error("{values} sensitive values in it are concealed under key {key}, which is not here")]
    Concealed {
        /// The id of the key that is needed.
        key: String,
        /// How many values.
        values: usize,
    },
}

impl OpenError {
    /// What to tell the user.
    pub fn diagnostic(&self) -> Diagnostic {
        let (code, summary, help) = match self {
            OpenError::NotAPlan { terraform: false } => {
                ("not-a-plan", "Not a saved plan", "Give a file that `plumb plan -out=FILE` has written.")
            }
            OpenError::NotAPlan { terraform: true } => (
                "not-a-plan",
                "Not a saved plan",
                "Plan with `plumb plan -out=FILE`: plans of other programs cannot be applied.",
            ),
            OpenError::OtherFormat { .. } => (
                "plan-of-other-version",
                "Plan was saved by another version of Plumb",
                "Use the version of Plumb that made the plan, or plan again with this one.",
            ),
            OpenError::Truncated { .. } | OpenError::Trailing { .. } | OpenError::Altered { .. } => (
                "plan-altered",
                "Saved plan was altered",
                "Fetch the file again from where it was made (in binary mode), or plan again.",
            ),
            OpenError::TooLong { .. } => (
                "plan-too-long",
                "Saved plan is too long",
                "Do not trust this file: no version of Plumb writes such plans. Plan again.",
            ),
            OpenError::NotUnderstood { .. } => (
                "plan-not-understood",
                "Saved plan is not understood",
                "Use the version of Plumb that made the plan, or plan again with this one.",
            ),
            OpenError::Concealed { .. } => (
                "plan-key-missing",
                "Sensitive values of the plan cannot be read",
                "Apply where the plan was made, or bring the key of that data directory here; or plan again here.",
            ),
        };
        Diagnostic::error(code, summary).detail(format!("The plan cannot be used: {self}.")).help(help)
    }
}

/// Seals an artifact. The same artifact under the same key gives the same bytes.
///
/// # Errors
/// If something in it has no saved form, or it is too long.
pub fn seal(artifact: &Artifact, key: &Key) -> Result<Sealed, SealError> {
    let saved = convert::save(artifact, key)?;
    let content =
        serde_json::to_vec(&saved).expect("records have text keys only, and memory takes any bytes");
    drop(saved);
    let length = content.len() as u64;
    if length > MAX_CONTENT {
        return Err(SealError::TooLong(length));
    }
    let digest = PlanDigest(sha256(&content));
    let compressed = compress(&content);
    let (encoding, body) =
        if length <= limit(compressed.len()) { (DEFLATE, compressed) } else { (PLAIN, content) };
    let header = Header { digest, length, encoding, body: sha256(&body), body_length: body.len() as u64 };
    let mut bytes = header.to_string().into_bytes();
    bytes.extend_from_slice(&body);
    Ok(Sealed { digest, bytes })
}

/// Opens a sealed plan. Without the key under which sensitive values are concealed, placeholders stand in their place.
///
/// # Errors
/// If it is not exactly what was sealed.
pub fn open(bytes: &[u8], key: Option<&Key>) -> Result<Opened, OpenError> {
    let (header, body) = split(bytes)?;
    if sha256(body) != header.body {
        return Err(OpenError::Altered { part: "its body" });
    }
    let content = expand(&header, body)?;
    if PlanDigest(sha256(&content)) != header.digest {
        return Err(OpenError::Altered { part: "its content" });
    }
    let not_understood = |problem: String| OpenError::NotUnderstood { problem };
    let saved: SavedArtifact = serde_json::from_slice(&content).map_err(|e| not_understood(e.to_string()))?;
    drop(content);
    if saved.format != FORMAT {
        return Err(OpenError::OtherFormat { found: saved.format });
    }
    let concealed_under = saved.key.clone();
    let key = key.filter(|key| concealed_under.as_ref().is_some_and(|id| *id == key.id()));
    let (artifact, redacted) = convert::load(saved, key).map_err(|e| not_understood(e.to_string()))?;
    if redacted > 0 && concealed_under.is_none() {
        return Err(not_understood("it has concealed values and names no key".to_owned()));
    }
    Ok(Opened { digest: header.digest, artifact, redacted, key: concealed_under })
}

/// The first line.
struct Header {
    digest: PlanDigest,
    length: u64,
    encoding: &'static str,
    body: Digest,
    body_length: u64,
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Header { digest: PlanDigest(digest), length, encoding, body, body_length } = self;
        writeln!(f, "{MAGIC}{FORMAT} {digest} {length} {encoding} {body} {body_length}")
    }
}

impl Header {
    /// Reads the line, with its end. What is not written exactly like that is not a header.
    fn parse(line: &str) -> Option<Header> {
        let parts: Vec<&str> = line.strip_prefix(MAGIC)?.trim_end_matches('\n').split(' ').collect();
        let [_, digest, length, encoding, body, body_length] = parts[..] else { return None };
        let header = Header {
            digest: PlanDigest(Digest::parse(digest)?),
            length: length.parse().ok()?,
            encoding: [DEFLATE, PLAIN].into_iter().find(|known| *known == encoding)?,
            body: Digest::parse(body)?,
            body_length: body_length.parse().ok()?,
        };
        (header.to_string() == line).then_some(header)
    }
}

/// Divides a file into its header and a body of the length that the header says.
fn split(bytes: &[u8]) -> Result<(Header, &[u8]), OpenError> {
    let magic = MAGIC.as_bytes();
    if !bytes.starts_with(magic) {
        let begun = !bytes.is_empty() && magic.starts_with(bytes);
        let missing = (magic.len() - bytes.len().min(magic.len())) as u64;
        return Err(match begun {
            true => OpenError::Truncated { missing },
            false => OpenError::NotAPlan { terraform: bytes.starts_with(b"PK\x03\x04") },
        });
    }
    let first = &bytes[..bytes.len().min(MAX_HEADER)];
    let altered = || OpenError::Altered { part: "its first line" };
    let Some(end) = first.iter().position(|byte| *byte == b'\n') else {
        return Err(if first.len() < MAX_HEADER { OpenError::Truncated { missing: 1 } } else { altered() });
    };
    let (line, body) = bytes.split_at(end + 1);
    let line = std::str::from_utf8(line).map_err(|_| altered())?;
    if let Some(found) = other_format(line) {
        return Err(OpenError::OtherFormat { found });
    }
    let header = Header::parse(line).ok_or_else(altered)?;
    let length = body.len() as u64;
    if length < header.body_length {
        return Err(OpenError::Truncated { missing: header.body_length - length });
    }
    if length > header.body_length {
        return Err(OpenError::Trailing { extra: length - header.body_length });
    }
    Ok((header, body))
}

/// The format in the first line, if it is another one than ours.
fn other_format(line: &str) -> Option<u32> {
    let format = line.strip_prefix(MAGIC)?.split([' ', '\n']).next()?;
    format.parse().ok().filter(|found| *found != FORMAT)
}

/// The longest content of a compressed body of this length.
fn limit(body_length: usize) -> u64 {
    (body_length as u64).saturating_mul(MAX_RATIO).clamp(SMALL_CONTENT, MAX_CONTENT)
}

fn compress(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(content.len() / 8), Compression::fast());
    encoder.write_all(content).expect("memory takes any bytes");
    encoder.finish().expect("memory takes any bytes")
}

/// The content of a body, which is as long as the header says.
fn expand(header: &Header, body: &[u8]) -> Result<Vec<u8>, OpenError> {
    let altered = || OpenError::Altered { part: "its body" };
    if header.encoding == PLAIN {
        return if header.length == header.body_length { Ok(body.to_vec()) } else { Err(altered()) };
    }
    if header.length > limit(body.len()) {
        return Err(OpenError::TooLong { claimed: header.length });
    }
    // It grows as it is filled: a length that is only claimed takes no memory.
    let mut content = Vec::new();
    let mut decoder = DeflateDecoder::new(body);
    (&mut decoder).take(header.length + 1).read_to_end(&mut content).map_err(|_| altered())?;
    if content.len() as u64 != header.length || decoder.total_in() != header.body_length {
        return Err(altered());
    }
    Ok(content)
}

fn sha256(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}
