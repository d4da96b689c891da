//! Values as they are saved in a plan: self-describing JSON that keeps unknowns, refinements, marks and types.
//!
//! | a value | is written as |
//! |---|---|
//! | an object | `{"name":V,…}`, by name |
//! | a string, a bool, `null` without a type | as JSON has them |
//! | a whole number of 64 bits, as if written in a source | as JSON has it |
//! | another number | `["number","0.1"]`, with the bits of precision behind it where those are not 512 |
//! | null of a type | `["null",T]` |
//! | a list, a set, a map | `["list",T,[V,…]]`, `["set",T,[V,…]]`, `["map",T,{"key":V,…}]`, where `T` is the type of the elements |
//! | a tuple | `["tuple",[V,…]]` |
//! | an unknown value | `["unknown",T]`, with what else is known of it as an object behind it |
//! | a marked value | `["marked",["ephemeral","sensitive"],V]` |
//! | a sensitive value that was concealed | `["marked",["sensitive"],["concealed",T,"…"]]` |
//!
//! There is no white space and one way to write each value, so that the same value always gives the same bytes. Nesting
//! is bounded by [`MAX_DEPTH`] both ways. Text that is no value is an error, never a panic.
//!
//! A caller who saves a plan says how sensitive parts are concealed (`write_concealed`); this module knows where
//! they are, [`super::secret`] how it is done. Elsewhere: types are `types`.

use std::borrow::Cow;
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::value::{MapValue, Sequence, normalize};
use plumb_model::{Entries, Marks, Number, Refinement, Step, Type, Unknown, Value, number};

use super::text::{Cursor, write_string};
use super::types::{self, separate};

/// How deeply values and types may be nested.
pub const MAX_DEPTH: usize = 256;

/// The most bits of precision that a saved number may have.
const MAX_PRECISION: u16 = 4096;

/// Why a value cannot be saved, or a text is not a saved value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ValueError {
    problem: String,
}

impl ValueError {
    pub(super) fn new(problem: impl Into<String>) -> ValueError {
        ValueError { problem: problem.into() }
    }

    pub(super) fn too_deep() -> ValueError {
        ValueError::new(format!("it is nested more than {MAX_DEPTH} levels deep"))
    }
}

/// Turns the text of a sensitive part at a path into one that only the holder of a key can read.
pub(super) type Conceal<'a> = &'a dyn Fn(&[Step], &str) -> String;

/// Gives the value that was concealed at a path, or what stands for it: a value of the type.
pub(super) type Reveal<'a> = &'a dyn Fn(&[Step], Type, &str) -> Result<Value, ValueError>;

/// The text of a value.
///
/// # Errors
/// If it is nested too deeply, or holds a number whose exponent is beyond what text may have.
pub fn write(value: &Value) -> Result<String, ValueError> {
    Writer { out: String::new(), path: Vec::new(), conceal: None }.finish(value)
}

/// The text of a value in which sensitive parts are concealed. In place of ephemeral parts, which are never saved, stand
/// unknown ones.
///
/// # Errors
/// As [`write()`].
pub(super) fn write_concealed(value: &Value, conceal: Conceal) -> Result<String, ValueError> {
    Writer { out: String::new(), path: Vec::new(), conceal: Some(conceal) }.finish(value)
}

/// Reads what [`write()`] gives.
///
/// # Errors
/// If the text is something else.
pub fn read(text: &str) -> Result<Value, ValueError> {
    Reader { cursor: Cursor::new(text), path: Vec::new(), reveal: None }.finish()
}

/// Reads what [`write_concealed`] gives.
///
/// # Errors
/// If the text is something else, or a part cannot be revealed.
pub(super) fn read_concealed(text: &str, reveal: Reveal) -> Result<Value, ValueError> {
    Reader { cursor: Cursor::new(text), path: Vec::new(), reveal: Some(reveal) }.finish()
}

struct Writer<'a> {
    out: String,
    path: Vec<Step>,
    conceal: Option<Conceal<'a>>,
}

impl Writer<'_> {
    fn finish(mut self, value: &Value) -> Result<String, ValueError> {
        self.value(value, 0)?;
        Ok(self.out)
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<(), ValueError> {
        if depth > MAX_DEPTH {
            return Err(ValueError::too_deep());
        }
        match value {
            Value::Null(Type::Dynamic) => self.out.push_str("null"),
            Value::Null(ty) => {
                self.open("null");
                types::write(ty, depth, &mut self.out)?;
                self.out.push(']');
            }
            Value::Unknown(unknown) => self.unknown(unknown, depth)?,
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Number(number) => self.number(number)?,
            Value::String(text) => write_string(text, &mut self.out),
            Value::List(list) => self.sequence("list", list, depth)?,
            Value::Set(set) => self.sequence("set", set, depth)?,
            Value::Map(map) => {
                self.open("map");
                types::write(&map.element, depth, &mut self.out)?;
                self.out.push(',');
                self.entries(&map.entries, Step::Key, depth)?;
                self.out.push(']');
            }
            Value::Tuple(items) => {
                self.open("tuple");
                self.items(items, Step::Index, depth)?;
                self.out.push(']');
            }
            Value::Object(entries) => self.entries(entries, Step::Attribute, depth)?,
            Value::Marked(marked) => self.marked(marked.marks, &marked.value, depth)?,
        }
        Ok(())
    }

    /// `["tag",`
    fn open(&mut self, tag: &str) {
        self.out.push_str("[\"");
        self.out.push_str(tag);
        self.out.push_str("\",");
    }

    fn sequence(&mut self, tag: &str, sequence: &Sequence, depth: usize) -> Result<(), ValueError> {
        self.open(tag);
        types::write(&sequence.element, depth, &mut self.out)?;
        self.out.push(',');
        let step = if tag == "set" { |_| Step::Any } else { Step::Index };
        self.items(&sequence.items, step, depth)?;
        self.out.push(']');
        Ok(())
    }

    fn items(&mut self, items: &[Value], step: fn(usize) -> Step, depth: usize) -> Result<(), ValueError> {
        self.out.push('[');
        for (i, item) in items.iter().enumerate() {
            separate(i, &mut self.out);
            self.path.push(step(i));
            self.value(item, depth + 1)?;
            self.path.pop();
        }
        self.out.push(']');
        Ok(())
    }

    fn entries(
        &mut self,
        entries: &Entries,
        step: fn(EcoString) -> Step,
        depth: usize,
    ) -> Result<(), ValueError> {
        self.out.push('{');
        for (i, (name, value)) in entries.iter().enumerate() {
            separate(i, &mut self.out);
            write_string(name, &mut self.out);
            self.out.push(':');
            self.path.push(step(name.clone()));
            self.value(value, depth + 1)?;
            self.path.pop();
        }
        self.out.push('}');
        Ok(())
    }

    fn number(&mut self, number: &Number) -> Result<(), ValueError> {
        let precision = number.precision();
        let as_written = precision == number::TEXT_PRECISION;
        let negative_zero = number.is_zero() && number.is_negative();
        let whole = number.to_i64().filter(|_| !negative_zero);
        if let Some(whole) = whole.filter(|_| as_written) {
            self.out.push_str(&whole.to_string());
            return Ok(());
        }
        let text = match whole {
            Some(whole) => whole.to_string(),
            None => exact_text(number)?,
        };
        self.open("number");
        write_string(&text, &mut self.out);
        if !as_written {
            self.out.push_str(&format!(",{precision}"));
        }
        self.out.push(']');
        Ok(())
    }

    fn unknown(&mut self, unknown: &Unknown, depth: usize) -> Result<(), ValueError> {
        self.open("unknown");
        types::write(&unknown.ty, depth, &mut self.out)?;
        if unknown.refinement != Refinement::default() {
            self.out.push(',');
            self.refinement(&unknown.refinement)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn refinement(&mut self, refinement: &Refinement) -> Result<(), ValueError> {
        let Refinement { not_null, prefix, min, max, min_length, max_length } = refinement;
        let mut separator = '{';
        let mut name = |name: &str, out: &mut String| {
            out.push(std::mem::replace(&mut separator, ','));
            write_string(name, out);
            out.push(':');
        };
        if let Some(bound) = max {
            name("max", &mut self.out);
            self.bound(bound)?;
        }
        if let Some(length) = max_length {
            name("max_length", &mut self.out);
            self.out.push_str(&length.to_string());
        }
        if let Some(bound) = min {
            name("min", &mut self.out);
            self.bound(bound)?;
        }
        if *min_length > 0 {
            name("min_length", &mut self.out);
            self.out.push_str(&min_length.to_string());
        }
        if *not_null {
            name("not_null", &mut self.out);
            self.out.push_str("true");
        }
        if !prefix.is_empty() {
            name("prefix", &mut self.out);
            write_string(prefix, &mut self.out);
        }
        self.out.push('}');
        Ok(())
    }

    fn bound(&mut self, (bound, inclusive): &(Number, bool)) -> Result<(), ValueError> {
        self.out.push('[');
        self.number(bound)?;
        self.out.push_str(if *inclusive { ",true]" } else { ",false]" });
        Ok(())
    }

    fn marked(&mut self, marks: Marks, value: &Value, depth: usize) -> Result<(), ValueError> {
        self.open("marked");
        self.out.push('[');
        let names = MARKS.iter().filter(|(mark, _)| marks.contains(*mark));
        for (i, (_, name)) in names.enumerate() {
            separate(i, &mut self.out);
            write_string(name, &mut self.out);
        }
        self.out.push_str("],");
        match self.conceal {
            Some(_) if marks.contains(Marks::EPHEMERAL) => {
                let ty = if marks.contains(Marks::SENSITIVE) { shown_type(value) } else { value.ty() };
                self.open("unknown");
                types::write(&ty, depth, &mut self.out)?;
                self.out.push(']');
            }
            Some(conceal) if marks.contains(Marks::SENSITIVE) && tells_something(value) => {
                let text = plain(value)?;
                self.open("concealed");
                types::write(&shown_type(value), depth, &mut self.out)?;
                self.out.push(',');
                write_string(&conceal(&self.path, &text), &mut self.out);
                self.out.push(']');
            }
            _ => self.value(value, depth)?,
        }
        self.out.push(']');
        Ok(())
    }
}

/// The text of what lies within a sensitive value. Ephemeral parts of it are not saved either.
fn plain(value: &Value) -> Result<String, ValueError> {
    write(&value.rebuild(&mut |part| match part {
        Value::Marked(marked) if marked.marks.contains(Marks::EPHEMERAL) => {
            Value::unknown(marked.value.ty()).with_marks(marked.marks)
        }
        part => part.clone(),
    }))
}

/// Whether there is anything to conceal. What is known of an unknown value can be: a secret that it starts with.
fn tells_something(value: &Value) -> bool {
    match value {
        Value::Unknown(unknown) => {
            Refinement { not_null: false, ..unknown.refinement.clone() } != Refinement::default()
        }
        _ => true,
    }
}

/// The type of a sensitive value that may be known to everyone: names of attributes and lengths may not.
fn shown_type(value: &Value) -> Type {
    fn tells_nothing(ty: &Type) -> bool {
        ty.is_primitive() || ty.is_collection() && ty.element().is_some_and(tells_nothing)
    }
    match value {
        Value::Tuple(_) | Value::Object(_) => Type::Dynamic,
        value => Some(value.ty()).filter(tells_nothing).unwrap_or(Type::Dynamic),
    }
}

/// The marks with their names, by name.
const MARKS: [(Marks, &str); 2] = [(Marks::EPHEMERAL, "ephemeral"), (Marks::SENSITIVE, "sensitive")];

/// Decimal text that reads back as exactly this number at its precision.
fn exact_text(number: &Number) -> Result<String, ValueError> {
    let reads_back = |text: &str| {
        let read = Number::parse(text).ok().map(|read| read.with_precision(number.precision()));
        read.is_some_and(|read| read == *number && read.is_negative() == number.is_negative())
    };
    // The shortest text is chosen from an interval that is too wide just above a power of two; with a few bits more it
    // lies close enough to the number to be rounded to it.
    let shortest = number.to_string();
    if reads_back(&shortest) {
        return Ok(shortest);
    }
    let longer = number.with_precision(number.precision().saturating_add(8)).to_string();
    if reads_back(&longer) {
        return Ok(longer);
    }
    Err(ValueError::new("it holds a number that is too large, or too close to zero, to be saved"))
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    path: Vec<Step>,
    reveal: Option<Reveal<'a>>,
}

impl<'a> Reader<'a> {
    fn finish(mut self) -> Result<Value, ValueError> {
        let value = self.value(0)?;
        self.cursor.end()?;
        Ok(value)
    }

    fn value(&mut self, depth: usize) -> Result<Value, ValueError> {
        if depth > MAX_DEPTH {
            return Err(ValueError::too_deep());
        }
        match self.cursor.peek() {
            Some(b'"') => Ok(Value::string(self.cursor.string()?)),
            Some(b'{') => {
                let entries = self.entries(Step::Attribute, depth)?;
                Ok(Value::Object(Arc::new(entries)))
            }
            Some(b'[') => self.tagged(depth),
            Some(b'-' | b'0'..=b'9') => Ok(Value::Number(self.number()?)),
            _ if self.cursor.word("true") => Ok(Value::Bool(true)),
            _ if self.cursor.word("false") => Ok(Value::Bool(false)),
            _ if self.cursor.word("null") => Ok(Value::NULL),
            _ => Err(self.cursor.error("a value was expected")),
        }
    }

    fn tagged(&mut self, depth: usize) -> Result<Value, ValueError> {
        let tag = self.tag()?;
        let value = match &*tag {
            "null" => Value::Null(types::read(&mut self.cursor, depth)?),
            "number" => Value::Number(self.number_text()?),
            "unknown" => self.unknown(depth)?,
            "list" => {
                let element = self.element(depth)?;
                Value::list(element, self.items(Step::Index, depth)?)
            }
            "set" => {
                let element = self.element(depth)?;
                Value::set(element, self.items(|_| Step::Any, depth)?)
            }
            "map" => {
                let element = self.element(depth)?;
                let entries = self.entries(Step::Key, depth)?;
                Value::Map(Arc::new(MapValue { element, entries }))
            }
            "tuple" => Value::tuple(self.items(Step::Index, depth)?),
            "marked" => self.marked(depth)?,
            other => return Err(self.cursor.error(format_args!("`{other}` is no kind of value"))),
        };
        self.cursor.expect(b']')?;
        Ok(value)
    }

    /// `["tag",`
    fn tag(&mut self) -> Result<Cow<'a, str>, ValueError> {
        self.cursor.expect(b'[')?;
        let tag = self.cursor.string()?;
        self.cursor.expect(b',')?;
        Ok(tag)
    }

    fn element(&mut self, depth: usize) -> Result<Type, ValueError> {
        let element = types::read(&mut self.cursor, depth)?;
        self.cursor.expect(b',')?;
        Ok(element)
    }

    fn items(&mut self, step: fn(usize) -> Step, depth: usize) -> Result<Vec<Value>, ValueError> {
        self.cursor.expect(b'[')?;
        let mut items = Vec::new();
        while self.cursor.another(b']', items.is_empty())? {
            self.path.push(step(items.len()));
            items.push(self.value(depth + 1)?);
            self.path.pop();
        }
        Ok(items)
    }

    fn entries(&mut self, step: fn(EcoString) -> Step, depth: usize) -> Result<Entries, ValueError> {
        self.cursor.expect(b'{')?;
        let mut entries: Vec<(EcoString, Value)> = Vec::new();
        while self.cursor.another(b'}', entries.is_empty())? {
            let name = EcoString::from(&*self.cursor.string()?);
            if entries.last().is_some_and(|(last, _)| *last >= name) {
                return Err(self.cursor.error(format_args!("the name `{name}` is not in order")));
            }
            self.cursor.expect(b':')?;
            self.path.push(step(name.clone()));
            let value = self.value(depth + 1)?;
            self.path.pop();
            entries.push((name, value));
        }
        Ok(Entries::new(entries))
    }

    /// A number in either form.
    fn number(&mut self) -> Result<Number, ValueError> {
        if self.cursor.peek() != Some(b'[') {
            return self.cursor.count().map(Number::from_i64);
        }
        if self.tag()? != "number" {
            return Err(self.cursor.error("a number was expected"));
        }
        let number = self.number_text()?;
        self.cursor.expect(b']')?;
        Ok(number)
    }

    /// What follows `["number",`.
    fn number_text(&mut self) -> Result<Number, ValueError> {
        let text = self.cursor.string()?;
        let number =
            Number::parse(&text).map_err(|_| self.cursor.error(format_args!("`{text}` is not a number")))?;
        if !self.cursor.take(b',') {
            return Ok(number);
        }
        match self.cursor.count()? {
            precision @ 1..=MAX_PRECISION => Ok(number.with_precision(precision)),
            other => Err(self.cursor.error(format_args!("a number cannot have {other} bits"))),
        }
    }

    /// What follows `["unknown",`.
    fn unknown(&mut self, depth: usize) -> Result<Value, ValueError> {
        let ty = types::read(&mut self.cursor, depth)?;
        let refinement = if self.cursor.take(b',') { self.refinement()? } else { Refinement::default() };
        Ok(Value::refined(ty, refinement))
    }

    fn refinement(&mut self) -> Result<Refinement, ValueError> {
        let mut refinement = Refinement::default();
        self.cursor.expect(b'{')?;
        let mut first = true;
        while self.cursor.another(b'}', std::mem::take(&mut first))? {
            let name = self.cursor.string()?;
            self.cursor.expect(b':')?;
            match &*name {
                "max" => refinement.max = Some(self.bound()?),
                "max_length" => refinement.max_length = Some(self.cursor.count()?),
                "min" => refinement.min = Some(self.bound()?),
                "min_length" => refinement.min_length = self.cursor.count()?,
                "not_null" if self.cursor.word("true") => refinement.not_null = true,
                "prefix" => refinement.prefix = normalize(&self.cursor.string()?),
                other => return Err(self.cursor.error(format_args!("`{other}` is no refinement"))),
            }
        }
        Ok(refinement)
    }

    fn bound(&mut self) -> Result<(Number, bool), ValueError> {
        self.cursor.expect(b'[')?;
        let number = self.number()?;
        self.cursor.expect(b',')?;
        let inclusive = self.cursor.word("true");
        if !inclusive && !self.cursor.word("false") {
            return Err(self.cursor.error("`true` or `false` was expected"));
        }
        self.cursor.expect(b']')?;
        Ok((number, inclusive))
    }

    /// What follows `["marked",`.
    fn marked(&mut self, depth: usize) -> Result<Value, ValueError> {
        let mut marks = Marks::NONE;
        self.cursor.expect(b'[')?;
        while self.cursor.another(b']', marks.is_empty())? {
            let name = self.cursor.string()?;
            let mark = MARKS.iter().find(|(_, known)| *known == name);
            marks |= mark.ok_or_else(|| self.cursor.error(format_args!("`{name}` is no mark")))?.0;
        }
        if marks.is_empty() {
            return Err(self.cursor.error("a mark was expected"));
        }
        self.cursor.expect(b',')?;
        let value = match self.reveal {
            Some(reveal) if self.cursor.word("[\"concealed\",") => {
                let ty = self.element(depth)?;
                let text = self.cursor.string()?;
                self.cursor.expect(b']')?;
                reveal(&self.path, ty, &text)?
            }
            // A marked value is never directly within another, so this goes no deeper than the value itself.
            _ if self.cursor.word("[\"marked\",") => {
                return Err(self.cursor.error("a value is marked twice"));
            }
            _ => self.value(depth)?,
        };
        Ok(value.with_marks(marks))
    }
}
