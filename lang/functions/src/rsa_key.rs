//! Private RSA keys in the forms in which tools write them: PKCS #1, PKCS #8 and that of OpenSSH.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::BigUint;
use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;

const OPENSSH_BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const OPENSSH_END: &str = "-----END OPENSSH PRIVATE KEY-----";

/// Reads a private key.
///
/// # Errors
/// What is wrong with it; never parts of the key.
pub(crate) fn read(pem: &str) -> Result<RsaPrivateKey, &'static str> {
    let pem = pem.trim();
    let unreadable = "the key is damaged, or not an RSA key";
    if pem.contains("ENCRYPTED") {
        Err("the key is protected by a passphrase, which is not supported")
    } else if pem.contains("-----BEGIN RSA PRIVATE KEY-----") {
        RsaPrivateKey::from_pkcs1_pem(pem).map_err(|_| unreadable)
    } else if pem.contains("-----BEGIN PRIVATE KEY-----") {
        RsaPrivateKey::from_pkcs8_pem(pem).map_err(|_| unreadable)
    } else if pem.contains(OPENSSH_BEGIN) {
        read_openssh(pem)
    } else {
        Err("the key must be PEM encoded: a block that begins with `-----BEGIN RSA PRIVATE KEY-----`")
    }
}

fn read_openssh(pem: &str) -> Result<RsaPrivateKey, &'static str> {
    let damaged = "the key is damaged";
    let body =
        pem.split(OPENSSH_BEGIN).nth(1).and_then(|rest| rest.split(OPENSSH_END).next()).ok_or(damaged)?;
    let body: String = body.split_ascii_whitespace().collect();
    let bytes = STANDARD.decode(body).map_err(|_| damaged)?;
    let mut outer = Reader(bytes.strip_prefix(b"openssh-key-v1\0").ok_or(damaged)?);
    let cipher = outer.field().ok_or(damaged)?;
    if cipher != b"none" {
        return Err("the key is protected by a passphrase, which is not supported");
    }
    let _derivation = (outer.field().ok_or(damaged)?, outer.field().ok_or(damaged)?);
    if outer.word() != Some(1) {
        return Err("the file must hold exactly one key");
    }
    let _public = outer.field().ok_or(damaged)?;
    let mut inner = Reader(outer.field().ok_or(damaged)?);
    if inner.word().ok_or(damaged)? != inner.word().ok_or(damaged)? {
        return Err(damaged);
    }
    if inner.field().ok_or(damaged)? != b"ssh-rsa" {
        return Err("the key is not an RSA key");
    }
    let mut number = || inner.field().map(BigUint::from_bytes_be).ok_or(damaged);
    let (n, e, d) = (number()?, number()?, number()?);
    let (_inverse, p, q) = (number()?, number()?, number()?);
    RsaPrivateKey::from_components(n, e, d, vec![p, q]).map_err(|_| damaged)
}

/// Fields with their lengths before them.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn word(&mut self) -> Option<u32> {
        let (word, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*word))
    }

    fn field(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.word()?).ok()?;
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }
}
