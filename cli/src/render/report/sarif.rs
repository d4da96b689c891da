//! SARIF 2.1.0 as code hosts take it: a rule for each code, a result for each message.
//!
//! Hosts refuse empty texts and show only the first place, so there is always a text, and further places are related
//! ones. Paths are relative to the root of the repository if the names of sources are.

use std::collections::{BTreeMap, HashMap};
use std::io;

use plumb_model::{Diagnostic, Diagnostics, Label, Severity, Source, Sources};
use sha2::{Digest, Sha256};

use super::super::json::Json;
use super::message;

/// The messages as a SARIF document of one run; `category` keeps the runs on one commit apart.
pub fn sarif(diagnostics: &Diagnostics, sources: &Sources, version: &str, category: &str) -> String {
    let mut rules: BTreeMap<&str, &Diagnostic> = BTreeMap::new();
    for diagnostic in diagnostics {
        rules.entry(diagnostic.code).or_insert(diagnostic);
    }
    let mut out = Vec::new();
    let written = Json::new(&mut out).object(|json| {
        json.text("$schema", "https://json.schemastore.org/sarif-2.1.0.json")?;
        json.text("version", "2.1.0")?;
        json.key("runs")?;
        json.array(|json| {
            json.object(|json| {
                json.key("tool")?;
                json.object(|json| {
                    json.key("driver")?;
                    json.object(|json| {
                        json.text("name", "Plumb")?;
                        json.text("version", version)?;
                        json.key("rules")?;
                        json.array(|json| rules.iter().try_for_each(|(code, d)| rule(code, d, json)))
                    })
                })?;
                json.key("automationDetails")?;
                json.object(|json| json.text("id", &format!("{category}/")))?;
                json.text("columnKind", "unicodeCodePoints")?;
                json.key("results")?;
                let indexes: HashMap<&str, usize> = rules.keys().enumerate().map(|(i, c)| (*c, i)).collect();
                json.array(|json| {
                    diagnostics.iter().try_for_each(|d| result(d, indexes[d.code], sources, json))
                })
            })
        })
    });
    written.expect("writing to memory does not fail");
    String::from_utf8(out).expect("only whole strings were written")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn text(name: &str, text: &str, json: &mut Json<'_>) -> io::Result<()> {
    json.key(name)?;
    json.object(|json| json.text("text", text))
}

fn rule(code: &str, first: &Diagnostic, json: &mut Json<'_>) -> io::Result<()> {
    let code = if code.is_empty() { "plumb" } else { code };
    let summary = if first.summary.is_empty() { code } else { first.summary.as_str() };
    json.object(|json| {
        json.text("id", code)?;
        text("shortDescription", summary, json)?;
        text("fullDescription", summary, json)?;
        text("help", &format!("`plumb explain {code}` tells more."), json)?;
        json.key("defaultConfiguration")?;
        json.object(|json| json.text("level", level(first.severity)))
    })
}

fn result(diagnostic: &Diagnostic, rule: usize, sources: &Sources, json: &mut Json<'_>) -> io::Result<()> {
    let code = if diagnostic.code.is_empty() { "plumb" } else { diagnostic.code };
    let places = || diagnostic.labels.iter().filter_map(|l| Some((l, sources.try_get(l.span.source)?)));
    json.object(|json| {
        json.text("ruleId", code)?;
        json.plain("ruleIndex", rule)?;
        json.text("level", level(diagnostic.severity))?;
        let told = message(diagnostic);
        text("message", if told.is_empty() { code } else { &told }, json)?;
        json.key("locations")?;
        json.array(|json| match places().next() {
            Some((label, source)) => place(None, label, source, json),
            None => no_place(sources, json),
        })?;
        if places().nth(1).is_some() {
            json.key("relatedLocations")?;
            json.array(|json| {
                places()
                    .skip(1)
                    .enumerate()
                    .try_for_each(|(i, (label, source))| place(Some(i), label, source, json))
            })?;
        }
        json.key("partialFingerprints")?;
        json.object(|json| json.text("primaryLocationLineHash", &fingerprint(diagnostic, sources)))
    })
}

/// Hosts want a place for everything: what has none is shown at the start of the first source.
fn no_place(sources: &Sources, json: &mut Json<'_>) -> io::Result<()> {
    let name = sources.iter().next().map_or(".", |(_, source)| source.name.as_str());
    json.object(|json| {
        json.key("physicalLocation")?;
        json.object(|json| {
            json.key("artifactLocation")?;
            json.object(|json| json.text("uri", &uri(name)))?;
            json.key("region")?;
            json.object(|json| json.plain("startLine", 1))
        })
    })
}

fn place(id: Option<usize>, label: &Label, source: &Source, json: &mut Json<'_>) -> io::Result<()> {
    json.object(|json| {
        if let Some(id) = id {
            json.plain("id", id)?;
        }
        json.key("physicalLocation")?;
        json.object(|json| {
            json.key("artifactLocation")?;
            json.object(|json| json.text("uri", &uri(&source.name)))?;
            json.key("region")?;
            json.object(|json| {
                let start = source.position(label.span.start as usize);
                let end = source.position((label.span.end as usize).max(label.span.start as usize));
                json.plain("startLine", start.line)?;
                json.plain("startColumn", start.column)?;
                json.plain("endLine", end.line)?;
                json.plain("endColumn", end.column)
            })
        })?;
        if label.text.is_empty() { Ok(()) } else { text("message", &label.text, json) }
    })
}

/// The name as a relative reference: what a URI gives a meaning to is encoded.
fn uri(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Stays the same while the line does, wherever in the file it moves.
fn fingerprint(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut hasher = Sha256::new();
    let mut part = |text: &str| {
        hasher.update(text.len().to_le_bytes());
        hasher.update(text);
    };
    part(diagnostic.code);
    part(diagnostic.address.as_deref().unwrap_or_default());
    if let Some((source, span)) = diagnostic.span().and_then(|s| Some((sources.try_get(s.source)?, s))) {
        part(&source.name);
        part(source.line(source.position(span.start as usize).line).trim());
    } else {
        part(&diagnostic.detail);
    }
    let digest = hasher.finalize();
    digest[..8].iter().map(|byte| format!("{byte:02x}")).chain([":1".to_owned()]).collect()
}
