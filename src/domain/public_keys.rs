//! The public keys by which a secret scanner proves that a report is its own: ECDSA on P-256 with SHA-256.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Public};
use openssl::sign::Verifier;
use serde::Deserialize;

/// Keys by the names that signatures refer to them with.
pub struct PublicKeys(HashMap<String, PKey<Public>>);

/// Why a document of keys is of no use.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("it is not the JSON that GitHub has at /meta/public_keys/secret_scanning: {0}")]
    Document(#[from] serde_json::Error),
    #[error("it has no ECDSA key on P-256")]
    Empty,
}

/// Why a signature is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    UnknownKey,
    Signature,
}

#[derive(Deserialize)]
struct Document {
    public_keys: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    key_identifier: String,
    /// In PEM.
    key: String,
}

impl PublicKeys {
    /// Read keys as GitHub publishes them. One that this server can't use is left out.
    pub fn read(document: &[u8]) -> Result<Self, Unfit> {
        let document: Document = serde_json::from_slice(document)?;
        let keys = document.public_keys.into_iter();
        let keys: HashMap<_, _> = keys
            .filter_map(|named| Some((named.key_identifier, usable(&named.key)?)))
            .collect();
        if keys.is_empty() {
            return Err(Unfit::Empty);
        }
        Ok(Self(keys))
    }

    /// Check that `signature`, in base64, is the one of this key over just these bytes.
    pub fn check(&self, key: &str, signature: &str, body: &[u8]) -> Result<(), Distrust> {
        let key = self.0.get(key).ok_or(Distrust::UnknownKey)?;
        let signature = STANDARD.decode(signature.trim());
        let signature = signature.map_err(|_| Distrust::Signature)?;
        let verified = Verifier::new(MessageDigest::sha256(), key)
            .and_then(|mut verifier| verifier.verify_oneshot(&signature, body));
        // What is no signature at all is an error to OpenSSL.
        match verified {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Distrust::Signature),
        }
    }
}

fn usable(pem: &str) -> Option<PKey<Public>> {
    let key = PKey::public_key_from_pem(pem.as_bytes()).ok()?;
    let curve = key.ec_key().ok()?.group().curve_name();
    (curve == Some(Nid::X9_62_PRIME256V1)).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's documentation of its partner program, made with a key for tests.
    #[test]
    fn the_published_example_is_believed_and_no_other_bytes_are() {
        let pem = "-----BEGIN PUBLIC KEY-----\n\
            MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsz9ugWDj5jK5ELBK42ynytbo38gP\n\
            HzZFI03Exwz8Lh/tCfL3YxwMdLjB+bMznsanlhK0RwcGP3IDb34kQDIo3Q==\n\
            -----END PUBLIC KEY-----\n";
        let id = "f9525bf080f75b3506ca1ead061add62b8633a346606dc5fe544e29231c6ee0d";
        let signature = "MEUCIFLZzeK++IhS+y276SRk2Pe5LfDrfvTXu6iwKKcFGCrvAiEAhHN2kDOhy2I6eGkOFmxNkOJ+L2y8oQ9A2T9GGJo6WJY=";
        let body = br#"[{"token":"some_token","type":"some_type","url":"some_url","source":"some_source"}]"#;
        let document = serde_json::json!({"public_keys": [
            {"key_identifier": id, "key": pem, "is_current": true},
            {"key_identifier": "of the future", "key": "no PEM", "is_current": false},
        ]});
        let keys = PublicKeys::read(document.to_string().as_bytes()).unwrap();
        assert_eq!(keys.check(id, signature, body), Ok(()));
        let other = keys.check("another", signature, body);
        assert_eq!(other, Err(Distrust::UnknownKey));
        let unusable = keys.check("of the future", signature, body);
        assert_eq!(unusable, Err(Distrust::UnknownKey));
        let reordered =
            br#"[{"type":"some_type","token":"some_token","url":"some_url","source":"some_source"}]"#;
        for (signature, body) in [
            (signature, &reordered[..]),
            (signature, &body[..body.len() - 1]),
            ("", body),
            ("bm90IERFUg==", body),
            ("~", body),
        ] {
            let checked = keys.check(id, signature, body);
            assert_eq!(checked, Err(Distrust::Signature), "{signature}");
        }
    }

    #[test]
    fn what_has_no_key_in_it_is_refused() {
        for document in ["", "{}", "[]", r#"{"public_keys":[]}"#] {
            assert!(PublicKeys::read(document.as_bytes()).is_err(), "{document}");
        }
    }
}
