//! The tree of keys. The documentation of [`crate::state`] shows it; this module alone builds and reads keys.

use crate::record::{InstanceKey, StepId};

/// What the state as a whole is at.
pub(super) const META: &[u8] = b"m/state";
/// What a state file of Terraform said that belongs to no instance and no output.
pub(super) const FOREIGN: &[u8] = b"m/foreign";
/// All instances.
pub(super) const INSTANCES: &[u8] = b"i/";
/// All outputs.
pub(super) const OUTPUTS: &[u8] = b"o/";
/// All operations, the newest first.
pub(super) const OPERATIONS: &[u8] = b"h/";
/// All operations that have not ended.
pub(super) const UNFINISHED: &[u8] = b"r/";

/// The key of an object. Keys sort as addresses should: indexes by number and before text, the current object before
/// deposed ones.
pub(super) fn instance(key: &InstanceKey) -> Vec<u8> {
    let mut bytes = INSTANCES.to_vec();
    sortable_address(&key.address, &mut bytes);
    bytes.push(0);
    bytes.extend_from_slice(key.deposed.as_deref().unwrap_or_default().as_bytes());
    bytes
}

/// An address in which instances sort right after what they are instances of, and by number before text: a bracket is
/// preceded by a byte that is smaller than any in a name, and a number by a byte with its length, which is smaller than
/// a quotation mark.
fn sortable_address(address: &str, out: &mut Vec<u8>) {
    let bytes = address.as_bytes();
    let mut quoted = false;
    let mut escaped = false;
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' if !quoted => {
                let digits = bytes[at + 1..].iter().take_while(|b| b.is_ascii_digit()).take(30).count();
                out.extend_from_slice(if digits > 0 { &[1, b'['] } else { &[1] });
                out.push(if digits > 0 { digits as u8 } else { b'[' });
                continue;
            }
            _ => {}
        }
        out.push(byte);
    }
}

pub(super) fn output(name: &str) -> Vec<u8> {
    [OUTPUTS, name.as_bytes()].concat()
}

pub(super) fn operation(number: u64) -> Vec<u8> {
    // Counted down, so that the newest comes first.
    format!("h/{:016x}", u64::MAX - number).into_bytes()
}

pub(super) fn unfinished(number: u64) -> Vec<u8> {
    format!("r/{number:016x}").into_bytes()
}

/// The number of the operation that a key of [`UNFINISHED`] is about.
pub(super) fn unfinished_number(key: &[u8]) -> Option<u64> {
    hexadecimal(key.strip_prefix(UNFINISHED)?)
}

/// All intents and outcomes of an operation.
pub(super) fn steps(operation: u64) -> Vec<u8> {
    format!("s/{operation:016x}/").into_bytes()
}

pub(super) fn intent(step: StepId) -> Vec<u8> {
    format!("s/{:016x}/{:08x}i", step.operation, step.index).into_bytes()
}

/// The outcome follows the intent.
pub(super) fn outcome(step: StepId) -> Vec<u8> {
    format!("s/{:016x}/{:08x}o", step.operation, step.index).into_bytes()
}

/// The step that a key of [`steps`] is about, and whether it is its intent.
pub(super) fn step(key: &[u8]) -> Option<(StepId, bool)> {
    let (operation, rest) = key.strip_prefix(b"s/")?.split_at_checked(16)?;
    let (index, kind) = rest.strip_prefix(b"/")?.split_at_checked(8)?;
    let id = StepId { operation: hexadecimal(operation)?, index: u32::try_from(hexadecimal(index)?).ok()? };
    match kind {
        b"i" => Some((id, true)),
        b"o" => Some((id, false)),
        _ => None,
    }
}

/// What an operation did to the outputs.
pub(super) fn output_change(operation: u64) -> Vec<u8> {
    format!("u/{operation:016x}").into_bytes()
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_addresses_should() {
        let wanted = [
            InstanceKey::current("a.b"),
            InstanceKey::deposed("a.b", "00000001"),
            InstanceKey::current("a.b[2]"),
            InstanceKey::current("a.b[10]"),
            InstanceKey::current(r#"a.b["1"]"#),
            InstanceKey::current(r#"a.b["x[10]"]"#),
            InstanceKey::current(r#"a.b["x[2]"]"#),
            InstanceKey::current("a.b-c"),
            InstanceKey::current("module.m[9].a.b"),
            InstanceKey::current("module.m[10].a.b"),
        ];
        let mut keys: Vec<_> = wanted.iter().rev().map(instance).collect();
        keys.sort();
        assert_eq!(keys, wanted.iter().map(instance).collect::<Vec<_>>());
    }

    #[test]
    fn the_newest_operation_sorts_first_and_steps_are_read_back() {
        assert!(operation(2) < operation(1));
        let id = StepId { operation: 7, index: 300 };
        assert_eq!(step(&intent(id)), Some((id, true)));
        assert_eq!(step(&outcome(id)), Some((id, false)));
        assert!(intent(id) < outcome(id));
        assert_eq!(step(b"s/0"), None);
        assert_eq!(unfinished_number(&unfinished(9)), Some(9));
    }
}
