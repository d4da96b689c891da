//! Whatever is not exactly what was sealed is refused, and said to be what it is.

use std::io::Write as _;

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::super::{OpenError, open, seal};
use super::artifacts::{content, full, key};

fn sealed() -> Vec<u8> {
    seal(&full(), &key()).unwrap().bytes
}

/// The error, which must have words for the user.
fn refused(bytes: &[u8]) -> OpenError {
    let error = open(bytes, Some(&key())).expect_err("it is not what was sealed");
    let diagnostic = error.diagnostic();
    assert!(!diagnostic.detail.is_empty() && diagnostic.help.is_some());
    error
}

#[test]
fn every_flipped_bit_is_noticed() {
    let bytes = sealed();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            refused(&damaged);
        }
    }
}

#[test]
fn every_truncation_is_noticed() {
    let bytes = sealed();
    assert_eq!(refused(&[]), OpenError::NotAPlan { terraform: false });
    for length in 1..bytes.len() {
        let error = refused(&bytes[..length]);
        assert!(matches!(error, OpenError::Truncated { .. }), "{length}: {error:?}");
    }
}

#[test]
fn what_follows_is_noticed() {
    let mut bytes = sealed();
    bytes.push(b'\n');
    assert_eq!(refused(&bytes), OpenError::Trailing { extra: 1 });
}

#[test]
fn other_files_are_told_apart() {
    assert_eq!(refused(b"PK\x03\x04abc"), OpenError::NotAPlan { terraform: true });
    assert_eq!(refused(b"{}"), OpenError::NotAPlan { terraform: false });
    let newer = String::from_utf8_lossy(&sealed()[..60]).replace("plumb-plan 2 ", "plumb-plan 12 ") + "\n";
    assert_eq!(refused(newer.as_bytes()), OpenError::OtherFormat { found: 12 });
    let endless = format!("plumb-plan 2 {}", "a".repeat(100_000));
    assert!(matches!(refused(endless.as_bytes()), OpenError::Altered { .. }));
}

/// A file with a content whose digests are right.
fn forge(content: &[u8], length: u64, packed: &[u8]) -> Vec<u8> {
    let hex = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let (digest, body) = (hex(content), hex(packed));
    let mut bytes = format!("plumb-plan 2 {digest} {length} deflate {body} {}\n", packed.len()).into_bytes();
    bytes.extend_from_slice(packed);
    bytes
}

fn pack(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn forged(content: &[u8]) -> Vec<u8> {
    forge(content, content.len() as u64, &pack(content))
}

#[test]
fn a_bomb_is_refused_before_it_takes_memory() {
    let zeros = vec![0; 80 << 20];
    let packed = pack(&zeros);
    assert!(packed.len() < 200_000);
    let claimed = zeros.len() as u64;
    assert_eq!(refused(&forge(&zeros, claimed, &packed)), OpenError::TooLong { claimed });
    // One that claims to be small is not followed further than it claims.
    assert_eq!(refused(&forge(&zeros, 1000, &packed)), OpenError::Altered { part: "its body" });
    assert_eq!(refused(&forge(b"x", u64::MAX, &pack(b"x"))), OpenError::TooLong { claimed: u64::MAX });
    // One that claims more than it has.
    assert_eq!(refused(&forge(b"x", 2, &pack(b"x"))), OpenError::Altered { part: "its body" });
    // A body with something behind the end of its compressed data.
    let mut longer = pack(b"x");
    longer.push(0);
    assert_eq!(refused(&forge(b"x", 1, &longer)), OpenError::Altered { part: "its body" });
}

#[test]
fn a_plan_is_never_so_small_that_opening_it_could_not_be_bounded() {
    let mut artifact = full();
    artifact.files.insert("zeros".to_owned(), vec![b'0'; 70 << 20]);
    let sealed = seal(&artifact, &key()).unwrap();
    // However well the compressor does, what is opened is at most 200 times as long as the file.
    assert!(sealed.bytes.len() * 200 > 70 << 20);
    assert_eq!(open(&sealed.bytes, Some(&key())).unwrap().artifact, artifact);
}

#[test]
fn a_well_sealed_content_that_is_no_plan_is_refused() {
    let text = content(&sealed());
    for (from, to) in [
        ("{", "["),
        (r#""format":2"#, r#""format":2,"colour":2"#),
        (r#""action":"create-then-delete""#, r#""action":"create-then-vanish""#),
        (r#""address":"file.d""#, r#""address":"file""#),
        (r#""serial":18446744073709551615"#, r#""serial":1.5"#),
        (r#"["unknown","string",{"not_null":true}]"#, r#"["unknown","strong",{"not_null":true}]"#),
        (r#"["unknown","string",{"not_null":true}]"#, r#"[ "unknown","string",{"not_null":true}]"#),
        (r#""key":"#, r#""key":"x","key":"#),
    ] {
        let other = text.replacen(from, to, 1);
        assert_ne!(other, text, "{from}");
        let error = refused(&forged(other.as_bytes()));
        assert!(matches!(error, OpenError::NotUnderstood { .. }), "{from}: {error:?}");
    }
    let newer = text.replacen(r#""format":2"#, r#""format":3"#, 1);
    assert_eq!(refused(&forged(newer.as_bytes())), OpenError::OtherFormat { found: 3 });
}

#[test]
fn a_concealed_value_cannot_be_put_elsewhere() {
    let text = content(&sealed());
    // The password of the drift under the address of another object.
    let other = text.replacen(r#""address":"file.d""#, r#""address":"file.e""#, 1);
    let error = refused(&forged(other.as_bytes()));
    assert!(error.to_string().contains("file.e: a concealed value was altered"), "{error}");
}

#[test]
fn deep_nesting_is_refused() {
    let text = content(&sealed());
    for open in ["[\"tuple\",[", "{\"a\":", "["] {
        let deep = text.replacen(r#""before":"#, &format!(r#""before":{}"#, open.repeat(200_000)), 1);
        assert!(matches!(refused(&forged(deep.as_bytes())), OpenError::NotUnderstood { .. }));
    }
    let well_formed = format!(r#""before":{}1{},"x":"#, "[\"tuple\",[".repeat(5000), "]]".repeat(5000));
    let deep = text.replacen(r#""before":"#, &well_formed, 1);
    assert!(matches!(refused(&forged(deep.as_bytes())), OpenError::NotUnderstood { .. }));
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        refused(&bytes);
        let mut behind = b"plumb-plan 2 ".to_vec();
        behind.extend_from_slice(&bytes);
        refused(&behind);
    }

    #[test]
    fn a_damaged_content_with_right_digests_never_panics(
        at in any::<prop::sample::Index>(),
        with in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let mut text = content(&sealed()).into_bytes();
        let at = at.index(text.len());
        let end = (at + with.len()).min(text.len());
        text.splice(at..end, with);
        let _ = open(&forged(&text), Some(&key())).map_err(|error| error.diagnostic());
        let _ = open(&forged(&text), None);
    }
}
