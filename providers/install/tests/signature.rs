//! Signatures by good and bad keys, and by GnuPG.

use std::time::{Duration, SystemTime};

use plumb_provider_install::loopback::TestKey;
use plumb_provider_install::signature::{SignatureError, verify};

const DOCUMENT: &[u8] = b"digest  file\n";
/// The first of June of 2020: the expired key was valid.
const EARLIER: u32 = 1_590_969_600;

fn check(
    signer: TestKey,
    at: Option<u32>,
    keys: &[TestKey],
) -> Result<plumb_provider_install::signature::Signed, SignatureError> {
    let keys: Vec<String> = keys.iter().map(|key| key.public()).collect();
    verify(DOCUMENT, &signer.sign(DOCUMENT, at), &keys, SystemTime::now())
}

#[test]
fn one_of_the_keys_is_enough() {
    for signer in [TestKey::Publisher, TestKey::Team] {
        let signed = check(signer, None, &[TestKey::Stranger, signer]).unwrap();
        assert_eq!((signed.key, signed.expired), (signer.id(), None));
    }
}

#[test]
fn signatures_of_gnupg_are_read() {
    let document = include_bytes!("../src/keys/document");
    let files: [(TestKey, &[u8]); 2] = [
        (TestKey::Publisher, include_bytes!("../src/keys/publisher.sig")),
        (TestKey::Team, include_bytes!("../src/keys/team.sig")),
    ];
    for (key, signature) in files {
        let keys = [TestKey::Stranger.public(), key.public()];
        assert_eq!(
            verify(document, signature, &keys, SystemTime::now()).map(|signed| signed.key),
            Ok(key.id())
        );
        let other = verify(b"another document", signature, &keys, SystemTime::now());
        assert_eq!(other, Err(SignatureError::Wrong(key.id())));
    }
}

#[test]
fn keys_that_do_not_count_are_told_apart() {
    let strangers = check(TestKey::Publisher, None, &[TestKey::Stranger]).unwrap_err();
    let SignatureError::UnknownKey { issuer, offered } = &strangers else { panic!("{strangers}") };
    assert_eq!((issuer, offered), (&Some(TestKey::Publisher.id()), &vec![TestKey::Stranger.id()]));
    assert_eq!(check(TestKey::Publisher, None, &[]), Err(SignatureError::NoKeys));
    assert_eq!(
        check(TestKey::Revoked, None, &[TestKey::Revoked]),
        Err(SignatureError::Revoked(TestKey::Revoked.id()))
    );
    let expired = check(TestKey::Expired, None, &[TestKey::Expired]).unwrap_err();
    assert!(expired.to_string().contains("had expired on 2021-01-01"), "{expired}");
    let garbage = verify(DOCUMENT, b"garbage", &[TestKey::Publisher.public()], SystemTime::now());
    assert!(matches!(garbage, Err(SignatureError::Unreadable(_))), "{garbage:?}");
    let garbage =
        verify(DOCUMENT, &TestKey::Publisher.sign(DOCUMENT, None), &["garbage".into()], SystemTime::now());
    assert!(matches!(garbage, Err(SignatureError::UnreadableKey(_))), "{garbage:?}");
}

#[test]
fn what_was_signed_before_the_key_expired_still_counts() {
    let signed = check(TestKey::Expired, Some(EARLIER), &[TestKey::Expired]).unwrap();
    assert!(signed.expired.is_some());
}

#[test]
fn a_signature_from_the_future_does_not_count() {
    let signature = TestKey::Publisher.sign(DOCUMENT, None);
    let keys = [TestKey::Publisher.public()];
    let before = SystemTime::now() - Duration::from_secs(3 * 24 * 60 * 60);
    let early = verify(DOCUMENT, &signature, &keys, before);
    assert_eq!(early, Err(SignatureError::NotNow(TestKey::Publisher.id())));
}
