//! What differs between two values, as marked lines.
//!
//! [`attributes`] compares two objects and lays the difference out like a block of the language: one attribute a
//! line, aligned, nested values below their names. Each line carries a [`Mark`], its depth, and a remark; colours,
//! indentation, fences and tags are added by whoever prints the lines, so that terminal, Markdown and HTML agree.
//!
//! Lists are compared by their longest common subsequence, sets by membership, maps and objects by key, texts of
//! several lines line by line, and texts that both hold a JSON array or object as the values these stand for. What
//! is equal is counted and not shown. Where a comparison would cost more than a bounded amount of work, what
//! differs is shown as removed and added, so that work stays proportional to size.
//!
//! What a [`Layout`] names is a nested block: it is laid out as one, behind the attributes, and none at all where there is
//! nothing in it.
//!
//! An attribute that is null is one that is absent: coming from null is an addition, going to null a removal.

use std::collections::{HashMap, HashSet};

use plumb_engine::plan::Layout;
use plumb_model::{Entries, Marks, Path, Step, Value};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use unicode_width::UnicodeWidthStr;

use super::value::{brief, count, hidden, key, scalar};
use super::{escape, value};

/// What becomes of what a line shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Nothing: it is there to find one's way.
    Same,
    /// It comes into being.
    Add,
    /// It ceases to exist.
    Remove,
    /// It becomes another.
    Change,
}

impl Mark {
    /// The character in front of such lines.
    pub fn symbol(self) -> char {
        match self {
            Mark::Same => ' ',
            Mark::Add => '+',
            Mark::Remove => '-',
            Mark::Change => '~',
        }
    }
}

/// One line of a difference. Nothing in it is unsafe to show, and nothing in it is sensitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What becomes of it.
    pub mark: Mark,
    /// How deep it is nested; attributes of the object itself have 0.
    pub depth: usize,
    /// The text.
    pub text: String,
    /// A remark to show behind it; empty if there is none.
    pub note: String,
    /// Whether the line only says what is left out.
    pub elided: bool,
}

/// What is said beside the lines of particular attributes.
#[derive(Clone, Debug, Default)]
pub struct Remarks {
    forces_replacement: HashSet<Path>,
    by_path: HashMap<Path, String>,
}

impl Remarks {
    /// Says that a change of the attribute needs another object.
    pub fn forces_replacement(&mut self, path: &Path) {
        self.forces_replacement.insert(comparable(path));
    }

    /// Says something of an attribute. Of several remarks on one, the first stays.
    pub fn remark(&mut self, path: &Path, text: String) {
        self.by_path.entry(comparable(path)).or_insert(text);
    }

    fn at(&self, path: &Path) -> String {
        let forces = self.forces_replacement.contains(path);
        match (forces, self.by_path.get(path)) {
            (false, None) => String::new(),
            (false, Some(text)) => text.clone(),
            (true, None) => "forces replacement".to_owned(),
            (true, Some(text)) => format!("forces replacement, {text}"),
        }
    }
}

/// Attribute names and map keys are not told apart, since providers mix them up.
fn comparable(path: &Path) -> Path {
    let step = |step: &Step| match step {
        Step::Attribute(name) => Step::Key(name.clone()),
        other => other.clone(),
    };
    Path(path.0.iter().map(step).collect())
}

/// How long a value may be that stands on the left of an arrow.
const BRIEF: usize = 60;
/// Two texts that take more bytes than this on one line are put on two.
const LONG: usize = 110;
/// How many lines stay around a changed one.
const CONTEXT: usize = 3;
/// The most cells of a comparison table; beyond, no common subsequence is looked for.
const WORK: usize = 1 << 22;

/// What differs between two objects, either of which may be null. Attributes that are named in `keep` are shown
/// although they are equal.
pub fn attributes(
    before: &Value,
    after: &Value,
    remarks: &Remarks,
    keep: &[&str],
    layout: Option<&Layout>,
) -> Vec<Line> {
    let mut differ = Differ::new(remarks);
    let noun = "attribute";
    match (hidden(before.marks()).or(hidden(after.marks())), before.as_entries(), after.as_entries()) {
        (Some(hidden), ..) => differ.push(Mark::Same, hidden.to_owned()),
        (None, Some(before), Some(after)) => differ.entries(Some(before), Some(after), noun, keep, layout),
        (None, None, Some(after)) => differ.entries(None, Some(after), noun, keep, layout),
        (None, Some(before), None) => differ.entries(Some(before), None, noun, keep, layout),
        (None, None, None) => {}
    }
    differ.lines
}

/// What differs between two values, either of which may be absent, behind a label such as `name = `.
pub fn named(label: &str, before: Option<&Value>, after: Option<&Value>) -> Vec<Line> {
    let remarks = Remarks::default();
    let mut differ = Differ::new(&remarks);
    differ.entry(label, before, after, "");
    differ.lines
}

/// The value laid out over lines, every line marked alike.
pub fn whole(label: &str, value: &Value, mark: Mark) -> Vec<Line> {
    let remarks = Remarks::default();
    let mut differ = Differ::new(&remarks);
    differ.whole(mark, label, value, "");
    differ.lines
}

struct Differ<'a> {
    lines: Vec<Line>,
    depth: usize,
    path: Path,
    remarks: &'a Remarks,
}

impl<'a> Differ<'a> {
    fn new(remarks: &'a Remarks) -> Differ<'a> {
        Differ { lines: Vec::new(), depth: 0, path: Path::root(), remarks }
    }

    fn push(&mut self, mark: Mark, text: String) {
        self.lines.push(Line { mark, depth: self.depth, text, note: String::new(), elided: false });
    }

    /// A line that stands for the value at the present path, and so carries its remark.
    fn push_here(&mut self, mark: Mark, text: String) {
        let note = if mark == Mark::Same { String::new() } else { self.remarks.at(&self.path) };
        self.lines.push(Line { mark, depth: self.depth, text, note, elided: false });
    }

    fn elide(&mut self, n: usize, noun: &str) {
        if n > 0 {
            let text = format!("# ({} hidden)", count(n, &format!("unchanged {noun}")));
            self.lines.push(Line {
                mark: Mark::Same,
                depth: self.depth,
                text,
                note: String::new(),
                elided: true,
            });
        }
    }

    fn note_last(&mut self, text: &str) {
        if let Some(line) = self.lines.last_mut() {
            line.note = if line.note.is_empty() { text.to_owned() } else { format!("{}, {text}", line.note) };
        }
    }

    fn within(&mut self, step: Step, f: impl FnOnce(&mut Self)) {
        self.path.0.push(step);
        f(self);
        self.path.0.pop();
    }

    fn deeper(&mut self, f: impl FnOnce(&mut Self)) {
        self.depth += 1;
        f(self);
        self.depth -= 1;
    }

    /// The attributes or elements of two maps or objects, side by side by name.
    fn entries(
        &mut self,
        before: Option<&Entries>,
        after: Option<&Entries>,
        noun: &str,
        keep: &[&str],
        layout: Option<&Layout>,
    ) {
        let mut rows = Vec::new();
        let mut blocks = Vec::new();
        let mut unchanged = 0;
        for (name, old, new) in merge(before, after) {
            if let Some(inner) = layout.and_then(|layout| layout.block(name))
                && old.is_none_or(has_blocks)
                && new.is_none_or(has_blocks)
            {
                blocks.push((name, old, new, inner));
                continue;
            }
            let absent = |side: Option<&Value>| side.is_none_or(is_nothing);
            if absent(old) && absent(new) {
                // A null that comes or goes with its key is only worth a line where both sides have an object.
                if old.is_some() == new.is_some() || before.is_none() || after.is_none() {
                    unchanged += usize::from(before.is_some() && after.is_some() && old.is_some());
                    continue;
                }
            } else if old == new && !keep.contains(&name) {
                unchanged += 1;
                continue;
            }
            rows.push((name, old, new));
        }
        let labels: Vec<String> = rows.iter().map(|(name, ..)| key(name)).collect();
        let width = label_width(&labels);
        for ((name, old, new), label) in rows.into_iter().zip(labels) {
            let padding = " ".repeat(width.saturating_sub(label.width()));
            let label = format!("{label}{padding} = ");
            self.within(Step::Key(name.into()), |d| d.entry(&label, old, new, ""));
        }
        self.elide(unchanged, noun);
        let mut same = 0;
        for (name, old, new, inner) in blocks {
            self.within(Step::Key(name.into()), |d| same += d.blocks(name, old, new, inner));
        }
        self.elide(same, "block");
    }

    /// The nested blocks of one name. Returns how many stay as they are.
    fn blocks(&mut self, name: &str, before: Option<&Value>, after: Option<&Value>, inner: &Layout) -> usize {
        let (old, new) = (bodies(before), bodies(after));
        let is_set = [before, after].iter().flatten().any(|value| matches!(value.unmarked(), Value::Set(_)));
        let mut same = 0;
        for operation in compare(&old, &new) {
            if let DiffOp::Equal { len, .. } = operation {
                same += len;
                continue;
            }
            let first = operation.new_range().start;
            let (old, new) = (&old[operation.old_range()], &new[operation.new_range()]);
            // What belongs to a set is another one if anything in it is.
            let paired = if is_set || old.len() != new.len() { 0 } else { old.len() };
            for (i, ((label, old), (_, new))) in old.iter().zip(new).take(paired).enumerate() {
                self.within(Step::Index(first + i), |d| {
                    d.one_block(Mark::Change, name, label, Some(old), Some(new), inner);
                });
            }
            for (label, old) in &old[paired..] {
                self.within(Step::Any, |d| d.one_block(Mark::Remove, name, label, Some(old), None, inner));
            }
            for (i, (label, new)) in new[paired..].iter().enumerate() {
                let step = if is_set { Step::Any } else { Step::Index(first + paired + i) };
                self.within(step, |d| d.one_block(Mark::Add, name, label, None, Some(new), inner));
            }
        }
        same
    }

    fn one_block(
        &mut self,
        mark: Mark,
        name: &str,
        label: &str,
        before: Option<&Value>,
        after: Option<&Value>,
        inner: &Layout,
    ) {
        self.push_here(mark, format!("{name}{label} {{"));
        let secret = [before, after].into_iter().flatten().find_map(|value| hidden(value.marks()));
        let (before, after) = (before.and_then(Value::as_entries), after.and_then(Value::as_entries));
        self.deeper(|d| match secret {
            Some(secret) => d.push(mark, secret.to_owned()),
            None => d.entries(before, after, "attribute", &[], Some(inner)),
        });
        self.push(Mark::Same, "}".to_owned());
    }

    /// One attribute, output or element that may be absent on one side.
    fn entry(&mut self, label: &str, before: Option<&Value>, after: Option<&Value>, end: &str) {
        match (before, after) {
            (None, None) => {}
            (None, Some(new)) => self.whole(Mark::Add, label, new, end),
            (Some(old), None) => self.whole(Mark::Remove, label, old, end),
            (Some(old), Some(new)) if old == new => self.whole(Mark::Same, label, new, end),
            (Some(old), Some(new)) if is_nothing(old) => self.whole(Mark::Add, label, new, end),
            (Some(old), Some(new)) if is_nothing(new) => {
                self.whole(Mark::Remove, label, old, &format!(" -> null{end}"));
            }
            (Some(old), Some(new)) => self.pair(label, old, new, end),
        }
    }

    /// Two values that differ, neither of them null.
    fn pair(&mut self, label: &str, before: &Value, after: &Value, end: &str) {
        if let Some(hidden) = hidden(before.marks() | after.marks()) {
            self.push_here(Mark::Change, format!("{label}{hidden}{end}"));
            match (value::hidden(before.marks()).is_some(), value::hidden(after.marks()).is_some()) {
                (false, true) => self.note_last("no longer shown"),
                (true, false) => self.note_last("shown from now on"),
                _ => {}
            }
            return;
        }
        match (before.unmarked(), after.unmarked()) {
            (old, Value::Unknown(_)) => {
                self.push_here(Mark::Change, format!("{label}{} -> {}{end}", clipped(old), value::UNKNOWN));
            }
            (Value::String(old), Value::String(new)) => self.texts(label, old, new, end),
            (Value::Set(old), Value::Set(new)) => {
                self.group(label, "[", "]", end, |d| d.sets(&old.items, &new.items));
            }
            (Value::List(_) | Value::Tuple(_), Value::List(_) | Value::Tuple(_)) => {
                let (old, new) =
                    (before.as_items().unwrap_or_default(), after.as_items().unwrap_or_default());
                self.group(label, "[", "]", end, |d| d.lists(old, new));
            }
            (Value::Map(_) | Value::Object(_), Value::Map(_) | Value::Object(_)) => {
                let is_map = matches!(after.unmarked(), Value::Map(_));
                let noun = if is_map { "element" } else { "attribute" };
                self.group(label, "{", "}", end, |d| {
                    d.entries(before.as_entries(), after.as_entries(), noun, &[], None);
                });
            }
            (old, new) => match (short_scalar(old), short_scalar(new)) {
                (Some(old), Some(new)) => {
                    self.push_here(Mark::Change, format!("{label}{old} -> {new}{end}"));
                }
                _ => {
                    self.whole(Mark::Remove, label, before, end);
                    self.whole(Mark::Add, label, after, end);
                }
            },
        }
    }

    /// Lines in brackets that belong to a changed value.
    fn group(&mut self, label: &str, open: &str, close: &str, end: &str, f: impl FnOnce(&mut Self)) {
        self.push_here(Mark::Change, format!("{label}{open}"));
        self.deeper(f);
        self.push(Mark::Same, format!("{close}{end}"));
    }

    /// A value all of which comes, goes or stays.
    fn whole(&mut self, mark: Mark, label: &str, value: &Value, end: &str) {
        if let Some(hidden) = hidden(value.marks()) {
            return self.push_here(mark, format!("{label}{hidden}{end}"));
        }
        match value.unmarked() {
            Value::String(text) => self.whole_text(mark, label, text, end),
            Value::List(_) | Value::Set(_) | Value::Tuple(_) => {
                let items = value.as_items().unwrap_or_default();
                if items.is_empty() {
                    return self.push_here(mark, format!("{label}[]{end}"));
                }
                self.push_here(mark, format!("{label}["));
                self.deeper(|d| items.iter().for_each(|item| d.whole_quietly(mark, "", item, ",")));
                self.push(Mark::Same, format!("]{end}"));
            }
            Value::Map(_) | Value::Object(_) => {
                let Some(entries) = value.as_entries().filter(|e| !e.is_empty()) else {
                    return self.push_here(mark, format!("{label}{{}}{end}"));
                };
                self.push_here(mark, format!("{label}{{"));
                // Of an object, whose attributes are fixed, null ones are absent ones.
                let nulls = matches!(value.unmarked(), Value::Map(_));
                self.deeper(|d| d.whole_entries(mark, entries, nulls));
                self.push(Mark::Same, format!("}}{end}"));
            }
            other => {
                let text = scalar(other).unwrap_or_default();
                self.push_here(mark, format!("{label}{text}{end}"));
            }
        }
    }

    fn whole_entries(&mut self, mark: Mark, entries: &Entries, nulls: bool) {
        let shown = || entries.iter().filter(|(_, value)| nulls || !is_nothing(value));
        let labels: Vec<String> = shown().map(|(name, _)| key(name)).collect();
        let width = label_width(&labels);
        for ((name, value), label) in shown().zip(labels) {
            let padding = " ".repeat(width.saturating_sub(label.width()));
            let label = format!("{label}{padding} = ");
            self.within(Step::Key(name.clone()), |d| d.whole(mark, &label, value, ""));
        }
    }

    /// As [`Self::whole`] for an element, which repeats no remark of what contains it.
    fn whole_quietly(&mut self, mark: Mark, label: &str, value: &Value, end: &str) {
        self.within(Step::Any, |d| d.whole(mark, label, value, end));
    }

    fn whole_text(&mut self, mark: Mark, label: &str, text: &str, end: &str) {
        if let Some(json) = json(text) {
            self.push_here(mark, format!("{label}jsonencode("));
            self.deeper(|d| d.whole_quietly(mark, "", &json, ""));
            return self.push(Mark::Same, format!("){end}"));
        }
        if !has_lines(text) {
            return self.push_here(mark, format!("{label}{}{end}", escape::quoted(text)));
        }
        let (rows, closed) = rows(text);
        self.push_here(mark, format!("{label}<<-EOT"));
        self.deeper(|d| rows.iter().for_each(|row| d.push(mark, shown_row(row))));
        self.push(Mark::Same, format!("EOT{end}"));
        if !closed {
            self.note_last("no line break at the end");
        }
    }

    /// Two texts that differ.
    fn texts(&mut self, label: &str, before: &str, after: &str, end: &str) {
        if let (Some(old), Some(new)) = (json(before), json(after)) {
            if old == new {
                let text = format!("{label}jsonencode({}){end}", brief(&new, BRIEF));
                self.push_here(Mark::Change, text);
                return self.note_last("only the layout of the JSON changes");
            }
            self.push_here(Mark::Change, format!("{label}jsonencode("));
            self.deeper(|d| d.within(Step::Any, |d| d.entry("", Some(&old), Some(&new), "")));
            return self.push(Mark::Same, format!("){end}"));
        }
        if !has_lines(before) && !has_lines(after) {
            let (old, new) = (escape::quoted(before), escape::quoted(after));
            if label.len() + old.len() + new.len() <= LONG {
                return self.push_here(Mark::Change, format!("{label}{old} -> {new}{end}"));
            }
            // One below the other, so that the eye finds where they part.
            self.push_here(Mark::Change, format!("{label}{old}"));
            let indent = label.width().saturating_sub(3);
            return self.push(Mark::Same, format!("{:indent$}-> {new}{end}", ""));
        }
        let ((old, old_closed), (new, new_closed)) = (rows(before), rows(after));
        self.push_here(Mark::Change, format!("{label}<<-EOT"));
        self.deeper(|d| d.rows(&old, &new));
        self.push(Mark::Same, format!("EOT{end}"));
        match (old_closed, new_closed) {
            (true, false) => self.note_last("the line break at the end is removed"),
            (false, true) => self.note_last("a line break is added at the end"),
            _ => {}
        }
    }

    fn rows(&mut self, before: &[&str], after: &[&str]) {
        let operations = compare(before, after);
        let last = operations.len().saturating_sub(1);
        for (i, operation) in operations.iter().enumerate() {
            if let DiffOp::Equal { new_index, len, .. } = *operation {
                let equal = &after[new_index..new_index + len];
                let head = if i == 0 { 0 } else { CONTEXT.min(len) };
                let tail = if i == last { 0 } else { CONTEXT.min(len - head) };
                let left_out = len - head - tail;
                // Saying that one line is left out takes as much room as the line.
                let (head, left_out) = if left_out == 1 { (head + 1, 0) } else { (head, left_out) };
                equal[..head].iter().for_each(|row| self.push(Mark::Same, shown_row(row)));
                self.elide(left_out, "line");
                equal[len - tail..].iter().for_each(|row| self.push(Mark::Same, shown_row(row)));
            } else {
                before[operation.old_range()].iter().for_each(|row| self.push(Mark::Remove, shown_row(row)));
                after[operation.new_range()].iter().for_each(|row| self.push(Mark::Add, shown_row(row)));
            }
        }
    }

    fn lists(&mut self, before: &[Value], after: &[Value]) {
        let mut hidden = 0;
        for operation in compare(before, after) {
            if let DiffOp::Equal { len, .. } = operation {
                hidden += len;
                continue;
            }
            self.elide(std::mem::take(&mut hidden), "element");
            let (old, new) = (&before[operation.old_range()], &after[operation.new_range()]);
            let first = operation.new_range().start;
            let paired = old.iter().zip(new).take_while(|(old, new)| pairs_up(old, new)).count();
            // Elements of which as many come as go are taken to be the same ones, changed; so are compound ones.
            let paired = if old.len() == new.len() || paired > 0 && !is_scalar(&old[0]) { paired } else { 0 };
            for (i, (old, new)) in old.iter().zip(new).take(paired).enumerate() {
                self.within(Step::Index(first + i), |d| d.element(old, new));
            }
            old[paired..].iter().for_each(|item| self.whole_quietly(Mark::Remove, "", item, ","));
            for (i, item) in new[paired..].iter().enumerate() {
                self.within(Step::Index(first + paired + i), |d| d.whole(Mark::Add, "", item, ","));
            }
        }
        self.elide(hidden, "element");
    }

    /// Two elements that differ; null is a value here like any other.
    fn element(&mut self, before: &Value, after: &Value) {
        if is_nothing(before) || is_nothing(after) {
            self.whole(Mark::Remove, "", before, ",");
            self.whole(Mark::Add, "", after, ",");
        } else {
            self.pair("", before, after, ",");
        }
    }

    fn sets(&mut self, before: &[Value], after: &[Value]) {
        let (old, new): (HashSet<&Value>, HashSet<&Value>) =
            (before.iter().collect(), after.iter().collect());
        for item in before.iter().filter(|item| !new.contains(item)) {
            self.whole_quietly(Mark::Remove, "", item, ",");
        }
        for item in after.iter().filter(|item| !old.contains(item)) {
            self.whole_quietly(Mark::Add, "", item, ",");
        }
        self.elide(before.iter().filter(|item| new.contains(item)).count(), "element");
    }
}

/// How wide labels are made to align what follows. Very long ones stand out rather than push the others apart.
pub fn label_width(labels: &[String]) -> usize {
    labels.iter().map(|label| label.width()).filter(|width| *width <= 40).max().unwrap_or(0)
}

/// The names of both sides in order, each with its values.
fn merge<'v>(
    before: Option<&'v Entries>,
    after: Option<&'v Entries>,
) -> Vec<(&'v str, Option<&'v Value>, Option<&'v Value>)> {
    let mut old = before.into_iter().flat_map(Entries::iter).peekable();
    let mut new = after.into_iter().flat_map(Entries::iter).peekable();
    let mut rows = Vec::new();
    loop {
        let (take_old, take_new) = match (old.peek(), new.peek()) {
            (None, None) => return rows,
            (Some(_), None) => (true, false),
            (None, Some(_)) => (false, true),
            (Some((a, _)), Some((b, _))) => (a <= b, b <= a),
        };
        let old = if take_old { old.next() } else { None };
        let new = if take_new { new.next() } else { None };
        if let Some((name, _)) = old.or(new) {
            rows.push((name.as_str(), old.map(|(_, v)| v), new.map(|(_, v)| v)));
        }
    }
}

/// Whether a value is laid out as blocks: it is known which there are.
fn has_blocks(value: &Value) -> bool {
    let known = value.is_null() || value.as_items().is_some() || value.as_entries().is_some();
    known && hidden(value.marks()).is_none()
}

/// The blocks of one name, each with its label if blocks of this name have one.
fn bodies(value: Option<&Value>) -> Vec<(String, &Value)> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Vec::new() };
    match value.unmarked() {
        Value::Map(map) => {
            map.entries.iter().map(|(key, value)| (format!(" {}", escape::quoted(key)), value)).collect()
        }
        Value::Object(_) => vec![(String::new(), value)],
        _ => value.as_items().unwrap_or_default().iter().map(|item| (String::new(), item)).collect(),
    }
}

/// How to get from one sequence to the other. Common ends are matched first; if what is left between them is too
/// large to compare, it is replaced as a whole.
fn compare<T: std::hash::Hash + Eq>(before: &[T], after: &[T]) -> Vec<DiffOp> {
    let (old, new) = numbered(before, after);
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_len, new_len) = (old.len() - head - tail, new.len() - head - tail);
    let mut operations = Vec::new();
    if head > 0 {
        operations.push(DiffOp::Equal { old_index: 0, new_index: 0, len: head });
    }
    if old_len.saturating_mul(new_len) > WORK {
        operations.push(DiffOp::Replace { old_index: head, old_len, new_index: head, new_len });
    } else {
        let middle =
            capture_diff_slices(Algorithm::Myers, &old[head..head + old_len], &new[head..head + new_len]);
        operations.extend(middle.into_iter().map(|operation| shifted(operation, head)));
    }
    if tail > 0 {
        operations.push(DiffOp::Equal { old_index: head + old_len, new_index: head + new_len, len: tail });
    }
    operations
}

/// Equal elements get equal numbers, so that comparing two of them costs nothing whatever their size.
fn numbered<T: std::hash::Hash + Eq>(before: &[T], after: &[T]) -> (Vec<usize>, Vec<usize>) {
    let mut numbers = HashMap::new();
    let mut number = |item| {
        let next = numbers.len();
        *numbers.entry(item).or_insert(next)
    };
    (before.iter().map(&mut number).collect(), after.iter().map(&mut number).collect())
}

fn shifted(operation: DiffOp, by: usize) -> DiffOp {
    match operation {
        DiffOp::Equal { old_index, new_index, len } => {
            DiffOp::Equal { old_index: old_index + by, new_index: new_index + by, len }
        }
        DiffOp::Delete { old_index, old_len, new_index } => {
            DiffOp::Delete { old_index: old_index + by, old_len, new_index: new_index + by }
        }
        DiffOp::Insert { old_index, new_index, new_len } => {
            DiffOp::Insert { old_index: old_index + by, new_index: new_index + by, new_len }
        }
        DiffOp::Replace { old_index, old_len, new_index, new_len } => {
            DiffOp::Replace { old_index: old_index + by, old_len, new_index: new_index + by, new_len }
        }
    }
}

/// A null that says that nothing is given. What is given and never kept is null too, and worth a line.
fn is_nothing(value: &Value) -> bool {
    value.is_null() && !value.marks().contains(Marks::EPHEMERAL)
}

fn is_scalar(value: &Value) -> bool {
    value.as_items().is_none() && value.as_entries().is_none()
}

/// Whether two elements are likely the same one, changed: both simple, or both of the same kind.
fn pairs_up(before: &Value, after: &Value) -> bool {
    match (is_scalar(before), is_scalar(after)) {
        (true, true) => true,
        (false, false) => before.as_items().is_some() == after.as_items().is_some(),
        _ => false,
    }
}

/// The value on the left of an arrow: short, since it goes away.
fn clipped(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().nth(BRIEF).is_some() => {
            let start: String = text.chars().take(BRIEF - 20).collect();
            format!("{} … {}", escape::quoted(&start), count(text.chars().count(), "character"))
        }
        other => brief(other, BRIEF),
    }
}

/// A value without parts, unless it is a text that needs lines of its own.
fn short_scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if has_lines(text) || json(text).is_some() => None,
        other => scalar(other),
    }
}

/// Whether a text is better read over lines: there is a line break before its end.
fn has_lines(text: &str) -> bool {
    text.trim_end_matches(['\n', '\r']).contains('\n')
}

/// The lines of a text, and whether the last one is ended.
fn rows(text: &str) -> (Vec<&str>, bool) {
    match text.strip_suffix('\n') {
        Some(text) => (text.split('\n').collect(), true),
        None => (text.split('\n').collect(), false),
    }
}

/// A line of a text; white space at its end, which would be invisible, is shown as escapes.
fn shown_row(row: &str) -> String {
    let body = row.trim_end_matches([' ', '\t']);
    let mut shown = escape::lines(body).into_owned();
    for c in row[body.len()..].chars() {
        shown.push_str(if c == '\t' { "\\t" } else { "\\u0020" });
    }
    shown
}

/// The value that a text stands for, if it is JSON and more than a single thing. Numbers keep their digits.
fn json(text: &str) -> Option<Value> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    let empty = json.as_object().is_none_or(|o| o.is_empty()) && json.as_array().is_none_or(|a| a.is_empty());
    if empty {
        return None;
    }
    plumb_model::json::from_json(&json, &plumb_model::json::implied_type(&json)).ok()
}
