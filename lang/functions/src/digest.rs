//! Hashes, identifiers, passwords and decryption.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use plumb_model::{Type, Value};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use uuid::Uuid;

use crate::error::FunctionError;
use crate::rsa_key;
use crate::signature::{Call, Function, Outcome, parameter, whole};

pub(crate) fn functions() -> Vec<Function> {
    let text = |name, description| parameter(name, Type::String, description);
    let of_text = |name, run, description| {
        Function::new(name, Type::String, run).describe(description).takes(text("str", "The string to hash."))
    };
    vec![
        of_text(
            "md5",
            |call| Ok(hex_digest::<Md5>(call.text(0).as_bytes())),
            "Returns the MD5 hash of a string in hexadecimal digits.",
        ),
        of_text(
            "sha1",
            |call| Ok(hex_digest::<Sha1>(call.text(0).as_bytes())),
            "Returns the SHA-1 hash of a string in hexadecimal digits.",
        ),
        of_text(
            "sha256",
            |call| Ok(hex_digest::<Sha256>(call.text(0).as_bytes())),
            "Returns the SHA-256 hash of a string in hexadecimal digits.",
        ),
        of_text(
            "sha512",
            |call| Ok(hex_digest::<Sha512>(call.text(0).as_bytes())),
            "Returns the SHA-512 hash of a string in hexadecimal digits.",
        ),
        of_text(
            "base64sha256",
            |call| Ok(base64_digest::<Sha256>(call.text(0).as_bytes())),
            "Returns the SHA-256 hash of a string in Base64.",
        ),
        of_text(
            "base64sha512",
            |call| Ok(base64_digest::<Sha512>(call.text(0).as_bytes())),
            "Returns the SHA-512 hash of a string in Base64.",
        ),
        Function::new("bcrypt", Type::String, bcrypt_hash)
            .describe("Returns a salted bcrypt hash of a string; each call gives another one.")
            .takes(text("str", "The string to hash, at most 72 bytes."))
            .takes_many(parameter("cost", Type::Number, "The cost, from 4 to 31; 10 unless given.")),
        Function::new("uuid", Type::String, random_uuid)
            .describe("Returns random bytes in the form of a UUID; each call gives others."),
        Function::new("uuidv5", Type::String, named_uuid)
            .describe("Returns the UUID of a name in a namespace.")
            .takes(text("namespace", "`dns`, `url`, `oid`, `x500`, or a UUID."))
            .takes(text("name", "The name.")),
        Function::new("rsadecrypt", Type::String, rsa_decrypt)
            .describe("Decrypts text that was encrypted with an RSA key.")
            .takes(text("ciphertext", "The encrypted text in Base64."))
            .takes(text("privatekey", "The private key, PEM encoded and without a passphrase.")),
    ]
}

/// The hash of bytes in hexadecimal digits.
pub(crate) fn hex_digest<D: Digest>(bytes: &[u8]) -> Value {
    Value::string(hex::encode(D::digest(bytes)))
}

/// The hash of bytes in Base64.
pub(crate) fn base64_digest<D: Digest>(bytes: &[u8]) -> Value {
    Value::string(STANDARD.encode(D::digest(bytes)))
}

fn bcrypt_hash(call: &Call<'_>) -> Outcome {
    let cost = match call.args {
        [_] => 10,
        [_, _] => whole(call.number(1)).map_err(|problem| FunctionError::argument(1, problem))?,
        _ => return Err(FunctionError::failed("bcrypt() takes no more than two arguments")),
    };
    // A cost that is too low for the algorithm stands for the usual one.
    let cost = match u32::try_from(cost.max(0)) {
        Ok(0..=3) => 10,
        Ok(cost @ 4..=31) => cost,
        _ => {
            return Err(FunctionError::argument(1, format!("cost {cost} is outside allowed range (4,31)")));
        }
    };
    let password = call.text(0);
    if password.len() > 72 {
        let length = password.len();
        return Err(FunctionError::argument(
            0,
            format!("password length of {length} bytes exceeds 72 bytes"),
        ));
    }
    if call.context.defers_impure() {
        return Ok(Value::unknown_not_null(Type::String));
    }
    let mut salt = [0; 16];
    call.context.random(&mut salt);
    let hash = bcrypt::hash_with_salt(password.as_bytes(), cost, salt)
        .map_err(|error| FunctionError::failed(error.to_string()))?;
    Ok(Value::string(hash.format_for_version(bcrypt::Version::TwoA)))
}

fn random_uuid(call: &Call<'_>) -> Outcome {
    if call.context.defers_impure() {
        return Ok(Value::unknown_not_null(Type::String));
    }
    let mut bytes = [0; 16];
    call.context.random(&mut bytes);
    Ok(Value::string(Uuid::from_bytes(bytes).hyphenated().to_string()))
}

fn named_uuid(call: &Call<'_>) -> Outcome {
    let namespace = match call.text(0).as_str() {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => Uuid::parse_str(other).map_err(|_| {
            FunctionError::argument(0, format!("uuidv5() doesn't support namespace {other:?}; it must be `dns`, `url`, `oid`, `x500`, or a UUID"))
        })?,
    };
    Ok(Value::string(Uuid::new_v5(&namespace, call.text(1).as_bytes()).hyphenated().to_string()))
}

fn rsa_decrypt(call: &Call<'_>) -> Outcome {
    let ciphertext: String = call.text(0).split(['\n', '\r']).collect();
    let ciphertext = STANDARD
        .decode(ciphertext)
        .map_err(|_| FunctionError::argument(0, "the text to decrypt must be Base64"))?;
    let key =
        rsa_key::read(call.text(1)).map_err(|problem| FunctionError::argument(1, problem.to_owned()))?;
    let plain = key
        .decrypt(rsa::Pkcs1v15Encrypt, &ciphertext)
        .map_err(|_| FunctionError::failed("failed to decrypt: the text was not encrypted for this key"))?;
    match String::from_utf8(plain) {
        Ok(text) => Ok(Value::string(text)),
        Err(_) => Err(FunctionError::failed("the decrypted bytes are not valid UTF-8")),
    }
}
