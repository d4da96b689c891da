//! JSON written as it is made, and values in the forms that Terraform's JSON has for them.
//!
//! A plan of many instances must not stand in memory a second time, so nothing builds trees: [`Json`] puts commas and
//! colons where they belong, and callers say what comes next. A value has three forms: itself ([`Json::value`], parts
//! that are not known left out of objects and null in arrays), which of its parts are not known
//! ([`Json::unknown_parts`]), and which are sensitive ([`Json::sensitive_parts`]). In the latter two `true` stands for
//! a part that is; of objects and maps only parts are listed that are, or that have parts themselves.

use std::io::{self, Write};

use plumb_model::json::{encode_string, type_to_json};
use plumb_model::{Marks, Path, Step, Type, Value};

/// Writes one JSON document.
pub struct Json<'w> {
    out: &'w mut dyn Write,
    comma: bool,
    buffer: String,
}

impl<'w> Json<'w> {
    /// A document that goes to `out`.
    pub fn new(out: &'w mut dyn Write) -> Json<'w> {
        Json { out, comma: false, buffer: String::new() }
    }

    fn separate(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.comma, true) { self.out.write_all(b",") } else { Ok(()) }
    }

    /// The name of the member that is written next.
    ///
    /// # Errors
    /// If writing fails; so for all that follow.
    pub fn key(&mut self, name: &str) -> io::Result<()> {
        self.separate()?;
        self.encoded(name)?;
        self.comma = false;
        self.out.write_all(b":")
    }

    /// An object whose members `f` writes.
    ///
    /// # Errors
    /// If writing fails.
    pub fn object(&mut self, f: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        self.within(b"{", b"}", f)
    }

    /// An array whose elements `f` writes.
    ///
    /// # Errors
    /// If writing fails.
    pub fn array(&mut self, f: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        self.within(b"[", b"]", f)
    }

    fn within(
        &mut self,
        open: &[u8],
        close: &[u8],
        f: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.separate()?;
        self.comma = false;
        self.out.write_all(open)?;
        f(self)?;
        self.comma = true;
        self.out.write_all(close)
    }

    fn encoded(&mut self, text: &str) -> io::Result<()> {
        self.buffer.clear();
        encode_string(text, &mut self.buffer);
        self.out.write_all(self.buffer.as_bytes())
    }

    /// A string.
    ///
    /// # Errors
    /// If writing fails.
    pub fn string(&mut self, text: &str) -> io::Result<()> {
        self.separate()?;
        self.encoded(text)
    }

    /// What is JSON already, or a number.
    ///
    /// # Errors
    /// If writing fails.
    pub fn raw(&mut self, json: impl std::fmt::Display) -> io::Result<()> {
        self.separate()?;
        write!(self.out, "{json}")
    }

    /// A member that is a string.
    ///
    /// # Errors
    /// If writing fails.
    pub fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.key(name)?;
        self.string(text)
    }

    /// A member that is a number, a bool, or JSON already.
    ///
    /// # Errors
    /// If writing fails.
    pub fn plain(&mut self, name: &str, json: impl std::fmt::Display) -> io::Result<()> {
        self.key(name)?;
        self.raw(json)
    }

    /// A member that is an array of strings.
    ///
    /// # Errors
    /// If writing fails.
    pub fn texts<T: AsRef<str>>(&mut self, name: &str, texts: impl IntoIterator<Item = T>) -> io::Result<()> {
        self.key(name)?;
        self.array(|json| texts.into_iter().try_for_each(|text| json.string(text.as_ref())))
    }

    /// A member that is a type.
    ///
    /// # Errors
    /// If writing fails.
    pub fn ty(&mut self, name: &str, ty: &Type) -> io::Result<()> {
        self.plain(name, type_to_json(ty))
    }

    /// A path as an array of names and indexes.
    ///
    /// # Errors
    /// If writing fails.
    pub fn path(&mut self, path: &Path) -> io::Result<()> {
        self.array(|json| {
            path.0.iter().try_for_each(|step| match step {
                Step::Attribute(name) | Step::Key(name) => json.string(name),
                Step::Index(index) => json.raw(index),
                // An element of a set has no name; whoever reads the path finds the set.
                Step::Any => Ok(()),
            })
        })
    }

    /// The value itself, sensitive parts in clear. What is not known is left out of objects and null elsewhere, as is
    /// what exists only while a command runs.
    ///
    /// # Errors
    /// If writing fails.
    pub fn value(&mut self, value: &Value) -> io::Result<()> {
        if value.marks().contains(Marks::EPHEMERAL) {
            return self.raw("null");
        }
        match value.unmarked() {
            Value::Null(_) | Value::Unknown(_) | Value::Marked(_) => self.raw("null"),
            Value::Bool(value) => self.raw(value),
            Value::Number(number) if number.is_infinite() => self.raw("null"),
            Value::Number(number) => self.raw(number),
            Value::String(text) => self.string(text),
            Value::List(items) | Value::Set(items) => self.values(&items.items),
            Value::Tuple(items) => self.values(items),
            Value::Map(_) | Value::Object(_) => self.object(|json| {
                let entries = value.as_entries().into_iter().flat_map(|entries| entries.iter());
                for (name, part) in entries.filter(|(_, part)| part.is_known()) {
                    json.key(name)?;
                    json.value(part)?;
                }
                Ok(())
            }),
        }
    }

    fn values(&mut self, items: &[Value]) -> io::Result<()> {
        self.array(|json| items.iter().try_for_each(|item| json.value(item)))
    }

    /// Which parts of the value are not known.
    ///
    /// # Errors
    /// If writing fails.
    pub fn unknown_parts(&mut self, value: &Value) -> io::Result<()> {
        self.parts(value, &|value| match value.unmarked() {
            // What is given and never kept is null once it has been given.
            _ if value.marks().contains(Marks::EPHEMERAL) => Part::Within,
            Value::Unknown(_) => Part::Yes,
            _ => Part::Within,
        })
    }

    /// Which parts of the value are sensitive. What a value that is not known may consist of is told by its type.
    ///
    /// # Errors
    /// If writing fails.
    pub fn sensitive_parts(&mut self, value: &Value) -> io::Result<()> {
        self.parts(value, &|value| match value.unmarked() {
            _ if value.marks().contains(Marks::SENSITIVE) => Part::Yes,
            Value::Unknown(unknown) => match unknown.ty {
                Type::Map(_) | Type::Object(_) => Part::Object,
                Type::List(_) | Type::Set(_) | Type::Tuple(_) => Part::Array,
                _ => Part::Within,
            },
            _ => Part::Within,
        })
    }

    fn parts(&mut self, value: &Value, judge: &dyn Fn(&Value) -> Part) -> io::Result<()> {
        match judge(value) {
            Part::Yes => return self.raw(true),
            Part::Object => return self.raw("{}"),
            Part::Array => return self.raw("[]"),
            Part::Within => {}
        }
        if let Some(items) = value.as_items() {
            return self.array(|json| items.iter().try_for_each(|item| json.parts(item, judge)));
        }
        let Some(entries) = value.as_entries() else { return self.raw(false) };
        self.object(|json| {
            for (name, part) in entries.iter() {
                let compound = part.as_items().is_some() || part.as_entries().is_some();
                if compound || !matches!(judge(part), Part::Within) {
                    json.key(name)?;
                    json.parts(part, judge)?;
                }
            }
            Ok(())
        })
    }
}

/// What a part is, when parts of a kind are looked for.
enum Part {
    /// Of that kind.
    Yes,
    /// Not itself, but it would be an object.
    Object,
    /// Not itself, but it would be an array.
    Array,
    /// Not itself; its parts may be.
    Within,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{o, s, secret, strings};

    fn written(f: impl FnOnce(&mut Json<'_>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        f(&mut Json::new(&mut out)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_value_has_three_forms() {
        let value = o([
            ("a", Value::unknown(Type::String)),
            ("b", Value::tuple(vec![Value::unknown(Type::Bool), secret(), Value::NULL])),
            ("c", o([("d", s("x"))])),
            ("e", strings(&[])),
            ("f", Value::unknown(Type::list(Type::String))),
            ("g", Value::Number(plumb_model::Number::parse("0.1").unwrap())),
            ("h", o([("i", secret())]).with_marks(Marks::SENSITIVE)),
        ]);
        assert_eq!(
            written(|json| json.value(&value)),
            r#"{"b":[null,"hunter2",null],"c":{"d":"x"},"e":[],"g":0.1,"h":{"i":"hunter2"}}"#
        );
        assert_eq!(
            written(|json| json.unknown_parts(&value)),
            r#"{"a":true,"b":[true,false,false],"c":{},"e":[],"f":true,"h":{}}"#
        );
        assert_eq!(
            written(|json| json.sensitive_parts(&value)),
            r#"{"b":[false,true,false],"c":{},"e":[],"f":[],"h":true}"#
        );
    }
}
