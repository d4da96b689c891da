//! Addresses in parts, as a state file has them.
//!
//! Keys are quoted in two ways: addresses quote them as JSON strings, state files quote the keys in module paths as
//! strings of the configuration language, where `${` and `%{` are doubled at their beginning.

use std::fmt::Write;

use crate::record::Mode;

/// How keys are quoted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// As in addresses.
    Json,
    /// As in the module paths of state files.
    Language,
}

/// An instance key. They sort as state files sort them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Index {
    None,
    Number(u64),
    Text(String),
}

/// The path of a module instance, from the root.
pub(super) type ModulePath = Vec<(String, Index)>;

/// The parts of the address of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub module: ModulePath,
    pub mode: Mode,
    pub type_name: String,
    pub name: String,
    pub index: Index,
}

impl Parts {
    pub(super) fn parse(address: &str) -> Option<Self> {
        let (module, rest) = parse_module(address, Quoting::Json)?;
        let (mode, rest) = match rest.strip_prefix("data.") {
            Some(rest) => (Mode::Data, rest),
            None => (Mode::Managed, rest),
        };
        let (type_name, rest) = rest.split_once('.')?;
        let (name, rest) = rest.split_at(rest.find('[').unwrap_or(rest.len()));
        let (index, rest) = parse_index(rest, Quoting::Json)?;
        let whole = rest.is_empty() && !type_name.is_empty() && !name.is_empty();
        whole.then(|| Self { module, mode, type_name: type_name.to_owned(), name: name.to_owned(), index })
    }

    pub(super) fn address(&self) -> String {
        let mut out = write_module(&self.module, Quoting::Json);
        if !out.is_empty() {
            out.push('.');
        }
        if self.mode == Mode::Data {
            out.push_str("data.");
        }
        out.push_str(&self.type_name);
        out.push('.');
        out.push_str(&self.name);
        write_index(&self.index, Quoting::Json, &mut out);
        out
    }
}

/// The module path that `text` begins with, and what follows it.
pub(super) fn parse_module(text: &str, quoting: Quoting) -> Option<(ModulePath, &str)> {
    let mut path = ModulePath::new();
    let mut rest = text;
    while let Some(after) = rest.strip_prefix("module.") {
        let (name, after) = after.split_at(after.find(['.', '[']).unwrap_or(after.len()));
        let (index, after) = parse_index(after, quoting)?;
        path.push((name.to_owned(), index));
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    Some((path, rest))
}

pub(super) fn write_module(path: &ModulePath, quoting: Quoting) -> String {
    let mut out = String::new();
    for (name, index) in path {
        out.push_str(if out.is_empty() { "module." } else { ".module." });
        out.push_str(name);
        write_index(index, quoting, &mut out);
    }
    out
}

/// The key in brackets that `text` begins with, if any, and what follows it.
fn parse_index(text: &str, quoting: Quoting) -> Option<(Index, &str)> {
    let Some(inside) = text.strip_prefix('[') else { return Some((Index::None, text)) };
    if inside.starts_with('"') {
        let (quoted, rest) = inside.split_at(quoted_length(inside)?);
        return Some((Index::Text(unquote(quoted, quoting)?), rest.strip_prefix(']')?));
    }
    let (digits, rest) = inside.split_once(']')?;
    Some((Index::Number(digits.parse().ok()?), rest))
}

/// The length of the quoted string that `text` begins with, in bytes.
fn quoted_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some(end + 2)
}

fn unquote(quoted: &str, quoting: Quoting) -> Option<String> {
    match quoting {
        Quoting::Json => serde_json::from_str(quoted).ok(),
        Quoting::Language => {
            let doubled = quoted.replace("$${", "${").replace("%%{", "%{");
            // The escapes of both are the same, except for code points beyond sixteen bits.
            serde_json::from_str(&doubled).ok().or_else(|| unquote_wide(&doubled))
        }
    }
}

/// A string with escapes of eight digits, which JSON does not have.
fn unquote_wide(quoted: &str) -> Option<String> {
    let mut json = String::new();
    let mut rest = quoted;
    while let Some(at) = rest.find("\\U") {
        let digits = rest.get(at + 2..at + 10)?;
        json.push_str(&rest[..at]);
        json.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
        rest = &rest[at + 10..];
    }
    json.push_str(rest);
    serde_json::from_str(&json).ok()
}

fn write_index(index: &Index, quoting: Quoting, out: &mut String) {
    match index {
        Index::None => {}
        Index::Number(number) => write!(out, "[{number}]").expect("text takes everything"),
        Index::Text(text) => {
            let quoted = serde_json::Value::from(text.as_str()).to_string();
            out.push('[');
            match quoting {
                Quoting::Json => out.push_str(&quoted),
                Quoting::Language => out.push_str(&quoted.replace("${", "$${").replace("%{", "%%{")),
            }
            out.push(']');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let address = r#"module.a["x.y[\"0\"]"].module.b[2].data.t.n["${k}"]"#;
        let parts = Parts::parse(address).unwrap();
        assert_eq!(write_module(&parts.module, Quoting::Language), r#"module.a["x.y[\"0\"]"].module.b[2]"#);
        assert_eq!((parts.mode, &*parts.type_name, &*parts.name), (Mode::Data, "t", "n"));
        assert_eq!(parts.index, Index::Text("${k}".to_owned()));
        assert_eq!(parts.address(), address);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["", "a", "a.", ".b", "a.b[", "a.b[x]", "a.b[\"x]", "module.m", "a.b[1]c", "module.m[\"x\".a.b"]
        {
            assert_eq!(Parts::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn templates_are_doubled_in_module_paths() {
        let (path, rest) = parse_module(r#"module.m["$${n} %%{ \U0001f600"]"#, Quoting::Language).unwrap();
        assert_eq!((path[0].1.clone(), rest), (Index::Text("${n} %{ 😀".to_owned()), ""));
        assert_eq!(write_module(&path, Quoting::Json), r#"module.m["${n} %{ 😀"]"#);
        assert_eq!(write_module(&path, Quoting::Language), r#"module.m["$${n} %%{ 😀"]"#);
    }

    proptest! {
        #[test]
        fn any_key_survives(key in any::<String>(), module in any::<String>()) {
            let parts = Parts {
                module: vec![("m".to_owned(), Index::Text(module))],
                mode: Mode::Managed,
                type_name: "t".to_owned(),
                name: "n".to_owned(),
                index: Index::Text(key),
            };
            let again = Parts::parse(&parts.address());
            prop_assert_eq!(again.as_ref(), Some(&parts));
            let written = write_module(&parts.module, Quoting::Language);
            let plain = !written.contains("$$${") && !written.contains("%%%{");
            if plain {
                prop_assert_eq!(parse_module(&written, Quoting::Language), Some((parts.module, "")));
            }
        }
    }
}
