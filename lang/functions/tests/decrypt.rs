//! Decryption with private keys in the forms in which tools write them. The keys are for these tests alone.

mod world;

use plumb_functions::{FunctionError, call, lookup};
use plumb_model::Value;
use world::Nothing;

fn decrypt(ciphertext: &str, key: &str) -> Result<Value, FunctionError> {
    call(lookup("rsadecrypt").unwrap(), &[ciphertext.into(), key.into()], &Nothing)
}

const CIPHERTEXT: &str = include_str!("rsa/ciphertext");

#[test]
fn keys_are_read_in_each_form() {
    for key in [include_str!("rsa/pkcs1.pem"), include_str!("rsa/pkcs8.pem"), include_str!("rsa/openssh.pem")]
    {
        assert_eq!(decrypt(CIPHERTEXT, key), Ok("geheim é".into()));
    }
}

#[test]
fn what_is_wrong_is_said_without_showing_the_key() {
    let problem = |ciphertext: &str, key: &str| decrypt(ciphertext, key).unwrap_err().message;
    let key = include_str!("rsa/pkcs1.pem");
    assert!(problem(CIPHERTEXT, include_str!("rsa/encrypted.pem")).contains("passphrase"));
    assert!(problem(CIPHERTEXT, "no key").contains("PEM"));
    let damaged = key.replacen("MII", "MIJ", 1);
    assert_eq!(problem(CIPHERTEXT, &damaged), "the key is damaged, or not an RSA key");
    assert!(problem("!", key).contains("Base64"));
    assert!(problem("aGVsbG8=", key).contains("not encrypted for this key"));
}
