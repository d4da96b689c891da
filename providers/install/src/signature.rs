//! Signatures of registries: whether a document was signed by the owner of one of some keys.
//!
//! The keys are OpenPGP certificates that the registry gives. A signature counts if one of them made it with its
//! primary key, or with a subkey that it is bound to both ways; if that key may sign, is not revoked, and had not
//! expired when it signed; and if the digest is not one that can be forged. A key that has expired since is told:
//! old releases stay installable, as they do in Terraform, which does not look at the dates of keys at all.
//!
//! This is the only place that knows the OpenPGP library.

use std::time::{Duration, SystemTime};

use pgp::composed::{Deserializable as _, DetachedSignature, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{KeyFlags, Signature, SignatureType};
use pgp::types::{KeyDetails, Tag, VerifyingKey};

/// Clocks may differ by as much.
const SKEW: Duration = Duration::from_secs(24 * 60 * 60);

/// A signature that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The identity of the certificate, as Terraform writes it: 16 hexadecimal digits.
    pub key: String,
    /// When the key expired, if it has since it signed.
    pub expired: Option<SystemTime>,
}

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is nothing to compare with.
    #[error("the registry names no key")]
    NoKeys,
    /// A key is no OpenPGP certificate.
    #[error("a key of the registry cannot be read: {0}")]
    UnreadableKey(String),
    /// The signature is none.
    #[error("the signature cannot be read: {0}")]
    Unreadable(String),
    /// Somebody else signed.
    #[error("the document is signed by key {}, which is none of the registry's: {}", issuer.as_deref().unwrap_or("(unnamed)"), offered.join(", "))]
    UnknownKey {
        /// Who.
        issuer: Option<String>,
        /// Who could have.
        offered: Vec<String>,
    },
    /// The document is not what was signed.
    #[error("the signature by key {0} is not of this document")]
    Wrong(String),
    /// The digest can be forged.
    #[error("the signature by key {key} uses {digest}, which can be forged")]
    Weak {
        /// Whose.
        key: String,
        /// The digest.
        digest: String,
    },
    /// The key does not count any more.
    #[error("key {0}, which signed, is revoked")]
    Revoked(String),
    /// The key did not count any more.
    #[error("key {key} had expired on {} when it signed on {}", date(*.expired), date(*.signed))]
    Expired {
        /// Which.
        key: String,
        /// When it expired.
        expired: SystemTime,
        /// When it signed.
        signed: SystemTime,
    },
    /// The signature itself has an end, or a beginning.
    #[error("the signature by key {0} does not hold at this time")]
    NotNow(String),
    /// The key is for something else.
    #[error("key {0} may not sign documents")]
    NotForSigning(String),
}

fn date(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(|_| "?".into(), |time| time.strftime("%Y-%m-%d").to_string())
}

/// Whether one of the keys signed the document: certificates in armor, each text with one or more.
///
/// # Errors
/// Why the signature does not count.
pub fn verify(
    document: &[u8],
    signature: &[u8],
    keys: &[String],
    now: SystemTime,
) -> Result<Signed, SignatureError> {
    let (DetachedSignature { signature }, _) = DetachedSignature::from_reader_single(signature)
        .map_err(|e| SignatureError::Unreadable(e.to_string()))?;
    if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
        return Err(SignatureError::Unreadable("it is not the signature of a document".into()));
    }
    let mut offered = Vec::new();
    for text in keys {
        let unreadable = |e: pgp::errors::Error| SignatureError::UnreadableKey(e.to_string());
        let (certificates, _) = SignedPublicKey::from_armor_many(text.as_bytes()).map_err(unreadable)?;
        for certificate in certificates {
            let certificate = certificate.map_err(unreadable)?;
            let id = identity(&certificate.primary_key);
            if let Some(key) = signer(&certificate, &signature) {
                return judge(&certificate, key, &signature, document, now, &id);
            }
            offered.push(id);
        }
    }
    if offered.is_empty() {
        return Err(SignatureError::NoKeys);
    }
    Err(SignatureError::UnknownKey { issuer: issuer(&signature), offered })
}

fn identity(key: &impl KeyDetails) -> String {
    key.legacy_key_id().as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Who says to have signed.
fn issuer(signature: &Signature) -> Option<String> {
    let id = signature.issuer_key_id().first().map(|id| id.as_ref().to_vec());
    let fingerprint = || signature.issuer_fingerprint().first().map(|print| print.as_bytes().to_vec());
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    id.or_else(fingerprint).map(hex)
}

/// A key of a certificate.
#[derive(Clone, Copy)]
enum Key<'a> {
    Primary,
    Sub(&'a SignedPublicSubKey),
}

/// The key of a certificate that a signature says to be by; the primary one if it says nothing.
fn signer<'a>(certificate: &'a SignedPublicKey, signature: &Signature) -> Option<Key<'a>> {
    let (ids, prints) = (signature.issuer_key_id(), signature.issuer_fingerprint());
    let silent = ids.is_empty() && prints.is_empty();
    let named = |key: &dyn KeyDetails| {
        ids.iter().any(|id| **id == key.legacy_key_id())
            || prints.iter().any(|print| **print == key.fingerprint())
    };
    if silent || named(&certificate.primary_key) {
        return Some(Key::Primary);
    }
    certificate.public_subkeys.iter().find(|sub| named(&sub.key)).map(Key::Sub)
}

/// Whether a signature by this key of a certificate counts.
fn judge(
    certificate: &SignedPublicKey,
    key: Key<'_>,
    signature: &Signature,
    document: &[u8],
    now: SystemTime,
    id: &str,
) -> Result<Signed, SignatureError> {
    let id = id.to_owned();
    let primary = &certificate.primary_key;
    let verified = match key {
        Key::Primary => signature.verify(primary, document),
        Key::Sub(sub) => signature.verify(&sub.key, document),
    };
    if verified.is_err() {
        return Err(SignatureError::Wrong(id));
    }
    if let Some(digest) = signature.hash_alg().filter(is_weak) {
        return Err(SignatureError::Weak { key: id, digest: digest.to_string() });
    }
    if certificate.details.revocation_signatures.iter().any(|s| s.verify_key(primary).is_ok()) {
        return Err(SignatureError::Revoked(id));
    }
    let own = newest(own_signatures(certificate)).ok_or_else(|| SignatureError::NotForSigning(id.clone()))?;
    let mut ends = vec![end(primary, own)];
    let may_sign = match key {
        Key::Primary => may_sign(own),
        Key::Sub(sub) => {
            let bound = |s: &&Signature| s.verify_subkey_binding(primary, &sub.key).is_ok();
            let of = |kind: SignatureType| {
                sub.signatures.iter().filter(move |s| s.typ() == Some(kind)).filter(bound)
            };
            if of(SignatureType::SubkeyRevocation).next().is_some() {
                return Err(SignatureError::Revoked(id));
            }
            let binding = newest(of(SignatureType::SubkeyBinding))
                .ok_or_else(|| SignatureError::NotForSigning(id.clone()))?;
            ends.push(end(&sub.key, binding));
            // Without its own consent, somebody else's subkey could be claimed.
            let consents = |back: &Signature| back.verify_primary_key_binding(&sub.key, primary).is_ok();
            binding.key_flags().sign() && binding.embedded_signature().is_some_and(consents)
        }
    };
    if !may_sign {
        return Err(SignatureError::NotForSigning(id));
    }
    let signed: SystemTime = signature.created().ok_or_else(|| SignatureError::NotNow(id.clone()))?.into();
    let ended = signature
        .signature_expiration_time()
        .filter(|time| time.as_secs() > 0)
        .is_some_and(|time| signed + Duration::from(time) < now);
    if ended || signed > now + SKEW {
        return Err(SignatureError::NotNow(id));
    }
    let expired = ends.into_iter().flatten().min();
    if let Some(expired) = expired.filter(|expired| *expired < signed) {
        return Err(SignatureError::Expired { key: id, expired, signed });
    }
    Ok(Signed { key: id, expired: expired.filter(|expired| *expired < now) })
}

fn is_weak(digest: &HashAlgorithm) -> bool {
    matches!(digest, HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Ripemd160)
}

/// What a certificate truly says about its primary key.
fn own_signatures(certificate: &SignedPublicKey) -> impl Iterator<Item = &Signature> {
    let primary = &certificate.primary_key;
    let direct = certificate.details.direct_signatures.iter().filter(move |s| s.verify_key(primary).is_ok());
    let of_users = certificate.details.users.iter().flat_map(move |user| {
        let own = move |s: &&Signature| {
            s.is_certification() && s.verify_certification(primary, Tag::UserId, &user.id).is_ok()
        };
        user.signatures.iter().filter(own)
    });
    direct.chain(of_users)
}

fn newest<'a>(signatures: impl Iterator<Item = &'a Signature>) -> Option<&'a Signature> {
    signatures.max_by_key(|signature| signature.created().map(|time| time.as_secs()))
}

/// When a key expires, by what is said about it.
fn end(key: &impl VerifyingKey, said: &Signature) -> Option<SystemTime> {
    let time = said.key_expiration_time().filter(|time| time.as_secs() > 0)?;
    let created: SystemTime = key.created_at().into();
    Some(created + Duration::from(time))
}

/// A certificate that says nothing about what it is for may sign.
fn may_sign(said: &Signature) -> bool {
    let flags = said.key_flags();
    flags.sign() || flags == KeyFlags::default()
}
