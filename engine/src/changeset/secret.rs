//! Concealing what is sensitive in a saved plan.
//!
//! A plan must be applicable, so sensitive values are in it; and it is passed around, so each of them is encrypted by
//! itself, under a [`Key`] that stays in the data directory. Everything else can be read without the key. Whole sensitive
//! values are concealed, with their names and lengths, so that nothing about them is learned but how long they are at
//! most, in steps of 32 bytes.
//!
//! The cipher is XChaCha20-Poly1305. The nonce is the HMAC-SHA-256 of the place and the plain text under a second key
//! derived from the first, cut to 24 bytes: the same value at the same place gives the same bytes, so that sealing
//! twice gives the same artifact and two plans can be compared, and different ones never share a nonce. The place
//! (address, path) is authenticated: what was concealed at one place cannot be moved to another.
//!
//! Without the key a placeholder stands for the value: unknown, sensitive, the same for the same secret at the same
//! place, so that it can still be shown *that* a password changes.

use std::cell::Cell;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use plumb_model::{Marks, Refinement, Step, Type, Value};
use sha2::Sha256;

use super::value::{self, ValueError};

/// The length of a nonce, in bytes.
const NONCE: usize = 24;
/// Plain texts are filled up to a multiple of this length, so that a length tells little.
const BLOCK: usize = 32;
/// What the prefix of a placeholder starts with.
const REDACTED: &str = "redacted:";

/// The secret under which sensitive values of plans are kept: 32 random bytes.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// A key of these bytes, which nobody may be able to guess.
    pub fn new(bytes: [u8; 32]) -> Key {
        Key(bytes)
    }

    /// A name for the key that gives nothing away about it: 16 hexadecimal digits.
    pub fn id(&self) -> String {
        hex::encode(&self.derive("id")[..8])
    }

    /// Another key for one purpose.
    pub(super) fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut mac = mac(&self.0);
        mac.update(b"plumb plan 1: ");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

/// An HMAC under a key.
pub(super) fn mac(key: &[u8; 32]) -> Hmac<Sha256> {
    <Hmac<Sha256> as Mac>::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// Whether a value stands for a sensitive one that could not be read.
pub fn is_redacted(value: &Value) -> bool {
    let redacted =
        |value: &Value| matches!(value, Value::Unknown(u) if u.refinement.prefix.starts_with(REDACTED));
    value.marks().contains(Marks::SENSITIVE) && redacted(value.unmarked())
}

/// What stands for a concealed text: an unknown value of the type. It is equal to another one exactly if the texts are,
/// for which the refinement sees to it.
fn placeholder(ty: Type, concealed: &str) -> Value {
    let tag = concealed.get(..NONCE).unwrap_or(concealed);
    let refinement = Refinement { prefix: ecow::eco_format!("{REDACTED}{tag}"), ..Refinement::default() };
    Value::refined(ty, refinement).with_marks(Marks::SENSITIVE)
}

/// What a concealed value belongs to. The value of an object before and after a change is at the same place, so that
/// it can be seen whether they are equal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// What kind of thing it is: `object`, `output` and so on.
    pub kind: &'static str,
    /// Its address or name.
    pub name: &'a str,
    /// The key of a former object.
    pub deposed: &'a str,
}

impl Place<'_> {
    /// The place of a part, in bytes that no other place has.
    fn bytes(&self, path: &[Step]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        for part in [self.kind, self.name, self.deposed] {
            add(&mut bytes, b'.', part.as_bytes());
        }
        bytes.extend_from_slice(&path_bytes(path));
        bytes
    }
}

/// A path in bytes that no other path has.
pub(super) fn path_bytes(path: &[Step]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32);
    for step in path {
        match step {
            Step::Attribute(name) => add(&mut bytes, b'a', name.as_bytes()),
            Step::Key(key) => add(&mut bytes, b'k', key.as_bytes()),
            Step::Index(index) => add(&mut bytes, b'i', &(*index as u64).to_le_bytes()),
            Step::Any => add(&mut bytes, b'*', &[]),
        }
    }
    bytes
}

fn add(bytes: &mut Vec<u8>, tag: u8, part: &[u8]) {
    bytes.push(tag);
    bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
    bytes.extend_from_slice(part);
}

/// Conceals under a key.
pub(super) struct Concealer {
    cipher: XChaCha20Poly1305,
    nonces: Hmac<Sha256>,
    used: Cell<bool>,
}

impl Concealer {
    pub fn new(key: &Key) -> Concealer {
        let cipher = XChaCha20Poly1305::new(&key.derive("cipher").into());
        Concealer { cipher, nonces: mac(&key.derive("nonce")), used: Cell::new(false) }
    }

    /// Whether anything was concealed.
    pub fn used(&self) -> bool {
        self.used.get()
    }

    /// The saved text of a value at a place.
    pub fn write(&self, value: &Value, place: Place) -> Result<String, ValueError> {
        value::write_concealed(value, &|path, text| self.conceal(text.as_bytes(), &place.bytes(path)))
    }

    /// The saved text of bytes at a place.
    pub fn write_bytes(&self, bytes: &[u8], place: Place) -> String {
        self.conceal(bytes, &place.bytes(&[]))
    }

    fn conceal(&self, plain: &[u8], place: &[u8]) -> String {
        self.used.set(true);
        let mut padded = plain.to_vec();
        padded.push(0x80);
        padded.resize(padded.len().next_multiple_of(BLOCK), 0);
        let mut mac = self.nonces.clone();
        mac.update(&(place.len() as u64).to_le_bytes());
        mac.update(place);
        mac.update(&padded);
        let mut bytes = mac.finalize().into_bytes()[..NONCE].to_vec();
        let sealed = self
            .cipher
            .encrypt(XNonce::from_slice(&bytes), Payload { msg: &padded, aad: place })
            .expect("the cipher takes what fits into memory");
        bytes.extend_from_slice(&sealed);
        BASE64.encode(bytes)
    }
}

/// Reveals under a key; without one it gives placeholders, and counts them.
pub(super) struct Revealer {
    cipher: Option<XChaCha20Poly1305>,
    redacted: Cell<usize>,
}

impl Revealer {
    pub fn new(key: Option<&Key>) -> Revealer {
        let cipher = key.map(|key| XChaCha20Poly1305::new(&key.derive("cipher").into()));
        Revealer { cipher, redacted: Cell::new(0) }
    }

    /// How many values have placeholders.
    pub fn redacted(&self) -> usize {
        self.redacted.get()
    }

    /// The value at a place from its saved text.
    pub fn read(&self, text: &str, place: Place) -> Result<Value, ValueError> {
        value::read_concealed(text, &|path, ty, concealed| {
            let Some(bytes) = self.reveal(concealed, &place.bytes(path))? else {
                return Ok(placeholder(ty, concealed));
            };
            let text =
                String::from_utf8(bytes).map_err(|_| ValueError::new("a concealed value is not text"))?;
            value::read(&text)
        })
    }

    /// The bytes at a place from their saved text; empty if there is no key.
    pub fn read_bytes(&self, text: &str, place: Place) -> Result<Vec<u8>, ValueError> {
        Ok(self.reveal(text, &place.bytes(&[]))?.unwrap_or_default())
    }

    fn reveal(&self, concealed: &str, place: &[u8]) -> Result<Option<Vec<u8>>, ValueError> {
        let Some(cipher) = &self.cipher else {
            self.redacted.set(self.redacted.get() + 1);
            return Ok(None);
        };
        let opened = BASE64.decode(concealed).ok().and_then(|bytes| {
            let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
            cipher.decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: place }).ok()
        });
        let mut bytes = opened
            .ok_or_else(|| ValueError::new("a concealed value was altered, or moved to another place"))?;
        let end = bytes.iter().rposition(|byte| *byte != 0).filter(|end| bytes[*end] == 0x80);
        bytes.truncate(end.ok_or_else(|| ValueError::new("a concealed value has no end"))?);
        Ok(Some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place { kind: "object", name: "file.a", deposed: "" };

    fn secret() -> Value {
        let inner = Value::map(Type::String, [("user".into(), "hunter2".into())]);
        Value::object([("open", Value::int(1)), ("login", inner.with_marks(Marks::SENSITIVE))])
    }

    fn key(byte: u8) -> Key {
        Key::new([byte; 32])
    }

    #[test]
    fn what_is_sensitive_cannot_be_read_without_the_key() {
        let text = Concealer::new(&key(1)).write(&secret(), PLACE).unwrap();
        assert!(!text.contains("hunter2") && !text.contains("user"), "{text}");
        assert!(text.contains(r#""open":1"#), "{text}");
        assert_eq!(Revealer::new(Some(&key(1))).read(&text, PLACE), Ok(secret()));
        assert!(Revealer::new(Some(&key(2))).read(&text, PLACE).is_err());
    }

    #[test]
    fn without_the_key_placeholders_tell_only_whether_secrets_are_equal() {
        let concealer = Concealer::new(&key(1));
        let show = |value: &str| {
            let value = Value::string(value).with_marks(Marks::SENSITIVE);
            Revealer::new(None).read(&concealer.write(&value, PLACE).unwrap(), PLACE).unwrap()
        };
        assert!(is_redacted(&show("a")));
        assert_eq!(show("a").ty(), Type::String);
        assert_eq!(show("a"), show("a"));
        assert_ne!(show("a"), show("b"));
        assert!(!is_redacted(&Value::unknown(Type::String).with_marks(Marks::SENSITIVE)));
    }

    #[test]
    fn a_secret_that_an_unknown_value_starts_with_is_concealed() {
        let refinement = Refinement { prefix: "hunter2@".into(), not_null: true, ..Refinement::default() };
        let value = Value::refined(Type::String, refinement).with_marks(Marks::SENSITIVE);
        let text = Concealer::new(&key(1)).write(&value, PLACE).unwrap();
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(Revealer::new(Some(&key(1))).read(&text, PLACE), Ok(value));
    }

    #[test]
    fn ephemeral_values_are_never_written() {
        let token = || Value::string("hunter2").with_marks(Marks::EPHEMERAL);
        let inside = Value::tuple(vec![token()]).with_marks(Marks::SENSITIVE);
        let text = Concealer::new(&key(1)).write(&Value::tuple(vec![token(), inside]), PLACE).unwrap();
        let absent = || Value::unknown(Type::String).with_marks(Marks::EPHEMERAL);
        let inside = Value::tuple(vec![absent()]).with_marks(Marks::SENSITIVE);
        let read = Revealer::new(Some(&key(1))).read(&text, PLACE);
        assert_eq!(read, Ok(Value::tuple(vec![absent(), inside])));
    }

    #[test]
    fn a_concealed_value_cannot_be_moved() {
        let text = Concealer::new(&key(1)).write(&secret(), PLACE).unwrap();
        let revealer = Revealer::new(Some(&key(1)));
        assert!(revealer.read(&text, Place { name: "file.b", ..PLACE }).is_err());
        assert!(revealer.read(&text.replace("\"login\"", "\"other\""), PLACE).is_err());
    }

    #[test]
    fn bytes_come_back_whatever_they_end_with() {
        let (concealer, revealer) = (Concealer::new(&key(1)), Revealer::new(Some(&key(1))));
        for bytes in [&b""[..], b"a", &[0x80], &[0, 0], &[7; 31], &[7; 32]] {
            let text = concealer.write_bytes(bytes, PLACE);
            assert_eq!(revealer.read_bytes(&text, PLACE).as_deref(), Ok(bytes));
        }
    }
}
