//! Lints: what works, but is likely not what was meant.
//!
//! Each lint has a name, which is the code of its diagnostics, and a [`Level`]: in `.cfg` modules all are warnings, in
//! Terraform's language they are off. A module says otherwise in `language { lints { … } }`; a module that says nothing
//! has the levels of the root. A comment `# plumb:allow(name)` at the end of a line or alone on the line before it
//! suppresses the named warnings of that line; one in front of the whole file (`# plumb:allow-file(name)`) all of the
//! file. One that suppresses nothing is a warning itself, so that none outlives its reason.
//!
//! Elsewhere: what is unused is `unused`, templates are `templates`, what is always one thing is `constant`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::diagnostic::did_you_mean;
use plumb_model::{Diagnostic, Diagnostics, Severity, SourceId, Sources, Span};
use plumb_syntax::Dialect;

use crate::program::{Declarations, Module, ModuleId, Program};
use crate::world::World;

mod constant;
mod templates;
mod unused;

/// How bad it is what a lint finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Nothing is said.
    Off,
    /// A warning.
    Warn,
    /// An error.
    Error,
}

impl Level {
    /// The level of a word, if it is one.
    pub(crate) fn parse(word: &str) -> Option<Level> {
        match word {
            "off" => Some(Level::Off),
            "warn" => Some(Level::Warn),
            "error" => Some(Level::Error),
            _ => None,
        }
    }
}

/// The names of all lints.
pub const LINTS: [&str; 11] = [
    "constant-condition",
    "unused-data",
    "unused-function",
    "unused-import",
    "unused-local",
    "unused-output",
    "unused-provider",
    "unused-suppression",
    "unused-template-variable",
    "unused-type",
    "unused-variable",
];

/// The name of a lint as it was written; underscores stand for hyphens.
pub(crate) fn lint_named(written: &str) -> Option<&'static str> {
    let name = written.replace('_', "-");
    LINTS.into_iter().find(|lint| *lint == name)
}

/// That there is no lint of that name.
pub(crate) fn unknown_lint(written: &str, span: Span) -> Diagnostic {
    Diagnostic::warning("unknown-lint", "Unknown lint")
        .detail(eco_format!("There is no lint named `{written}`."))
        .at(span)
        .maybe_help(did_you_mean(&written.replace('_', "-"), LINTS))
}

/// What lints find in a program. `others` are diagnostics found before, of which comments may suppress warnings.
///
/// With errors among them nothing is looked for: a name that is mistaken makes another one seem unused.
pub(super) fn check(program: &Program, world: &dyn World, others: Diagnostics) -> Diagnostics {
    if others.has_errors() {
        return super::once(others);
    }
    let mut found = Diagnostics::new();
    let speaking: Vec<ModuleId> =
        program.modules().filter(|(_, module)| !is_silent(program, module)).map(|(id, _)| id).collect();
    if !speaking.is_empty() {
        let used = unused::Used::of(program);
        for id in speaking {
            unused::check(program, &used, id, &mut found);
            templates::check(program, id, world, &mut found);
            constant::check(program, id, &mut found);
        }
    }
    let owners = owners(program);
    let mut all = others;
    all.extend(found.into_iter().filter_map(|diagnostic| with_level(program, &owners, diagnostic)));
    suppress(program, &owners, super::once(all))
}

/// Whether no lint is on in a module, so that nothing has to be looked for.
fn is_silent(program: &Program, module: &Module) -> bool {
    LINTS.into_iter().all(|lint| level(program, module, lint) == Level::Off)
}

fn level(program: &Program, module: &Module, lint: &str) -> Level {
    // What could be nicer in a package that was fetched is for those who publish it.
    if module.is_fetched() {
        return Level::Off;
    }
    let own = module.settings.lints.get(lint);
    if let Some((level, _)) = own {
        return *level;
    }
    if module.dialect == Dialect::Terraform {
        return Level::Off;
    }
    program.root().settings.lints.get(lint).map_or(Level::Warn, |(level, _)| *level)
}

/// The module that each source belongs to; the first one, where a directory is called from several places.
type Owners<'p> = HashMap<SourceId, &'p Module>;

fn owners(program: &Program) -> Owners<'_> {
    let mut owners = HashMap::new();
    let mut seen: HashSet<*const Declarations> = HashSet::new();
    for (_, module) in program.modules().filter(|(_, module)| seen.insert(Arc::as_ptr(&module.declarations)))
    {
        for source in module.files.iter() {
            owners.entry(*source).or_insert(module);
        }
    }
    owners
}

/// What is found as bad as the module wants it; none where it wants to hear nothing.
fn with_level(program: &Program, owners: &Owners<'_>, mut diagnostic: Diagnostic) -> Option<Diagnostic> {
    let module = owners.get(&diagnostic.span()?.source)?;
    diagnostic.severity = match level(program, module, diagnostic.code) {
        Level::Off => return None,
        Level::Warn => Severity::Warning,
        Level::Error => Severity::Error,
    };
    Some(diagnostic)
}

/// A comment that suppresses warnings.
struct Suppression {
    source: SourceId,
    /// The line that it is about, counted from 1; none for the whole file.
    line: Option<usize>,
    name: EcoString,
    /// The place of the name.
    span: Span,
    used: bool,
}

/// The diagnostics without those that comments suppress, and warnings about comments that suppress nothing.
fn suppress(program: &Program, owners: &Owners<'_>, diagnostics: Diagnostics) -> Diagnostics {
    let mut suppressions: Vec<Suppression> = Vec::new();
    for (id, source) in program.sources.iter() {
        if source.text.contains(MARK) && owners.contains_key(&id) {
            suppressions.extend(read(&program.sources, id));
        }
    }
    if suppressions.is_empty() {
        return diagnostics;
    }
    let sources = &program.sources;
    let mut kept = Diagnostics::new();
    for diagnostic in diagnostics {
        let is_lint = LINTS.contains(&diagnostic.code);
        let place = diagnostic.span().filter(|_| is_lint || diagnostic.severity == Severity::Warning);
        let by = place.and_then(|span| {
            let line = sources.get(span.source).position(span.start as usize).line;
            suppressions.iter_mut().find(|suppression| {
                suppression.source == span.source
                    && suppression.name == diagnostic.code
                    && suppression.line.is_none_or(|about| about == line)
            })
        });
        match by {
            Some(suppression) => suppression.used = true,
            None => kept.push(diagnostic),
        }
    }
    for suppression in suppressions.iter().filter(|suppression| !suppression.used) {
        let (name, span) = (&suppression.name, suppression.span);
        let diagnostic = match lint_named(name).is_some() || is_code(name) {
            true => Diagnostic::warning("unused-suppression", "Suppression of nothing")
                .detail(eco_format!("There is no `{name}` here to suppress."))
                .at(span)
                .help("Remove the comment."),
            false => unknown_lint(name, span),
        };
        match diagnostic.code {
            "unused-suppression" => kept.extend(with_level(program, owners, diagnostic)),
            _ => kept.push(diagnostic),
        }
    }
    kept
}

/// Warnings that are no lints and that may be suppressed too.
fn is_code(name: &str) -> bool {
    name.starts_with("deprecated-")
}

const MARK: &str = "plumb:allow";

/// The suppressing comments of a text.
fn read(sources: &Sources, id: SourceId) -> Vec<Suppression> {
    let mut found = Vec::new();
    let text = &sources.get(id).text;
    let lines: Vec<&str> = text.split('\n').collect();
    let mut start = 0;
    for (i, line) in lines.iter().enumerate() {
        let at = start;
        start += line.len() + 1;
        let Some(mark) = line.find(MARK) else { continue };
        let before = line[..mark].trim_end();
        let Some(code) = before.strip_suffix('#').or_else(|| before.strip_suffix("//")) else { continue };
        let rest = &line[mark + MARK.len()..];
        let (whole_file, rest) = match rest.strip_prefix("-file") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let Some(names) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) else { continue };
        let alone = code.trim().is_empty();
        // The comment is about its own line, or about the next one that is neither empty nor a comment.
        let about = match alone {
            false => i,
            true => (i + 1..lines.len()).find(|i| !is_comment(lines[*i])).unwrap_or(i),
        };
        let mut offset = at + (line.len() - rest.len()) + 1;
        for written in names.0.split(',') {
            let name = written.trim();
            let begin = offset + (written.len() - written.trim_start().len());
            offset += written.len() + 1;
            if !name.is_empty() {
                found.push(Suppression {
                    source: id,
                    line: (!whole_file).then_some(about + 1),
                    name: name.replace('_', "-").into(),
                    span: Span::new(id, begin, begin + name.len()),
                    used: false,
                });
            }
        }
    }
    found
}

fn is_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#') || line.starts_with("//")
}
