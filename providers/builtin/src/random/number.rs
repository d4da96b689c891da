//! Random bytes in various spellings, UUIDs and integers.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use plumb_model::{Diagnostic, Diagnostics, Number};
use plumb_provider_sdk::check::at_least;
use plumb_provider_sdk::{Attr, Checks, Context, Failed, Model, Resource, async_trait};
use rand::Rng as _;
use uuid::Uuid;

use super::{Keepers, generator, keepers_differ, text_differs};

/// What to say of an import id of another form.
pub(super) fn bad_import(found: &str, wanted: &str) -> Diagnostics {
    Diagnostic::error("bad-import-id", "Unsuitable import id")
        .detail(format!("Found `{found}`, wanted {wanted}."))
        .into()
}

/// More would be a mistake.
const MAX_BYTES: u64 = 1 << 20;

fn bytes_limit(length: &u64) -> Result<(), String> {
    match *length {
        1..=MAX_BYTES => Ok(()),
        found => Err(format!("Found {found}, wanted a number from 1 to {MAX_BYTES}.")),
    }
}

fn random_bytes(length: &Attr<u64>) -> Vec<u8> {
    let length = length.known().map_or(0, |n| (*n).min(MAX_BYTES));
    let mut bytes = vec![0; usize::try_from(length).expect("the limit fits")];
    generator(&Attr::Null).fill_bytes(&mut bytes);
    bytes
}

/// A random number in several spellings, for use in unique names.
///
/// Import by `b64_url`, or by prefix, comma and `b64_url`.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Id {
    /// Arbitrary values. When one changes, another number is chosen.
    #[attribute(optional, requires_replace_if = keepers_differ)]
    pub keepers: Attr<Keepers>,
    /// How many random bytes the number has.
    #[attribute(required, requires_replace)]
    pub byte_length: Attr<u64>,
    /// Text that is put before each spelling, as it is.
    #[attribute(optional, requires_replace_if = text_differs)]
    pub prefix: Attr<String>,
    /// URL-safe Base64 without the prefix.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub id: Attr<String>,
    /// URL-safe Base64, without padding.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub b64_url: Attr<String>,
    /// Base64, with padding.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub b64_std: Attr<String>,
    /// Hexadecimal digits, two for each byte.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub hex: Attr<String>,
    /// Decimal digits without leading zeros.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub dec: Attr<String>,
}

impl Id {
    fn with_bytes(self, bytes: &[u8]) -> Id {
        let prefix = self.prefix.text().to_owned();
        let spelled = |text: String| Attr::from(format!("{prefix}{text}"));
        let dec = decimal(bytes);
        Id {
            id: URL_SAFE_NO_PAD.encode(bytes).into(),
            b64_url: spelled(URL_SAFE_NO_PAD.encode(bytes)),
            b64_std: spelled(STANDARD.encode(bytes)),
            hex: spelled(hex::encode(bytes)),
            dec: spelled(dec),
            ..self
        }
    }
}

/// Bytes as one big-endian number.
fn decimal(bytes: &[u8]) -> String {
    // Base 10^9, least significant part first.
    let mut parts: Vec<u64> = vec![0];
    for byte in bytes {
        let mut carry = u64::from(*byte);
        for part in &mut parts {
            carry += *part << 8;
            *part = carry % 1_000_000_000;
            carry /= 1_000_000_000;
        }
        if carry > 0 {
            parts.push(carry);
        }
    }
    let mut text = parts.pop().unwrap_or_default().to_string();
    for part in parts.iter().rev() {
        text.push_str(&format!("{part:09}"));
    }
    text
}

pub(super) struct RandomId;

#[async_trait]
impl Resource for RandomId {
    type Model = Id;
    type Client = ();

    fn validate(&self, config: &Id, checks: &mut Checks) {
        // Spelling a number in decimal takes time quadratic in its length.
        checks.attribute("byte_length", &config.byte_length, |length| match *length {
            1..=4096 => Ok(()),
            found => Err(format!("Found {found}, wanted a number from 1 to 4096.")),
        });
    }

    async fn create(&self, planned: Id, _: &mut Context<()>) -> Result<Id, Failed<Id>> {
        let bytes = random_bytes(&planned.byte_length);
        Ok(planned.with_bytes(&bytes))
    }

    async fn import(&self, id: &str, _: &mut Context<()>) -> Result<Id, Diagnostics> {
        let (prefix, text) = match id.rsplit_once(',') {
            Some((prefix, text)) => (Attr::from(prefix), text),
            None => (Attr::Null, id),
        };
        let bytes = URL_SAFE_NO_PAD
            .decode(text.trim_end_matches('='))
            .or_else(|_| URL_SAFE.decode(text))
            .map_err(|_| bad_import(id, "URL-safe Base64, with a prefix and a comma before it or without"))?;
        Ok(Id { byte_length: (bytes.len() as u64).into(), prefix, ..Id::default() }.with_bytes(&bytes))
    }
}

/// Random bytes that are never shown, for keys.
///
/// Import by Base64.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Bytes {
    /// Arbitrary values. When one changes, other bytes are chosen.
    #[attribute(optional, requires_replace_if = keepers_differ)]
    pub keepers: Attr<Keepers>,
    /// How many.
    #[attribute(required, requires_replace)]
    pub length: Attr<u64>,
    /// The bytes, in Base64.
    #[attribute(computed, use_state_for_unknown, not_null, sensitive)]
    pub base64: Attr<String>,
    /// The bytes, in hexadecimal digits.
    #[attribute(computed, use_state_for_unknown, not_null, sensitive)]
    pub hex: Attr<String>,
}

impl Bytes {
    fn with_bytes(self, bytes: &[u8]) -> Bytes {
        Bytes { base64: STANDARD.encode(bytes).into(), hex: hex::encode(bytes).into(), ..self }
    }
}

pub(super) struct RandomBytes;

#[async_trait]
impl Resource for RandomBytes {
    type Model = Bytes;
    type Client = ();

    fn validate(&self, config: &Bytes, checks: &mut Checks) {
        checks.attribute("length", &config.length, bytes_limit);
    }

    async fn create(&self, planned: Bytes, _: &mut Context<()>) -> Result<Bytes, Failed<Bytes>> {
        let bytes = random_bytes(&planned.length);
        Ok(planned.with_bytes(&bytes))
    }

    async fn import(&self, id: &str, _: &mut Context<()>) -> Result<Bytes, Diagnostics> {
        // The id is a secret: it is not repeated.
        let bytes = STANDARD.decode(id).map_err(|_| bad_import("text of another form", "Base64"))?;
        Ok(Bytes { length: (bytes.len() as u64).into(), ..Bytes::default() }.with_bytes(&bytes))
    }
}

/// A random UUID, version 4.
///
/// Import by the UUID.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct UuidModel {
    /// Arbitrary values. When one changes, another UUID is chosen.
    #[attribute(optional, requires_replace_if = keepers_differ)]
    pub keepers: Attr<Keepers>,
    /// The UUID.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub result: Attr<String>,
    /// The UUID.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub id: Attr<String>,
}

pub(super) struct RandomUuid;

#[async_trait]
impl Resource for RandomUuid {
    type Model = UuidModel;
    type Client = ();

    async fn create(&self, planned: UuidModel, _: &mut Context<()>) -> Result<UuidModel, Failed<UuidModel>> {
        let uuid = Attr::from(Uuid::new_v4().to_string());
        Ok(UuidModel { result: uuid.clone(), id: uuid, ..planned })
    }

    async fn import(&self, id: &str, _: &mut Context<()>) -> Result<UuidModel, Diagnostics> {
        let uuid = Uuid::parse_str(id).map_err(|_| bad_import(id, "a UUID"))?;
        let uuid = Attr::from(uuid.to_string());
        Ok(UuidModel { keepers: Attr::Null, result: uuid.clone(), id: uuid })
    }
}

/// A random whole number.
///
/// Import by result, `min` and `max`, and `seed` if there is one, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Integer {
    /// Arbitrary values. When one changes, another number is chosen.
    #[attribute(optional, requires_replace_if = keepers_differ)]
    pub keepers: Attr<Keepers>,
    /// The least number possible.
    #[attribute(required, requires_replace)]
    pub min: Attr<i64>,
    /// The greatest number possible.
    #[attribute(required, requires_replace)]
    pub max: Attr<i64>,
    /// Gives the same number for the same seed.
    #[attribute(optional, requires_replace_if = text_differs)]
    pub seed: Attr<String>,
    /// The number.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub result: Attr<i64>,
    /// The number, as text.
    #[attribute(computed, use_state_for_unknown, not_null)]
    pub id: Attr<String>,
}

pub(super) struct RandomInteger;

#[async_trait]
impl Resource for RandomInteger {
    type Model = Integer;
    type Client = ();

    fn validate(&self, config: &Integer, checks: &mut Checks) {
        if let Some(min) = config.min.known() {
            checks.attribute("max", &config.max, at_least(*min));
        }
    }

    async fn create(&self, planned: Integer, _: &mut Context<()>) -> Result<Integer, Failed<Integer>> {
        let (Some(min), Some(max)) = (planned.min.known(), planned.max.known()) else {
            return Err(bad_range("nothing", "`min` and `max`").into());
        };
        if min > max {
            return Err(bad_range(&format!("{min} to {max}"), "`min` to be at most `max`").into());
        }
        let result = generator(&planned.seed).random_range(*min..=*max);
        Ok(Integer { result: result.into(), id: result.to_string().into(), ..planned })
    }

    async fn import(&self, id: &str, _: &mut Context<()>) -> Result<Integer, Diagnostics> {
        let wanted = "`result,min,max` or `result,min,max,seed`";
        let mut parts = id.splitn(4, ',');
        let mut number = || {
            let part = parts.next().unwrap_or_default();
            let number = Number::parse(part).ok().and_then(|n| n.to_i64());
            number.ok_or_else(|| bad_import(id, wanted))
        };
        let (result, min, max) = (number()?, number()?, number()?);
        Ok(Integer {
            keepers: Attr::Null,
            min: min.into(),
            max: max.into(),
            seed: parts.next().map(str::to_owned).into(),
            result: result.into(),
            id: result.to_string().into(),
        })
    }
}

fn bad_range(found: &str, wanted: &str) -> Diagnostic {
    Diagnostic::error("bad-range", "Unsuitable range").detail(format!("Found {found}, wanted {wanted}."))
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn bytes_are_spelled_as_one_number() {
        for (bytes, text) in [
            (&[0][..], "0"),
            (&[0, 255], "255"),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 0], "18446744073709551616"),
            (&[59, 154, 202, 0], "1000000000"),
        ] {
            assert_eq!(decimal(bytes), text);
        }
    }
}
