//! GitHub's secret scanning, with keys of the test's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use reqwest::Response;
use serde_json::{Value, json};

use super::Server;

/// Where it sends what it has found, and the setting that says where its keys are.
pub const FINDINGS: &str = "/api/secret-scanning/github";
pub const KEYS: &str = "github_secret_scanning_keys";

/// A key pair in the place of one of GitHub's.
pub struct GithubKey {
    pub id: &'static str,
    pair: PKey<Private>,
}

impl GithubKey {
    pub fn new(id: &'static str, curve: Nid) -> Self {
        let group = EcGroup::from_curve_name(curve).expect("a curve");
        let pair = EcKey::generate(&group).and_then(PKey::from_ec_key);
        let pair = pair.expect("a key");
        Self { id, pair }
    }

    pub fn p256(id: &'static str) -> Self {
        Self::new(id, Nid::X9_62_PRIME256V1)
    }

    fn public(&self) -> Value {
        let pem = self.pair.public_key_to_pem().expect("a public key");
        let pem = String::from_utf8(pem).expect("PEM");
        json!({"key_identifier": self.id, "key": pem, "is_current": true})
    }

    pub fn sign(&self, body: &str) -> String {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.pair).expect("a signer");
        let signature = signer.sign_oneshot_to_vec(body.as_bytes());
        STANDARD.encode(signature.expect("a signature"))
    }

    /// Send a body with this key's signature.
    pub async fn sends(&self, server: &Server, body: &str) -> Response {
        send_findings(server, self.id, &self.sign(body), body).await
    }
}

/// Keys as GitHub publishes them.
pub fn github_keys(keys: &[&GithubKey]) -> String {
    let keys: Vec<Value> = keys.iter().map(|key| key.public()).collect();
    json!({"public_keys": keys}).to_string()
}

/// Send a body as if this were the signature of that key over it.
pub async fn send_findings(server: &Server, key: &str, signature: &str, body: &str) -> Response {
    let request = server
        .request("POST", FINDINGS)
        .header("Github-Public-Key-Identifier", key)
        .header("Github-Public-Key-Signature", signature)
        .header("Content-Type", "application/json")
        .body(body.to_owned());
    request.send().await.expect("the server answers")
}
