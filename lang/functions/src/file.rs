//! Functions that read files, and functions on their names.
//!
//! Files are read through [`crate::Context`]; paths are relative to the working directory, as everywhere else in a
//! configuration.

use base64::Engine as _;
use md5::Md5;
use plumb_model::{Type, Value};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::context::{Context, FileKind};
use crate::digest::{base64_digest, hex_digest};
use crate::encoding::BASE64;
use crate::error::FunctionError;
use crate::glob::{Glob, Segment};
use crate::signature::{Call, Function, Outcome, parameter};

/// The most directories inside of each other that are searched, since links can lead in circles.
const DEEPEST: usize = 128;

pub(crate) fn functions() -> Vec<Function> {
    let path = || parameter("path", Type::String, "The path of the file.");
    let of_file =
        |name, run, description| Function::new(name, Type::String, run).describe(description).takes(path());
    let mut functions = vec![
        of_file(
            "file",
            |call| text(call, 0).map(Value::from),
            "Returns the content of a file, which must be UTF-8.",
        ),
        of_file(
            "filebase64",
            |call| Ok(Value::string(BASE64.encode(bytes(call)?))),
            "Returns the content of a file in Base64.",
        ),
        of_file(
            "filemd5",
            |call| Ok(hex_digest::<Md5>(&bytes(call)?)),
            "Returns the MD5 hash of a file in hexadecimal digits.",
        ),
        of_file(
            "filesha1",
            |call| Ok(hex_digest::<Sha1>(&bytes(call)?)),
            "Returns the SHA-1 hash of a file in hexadecimal digits.",
        ),
        of_file(
            "filesha256",
            |call| Ok(hex_digest::<Sha256>(&bytes(call)?)),
            "Returns the SHA-256 hash of a file in hexadecimal digits.",
        ),
        of_file(
            "filesha512",
            |call| Ok(hex_digest::<Sha512>(&bytes(call)?)),
            "Returns the SHA-512 hash of a file in hexadecimal digits.",
        ),
        of_file(
            "filebase64sha256",
            |call| Ok(base64_digest::<Sha256>(&bytes(call)?)),
            "Returns the SHA-256 hash of a file in Base64.",
        ),
        of_file(
            "filebase64sha512",
            |call| Ok(base64_digest::<Sha512>(&bytes(call)?)),
            "Returns the SHA-512 hash of a file in Base64.",
        ),
    ];
    functions.extend([
        Function::new("fileexists", Type::Bool, exists)
            .describe("Tells whether there is a file at a path.")
            .takes(path()),
        Function::new("fileset", Type::set(Type::String), file_set)
            .describe("Returns the names of the files below a directory that fit a pattern.")
            .takes(parameter("path", Type::String, "The directory."))
            .takes(parameter("pattern", Type::String, "The pattern, such as `**/*.txt`.")),
        Function::new("templatefile", Type::Dynamic, template_file)
            .describe("Reads a file and renders it as a template.")
            .takes(path())
            .takes(
                parameter("vars", Type::Dynamic, "The variables of the template.").unknown_parts().marked(),
            ),
        of_file(
            "abspath",
            |call| {
                let path = expand_home(call.context, call.text(0))?;
                let joined = if path.starts_with('/') {
                    path
                } else {
                    format!("{}/{path}", call.context.working_directory())
                };
                Ok(Value::string(clean(&joined)))
            },
            "Returns the absolute form of a path.",
        ),
        of_file(
            "basename",
            |call| Ok(Value::string(base_name(call.text(0)))),
            "Returns the last part of a path.",
        ),
        of_file(
            "dirname",
            |call| Ok(Value::string(directory_name(call.text(0)))),
            "Returns a path without its last part.",
        ),
        of_file(
            "pathexpand",
            |call| expand_home(call.context, call.text(0)).map(Value::from),
            "Replaces a leading `~` by the home directory of the user.",
        ),
    ]);
    functions
}

/// The content of the file that the first argument names.
fn bytes(call: &Call<'_>) -> Result<Vec<u8>, FunctionError> {
    let path = expand_home(call.context, call.text(0))?;
    let path = clean(&path);
    call.context.read_file(&path).map_err(|error| {
        FunctionError::argument(0, if error.absent {
            format!(
                "no file exists at {path:?}; this function works only with files that are there before anything is \
                 planned, so it cannot be used for files that resources create"
            )
        } else {
            format!("failed to read {path:?}: {}", error.text)
        })
    })
}

fn text(call: &Call<'_>, argument: usize) -> Result<String, FunctionError> {
    String::from_utf8(bytes(call)?).map_err(|_| {
        FunctionError::argument(
            argument,
            format!(
                "contents of {:?} are not valid UTF-8; use `filebase64` to obtain them in Base64, or the other file \
                 functions such as `filesha256`",
                call.text(argument)
            ),
        )
    })
}

fn exists(call: &Call<'_>) -> Outcome {
    let path = expand_home(call.context, call.text(0))?;
    match call.context.file_kind(&path) {
        FileKind::File => Ok(true.into()),
        FileKind::Absent => Ok(false.into()),
        FileKind::Directory => {
            Err(FunctionError::argument(0, format!("{path:?} is a directory, not a file")))
        }
        FileKind::Other => Err(FunctionError::argument(0, format!("{path:?} is not a regular file"))),
    }
}

fn template_file(call: &Call<'_>) -> Outcome {
    let source = text(call, 0)?;
    let variables = check_variables(&call.args[1], 1)?;
    let rendered = call.context.render_template(&source, call.text(0), variables)?;
    if rendered.is_null() {
        return Err(FunctionError::failed(format!("the result of the template {:?} is null", call.text(0))));
    }
    Ok(rendered)
}

/// The variables of a template: a map or object whose keys are names.
pub(crate) fn check_variables(value: &Value, argument: usize) -> Result<&Value, FunctionError> {
    let Some(entries) = value.as_entries() else {
        return Err(FunctionError::argument(argument, "invalid vars value: must be a map"));
    };
    let is_name = |name: &str| {
        let mut chars = name.chars();
        chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
    };
    match entries.keys().find(|name| !is_name(name)) {
        None => Ok(value),
        Some(name) => Err(FunctionError::argument(
            argument,
            format!(
                "invalid template variable name {name:?}: must start with a letter, followed by zero or more letters, \
                 digits, and underscores"
            ),
        )),
    }
}

fn expand_home(context: &dyn Context, path: &str) -> Result<String, FunctionError> {
    let Some(rest) = path.strip_prefix('~') else { return Ok(path.to_owned()) };
    if !rest.is_empty() && !rest.starts_with('/') {
        return Err(FunctionError::argument(0, "cannot expand user-specific home dir"));
    }
    let home = context.home_directory().ok_or_else(|| FunctionError::failed("there is no home directory"))?;
    Ok(if rest.is_empty() { home } else { clean(&format!("{home}{rest}")) })
}

/// The path without `.`, `..` and empty parts, as far as that can be said without looking.
fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

fn base_name(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match (path.is_empty(), trimmed.is_empty()) {
        (true, _) => ".",
        (false, true) => "/",
        (false, false) => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

fn directory_name(path: &str) -> String {
    clean(path.rfind('/').map_or("", |at| &path[..=at]))
}

fn file_set(call: &Call<'_>) -> Outcome {
    let directory = clean(&expand_home(call.context, call.text(0))?);
    let pattern = call.text(1);
    if pattern.is_empty() {
        return Ok(Value::set(Type::String, Vec::new()));
    }
    // `..` is taken out before the pattern is read, as in every other path.
    let pattern_path = clean(pattern.trim_start_matches('/'));
    let glob = Glob::parse(&pattern_path)
        .map_err(|_| FunctionError::argument(1, format!("{pattern:?} is not a valid pattern")))?;
    let mut search = Search { context: call.context, root: directory, found: Vec::new() };
    search.walk("", &glob.0, 0)?;
    Ok(Value::set(Type::String, search.found.iter().map(Value::string).collect()))
}

struct Search<'a> {
    context: &'a dyn Context,
    root: String,
    found: Vec<String>,
}

impl Search<'_> {
    /// Looks for what the segments stand for below a directory, which is given relative to the root.
    fn walk(&mut self, relative: &str, segments: &[Segment], depth: usize) -> Result<(), FunctionError> {
        let Some((first, rest)) = segments.split_first() else { return Ok(()) };
        if depth > DEEPEST {
            return Ok(());
        }
        if matches!(first, Segment::AnyDepth) && !rest.is_empty() {
            self.walk(relative, rest, depth)?;
        }
        if let (Segment::Name(name), false) = (first, rest.is_empty()) {
            // No need to list a directory whose name is known.
            return self.walk(&join(relative, name), rest, depth + 1);
        }
        let Ok(entries) = self.context.list_directory(&join(&self.root, relative)) else { return Ok(()) };
        for (name, kind) in entries {
            if !first.fits(&name) {
                continue;
            }
            let path = join(relative, &name);
            match (kind, rest.is_empty()) {
                (FileKind::File, true) => self.found.push(path),
                (FileKind::Directory, _) if matches!(first, Segment::AnyDepth) => {
                    self.walk(&path, segments, depth + 1)?;
                }
                (FileKind::Directory, false) => self.walk(&path, rest, depth + 1)?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// A path below a directory; the empty path and `.` are where one already is.
fn join(directory: &str, name: &str) -> String {
    match (directory, name) {
        ("" | ".", "") => ".".to_owned(),
        ("" | ".", name) => name.to_owned(),
        (directory, "") => directory.to_owned(),
        (directory, name) => format!("{}/{name}", directory.trim_end_matches('/')),
    }
}
