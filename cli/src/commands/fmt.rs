//! `plumb fmt`: the standard layout.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use plumb_model::{Diagnostic, Diagnostics, Sources};
use plumb_syntax::Dialect;
use similar::TextDiff;

use crate::args::FmtArgs;
use crate::ui::{Exit, Ui};

/// Runs the command.
pub fn run(args: &FmtArgs, ui: &Ui) -> Exit {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        return standard_input(args, ui);
    }
    let mut files = Vec::new();
    let mut found = Diagnostics::new();
    let here = [PathBuf::from(".")];
    for path in if args.paths.is_empty() { &here[..] } else { &args.paths } {
        collect(path, args.recursive, true, &mut files, &mut found);
    }
    let mut changed = false;
    let mut sources = Sources::new();
    for file in files {
        changed |= format_file(&file, args, &mut sources, &mut found, ui);
    }
    match (ui.diagnostics(&found, &sources), changed && args.check) {
        (true, _) => Exit::UNREADABLE,
        (false, true) => Exit::NotFormatted,
        (false, false) => Exit::Done,
    }
}

fn standard_input(args: &FmtArgs, ui: &Ui) -> Exit {
    let mut text = String::new();
    if let Err(error) = std::io::stdin().read_to_string(&mut text) {
        ui.diagnostics(&unreadable(Path::new("<stdin>"), &error.to_string()).into(), &Sources::new());
        return Exit::UNREADABLE;
    }
    let mut sources = Sources::new();
    let source = sources.add("<stdin>", text.clone());
    // Nobody says which language it is in: it is in Terraform's as long as it can be.
    let mut formatted = plumb_syntax::format(source, &text, Dialect::Terraform);
    if formatted.diagnostics.has_errors() {
        formatted = plumb_syntax::format(source, &text, Dialect::Native);
    }
    if args.diff {
        ui.result(&difference("<stdin>", &text, &formatted.text));
    } else if !args.check {
        ui.result(&formatted.text);
    }
    if ui.diagnostics(&formatted.diagnostics, &sources) {
        return Exit::UNREADABLE;
    }
    if args.check && formatted.text != text { Exit::NotFormatted } else { Exit::Done }
}

/// The files to look at: those that are named, and those in directories that have a layout.
fn collect(path: &Path, recursive: bool, named: bool, files: &mut Vec<PathBuf>, found: &mut Diagnostics) {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return found.push(unreadable(path, &error.to_string())),
    };
    if metadata.is_file() {
        if dialect(path).is_some() {
            files.push(path.to_owned());
        } else if named {
            found.push(Diagnostic::error("not-formattable", "File has no standard layout").detail(format!(
                "{} is neither `.cfg`, `.tf`, `.tfvars` nor `.tftest.hcl`.",
                path.display()
            )));
        }
        return;
    }
    if !named && !recursive {
        return;
    }
    let mut entries: Vec<PathBuf> = match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) => return found.push(unreadable(path, &error.to_string())),
    };
    entries.sort();
    let hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    for entry in entries.iter().filter(|entry| !hidden(entry)) {
        if entry.is_file() && dialect(entry).is_some() {
            files.push(entry.strip_prefix(".").unwrap_or(entry).to_owned());
        } else if entry.is_dir() && recursive {
            collect(entry, recursive, false, files, found);
        }
    }
}

/// The language of a file by its name; `None` if it has no standard layout.
fn dialect(path: &Path) -> Option<Dialect> {
    const TERRAFORM: [&str; 7] =
        [".tf", ".tofu", ".tfvars", ".tftest.hcl", ".tofutest.hcl", ".tfmock.hcl", ".tfquery.hcl"];
    let name = path.file_name()?.to_str()?;
    if name.ends_with(".cfg") {
        return Some(Dialect::Native);
    }
    TERRAFORM.iter().any(|end| name.ends_with(end)).then_some(Dialect::Terraform)
}

/// Whether the file was not in the layout. Items with mistakes stay as they are, and the others are laid out all the same.
fn format_file(path: &Path, args: &FmtArgs, sources: &mut Sources, found: &mut Diagnostics, ui: &Ui) -> bool {
    let name = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            found.push(unreadable(path, &error.to_string()));
            return false;
        }
    };
    let source = sources.add(name.as_str(), text.clone());
    let formatted = plumb_syntax::format(source, &text, dialect(path).unwrap_or(Dialect::Native));
    found.extend(formatted.diagnostics);
    if formatted.text == text {
        return false;
    }
    if args.list {
        ui.result(&format!("{name}\n"));
    }
    if args.diff {
        ui.result(&difference(&name, &text, &formatted.text));
    }
    if args.write
        && !args.check
        && let Err(error) = crate::files::rewrite(path, formatted.text.as_bytes())
    {
        found.push(unreadable(path, &error.to_string()));
    }
    true
}

/// What is different, as `diff -u` shows it.
pub(super) fn difference(name: &str, old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(&format!("old/{name}"), &format!("new/{name}"))
        .to_string()
}

fn unreadable(path: &Path, problem: &str) -> Diagnostic {
    Diagnostic::error("unreadable-file", "File cannot be read or written")
        .detail(format!("{}: {problem}.", path.display()))
}
