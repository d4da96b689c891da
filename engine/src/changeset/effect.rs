//! What a plan does, without what differs between two plans that do the same.
//!
//! An approval is for a plan; a later plan of the same configuration has another digest, since times, serials and
//! what stays as it is are part of it. Its [`Effect`] is the same exactly if the same things are done to the same
//! objects: it takes in, by address, the action, the provider configuration, moves and imports, and of every attribute
//! that is given a value its path with a digest of that value, or that it is not known yet. Whole values are given
//! where an object is created or replaced, else those that change. Types of nulls, refinements and the precision of
//! numbers do not count.
//!
//! Values of sensitive attributes go in as HMACs under the key, so that nobody can find them by trying; therefore
//! effects can be compared only under the same key. Digests are of parts with their lengths, so that no two effects
//! share their bytes.

use std::collections::BTreeMap;
use std::fmt;

use hmac::Mac as _;
use plumb_model::{Marks, Number, Path, Step, Type, Value, number};
use plumb_state::Digest;
use sha2::{Digest as _, Sha256};

use super::convert::ConvertError;
use super::secret::{Key, mac};
use super::value::{self, ValueError};
use crate::plan::{Action, Change, Drift, Invocation, OutputChange, Plan, Purpose};

/// By what an effect is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EffectDigest(Digest);

impl EffectDigest {
    /// Reads `ef1:sha256:…`.
    pub fn parse(text: &str) -> Option<EffectDigest> {
        let digest = EffectDigest(Digest::parse(text.strip_prefix("ef1:sha256:")?)?);
        (digest.to_string() == text).then_some(digest)
    }
}

impl fmt::Display for EffectDigest {
    /// `ef1:sha256:` and 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ef1:sha256:{}", self.0)
    }
}

/// What a plan does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// By what it is known.
    pub digest: EffectDigest,
    /// What is done to each object and output, as a digest: by address, with the key of a former object behind it, and
    /// `output.` before the name of an output.
    pub parts: BTreeMap<String, Digest>,
}

impl Effect {
    /// The objects and outputs to which the two do different things, by address.
    pub fn differences<'a>(&'a self, other: &'a Effect) -> Vec<&'a str> {
        let ours = self.parts.iter().filter(|(name, digest)| other.parts.get(*name) != Some(digest));
        let theirs = other.parts.keys().filter(|name| !self.parts.contains_key(*name));
        let mut names: Vec<&str> = ours.map(|(name, _)| name).chain(theirs).map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

/// What a plan does. The plan must be complete: opened with its key, if it was sealed.
///
/// # Errors
/// If a value in it has no saved form.
pub fn effect(plan: &Plan, key: &Key) -> Result<Effect, ConvertError> {
    let key = key.derive("effect");
    let mut parts: BTreeMap<String, Digest> = BTreeMap::new();
    let mut add = |name: String, digest: Digest| {
        parts.entry(name).and_modify(|known| *known = combine(*known, digest)).or_insert(digest);
    };
    for change in plan.changes.iter().filter(|change| change.is_effective()) {
        let name = name(&change.address, change.deposed.as_deref());
        let digest = of_change(change, &key, &name).map_err(|e| error(&name, &e))?.finish();
        add(name, digest);
    }
    for invocation in &plan.invocations {
        let name = match invocation.triggered_by() {
            Some((resource, event)) => format!("{} ({} {resource})", invocation.address, event.word()),
            None => invocation.address.to_string(),
        };
        let digest = of_invocation(invocation, &key, &name).map_err(|e| error(&name, &e))?.finish();
        add(name, digest);
    }
    for drift in plan.drift.iter().filter(|_| plan.purpose == Purpose::RefreshOnly) {
        let name = name(&drift.address, drift.deposed.as_deref());
        let digest = of_drift(drift, &key, &name).map_err(|e| error(&name, &e))?.finish();
        add(name, digest);
    }
    for (name, output) in plan.outputs.iter().filter(|(_, output)| output.action() != Action::NoOp) {
        let name = format!("output.{name}");
        let digest = of_output(output, &key, &name).map_err(|e| error(&name, &e))?.finish();
        add(name, digest);
    }
    let mut whole = Sha256::new();
    feed(&mut whole, purpose(plan.purpose).as_bytes());
    for (name, digest) in &parts {
        feed(&mut whole, name.as_bytes());
        feed(&mut whole, &digest.0);
    }
    Ok(Effect { digest: EffectDigest(Digest(whole.finalize().into())), parts })
}

fn name(address: &plumb_model::address::Instance, deposed: Option<&str>) -> String {
    match deposed {
        None => address.to_string(),
        Some(deposed) => format!("{address} (deposed {deposed})"),
    }
}

fn error(name: &str, error: &ValueError) -> ConvertError {
    ConvertError { place: name.to_owned(), problem: error.to_string() }
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Normal => "normal",
        Purpose::Destroy => "destroy",
        Purpose::RefreshOnly => "refresh-only",
    }
}

/// The word for an action, in which the order of replacing counts.
fn action_word(action: Action) -> &'static str {
    match action {
        Action::DeleteThenCreate => "delete-then-create",
        Action::CreateThenDelete => "create-then-delete",
        action => action.word(),
    }
}

fn of_change<'k>(change: &Change, key: &'k [u8; 32], name: &'k str) -> Result<Part<'k>, ValueError> {
    let mut part = Part::new(key, name, action_word(change.action));
    part.fact("provider", &change.provider.to_string());
    if let Some(previous) = &change.previous_address {
        part.fact("moved from", &previous.to_string());
    }
    if let Some(id) = &change.importing {
        part.fact("imported as", id);
    }
    match change.action {
        Action::Update => part.compare(Some(&change.before), &change.after)?,
        Action::Create | Action::Read | Action::DeleteThenCreate | Action::CreateThenDelete => {
            part.compare(None, &change.after)?;
        }
        Action::NoOp | Action::Delete | Action::Forget => {}
    }
    Ok(part)
}

fn of_invocation<'k>(
    invocation: &Invocation,
    key: &'k [u8; 32],
    name: &'k str,
) -> Result<Part<'k>, ValueError> {
    let mut part = Part::new(key, name, "invoke");
    part.fact("provider", &invocation.provider.to_string());
    part.compare(None, &invocation.config)?;
    Ok(part)
}

fn of_drift<'k>(drift: &Drift, key: &'k [u8; 32], name: &'k str) -> Result<Part<'k>, ValueError> {
    let mut part = Part::new(key, name, "record");
    part.fact("provider", &drift.provider.to_string());
    part.compare(Some(&drift.before), &drift.after)?;
    Ok(part)
}

fn of_output<'k>(output: &OutputChange, key: &'k [u8; 32], name: &'k str) -> Result<Part<'k>, ValueError> {
    let mut part = Part::new(key, name, action_word(output.action()));
    let marks = if output.sensitive { Marks::SENSITIVE } else { Marks::NONE };
    if let Some(after) = &output.after {
        part.compare(output.before.as_ref(), &after.clone().with_marks(marks))?;
    }
    Ok(part)
}

/// What is done to one object, while it is being put together.
struct Part<'k> {
    hash: Sha256,
    key: &'k [u8; 32],
    name: &'k str,
    path: Path,
}

impl<'k> Part<'k> {
    fn new(key: &'k [u8; 32], name: &'k str, action: &str) -> Part<'k> {
        let mut part = Part { hash: Sha256::new(), key, name, path: Path::root() };
        part.fact("action", action);
        part
    }

    fn finish(self) -> Digest {
        Digest(self.hash.finalize().into())
    }

    fn fact(&mut self, what: &str, value: &str) {
        feed(&mut self.hash, what.as_bytes());
        feed(&mut self.hash, value.as_bytes());
    }

    /// Takes in that the attribute at the path is given something.
    fn given(&mut self, what: &str, digest: &[u8]) {
        feed(&mut self.hash, b"attribute");
        let path = path_bytes(&self.path);
        feed(&mut self.hash, &path);
        feed(&mut self.hash, what.as_bytes());
        feed(&mut self.hash, digest);
    }

    /// Takes in where the value after differs from the one before; all of it if there was none before.
    fn compare(&mut self, before: Option<&Value>, after: &Value) -> Result<(), ValueError> {
        let marks = after.marks() | before.map(Value::marks).unwrap_or_default();
        if marks.contains(Marks::EPHEMERAL) {
            self.given("ephemeral", &[]);
            return Ok(());
        }
        if marks.contains(Marks::SENSITIVE) {
            return self.leaf(before, after, true);
        }
        match (before.map(Value::unmarked), after.unmarked()) {
            (old, Value::List(_) | Value::Tuple(_)) => {
                let new = after.as_items().unwrap_or_default();
                let old = old
                    .filter(|old| matches!(old, Value::List(_) | Value::Tuple(_)))
                    .and_then(Value::as_items);
                self.items(old, new)
            }
            (old, Value::Map(_)) => self.entries(old, after, Step::Key),
            (old, Value::Object(_)) => self.entries(old, after, Step::Attribute),
            (None, Value::Null(_)) => Ok(()),
            (_, Value::Unknown(_)) => {
                self.given("unknown", &[]);
                Ok(())
            }
            _ => self.leaf(before, after, false),
        }
    }

    fn items(&mut self, old: Option<&[Value]>, new: &[Value]) -> Result<(), ValueError> {
        if old.is_none_or(|old| old.len() != new.len()) {
            self.given("length", &(new.len() as u64).to_le_bytes());
        }
        for (i, value) in new.iter().enumerate() {
            self.within(Step::Index(i), old.and_then(|old| old.get(i)), value)?;
        }
        Ok(())
    }

    fn entries(
        &mut self,
        old: Option<&Value>,
        new: &Value,
        step: fn(ecow::EcoString) -> Step,
    ) -> Result<(), ValueError> {
        let (old, Some(new)) = (old.and_then(Value::as_entries), new.as_entries()) else { return Ok(()) };
        if old.is_none() {
            self.given("entries", &[]);
        }
        for (name, value) in new.iter() {
            self.within(step(name.clone()), old.and_then(|old| old.get(name)), value)?;
        }
        for name in old.into_iter().flat_map(|old| old.keys()).filter(|name| !new.contains_key(name)) {
            self.path.0.push(step(name.clone()));
            self.given("absent", &[]);
            self.path.0.pop();
        }
        Ok(())
    }

    fn within(&mut self, step: Step, before: Option<&Value>, after: &Value) -> Result<(), ValueError> {
        self.path.0.push(step);
        self.compare(before, after)?;
        self.path.0.pop();
        Ok(())
    }

    /// A value that is taken in as a whole.
    fn leaf(&mut self, before: Option<&Value>, after: &Value, sensitive: bool) -> Result<(), ValueError> {
        let after = value::write(&plain(after))?;
        if let Some(before) = before
            && value::write(&plain(before))? == after
        {
            return Ok(());
        }
        if sensitive {
            let mut mac = mac(self.key);
            for part in [self.name.as_bytes(), &path_bytes(&self.path), after.as_bytes()] {
                mac.update(&(part.len() as u64).to_le_bytes());
                mac.update(part);
            }
            let digest: [u8; 32] = mac.finalize().into_bytes().into();
            self.given("sensitive", &digest);
        } else {
            self.given("value", &Sha256::digest(after.as_bytes()));
        }
        Ok(())
    }
}

/// The value without what does not count.
fn plain(value: &Value) -> Value {
    let (value, _) = value.unmark_deep();
    value.rebuild(&mut |part| match part {
        Value::Null(_) => Value::NULL,
        Value::Unknown(_) => Value::unknown(Type::Dynamic),
        Value::Number(number) => Value::Number(exact(number)),
        other => other.clone(),
    })
}

/// The number at the precision of text; zero without a sign.
fn exact(number: &Number) -> Number {
    if number.is_zero() {
        Number::ZERO
    } else {
        number.with_precision(number::TEXT_PRECISION.max(number.precision()))
    }
}

fn feed(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}

fn combine(a: Digest, b: Digest) -> Digest {
    let mut hash = Sha256::new();
    feed(&mut hash, &a.0);
    feed(&mut hash, &b.0);
    Digest(hash.finalize().into())
}

/// A path in bytes that no other path has.
fn path_bytes(path: &Path) -> Vec<u8> {
    super::secret::path_bytes(&path.0)
}
