//! Tokens of another system that go on working here: their digests, under grants of their owners.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::audit::{Event, What};
use super::client::PERSONAL_ACCESS_TOKEN;
use super::deed::Deed;
use super::grant::{Grant, NewGrant, Origin, Via};
use super::limits::Limits;
use super::personal_token::{PersonalToken, Problem};
use super::resource::Catalogue;
use super::secret::{Brands, Digest, SecretKind};
use super::token::{Token, TokenKind};
use super::tx::Tx;
use super::user::User;
use super::words::{Audience, Scope};
use crate::clock::Timestamp;
use crate::db::{self, Fault};

/// One token as another system's export says it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exported {
    /// The SHA-256 of the token, in hexadecimal or base64.
    sha256: Option<String>,
    /// The token itself, where the other system could still read it.
    plaintext: Option<String>,
    /// The id or the name of a user here.
    owner: String,
    name: String,
    #[serde(default)]
    description: String,
    /// Milliseconds since 1970; `null` for a token without an end.
    #[serde(default)]
    expires_at: Option<i64>,
    scopes: Vec<String>,
    /// Without it, the resources that define the scopes.
    #[serde(default)]
    audience: Vec<String>,
}

/// What became of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopted {
    Imported,
    /// It is here already.
    Known,
    /// It has ended, so there is nothing to go on with.
    Expired,
}

/// Why a token can't be imported.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("give either sha256 or plaintext")]
    Secret,
    #[error(
        "this is no plain SHA-256: a token can't be found by a hash that is salted or keyed, so its owner needs a new token"
    )]
    Hash,
    #[error(
        "no format of the setting foreign_tokens fits this token, so it would never be looked up"
    )]
    Format,
    #[error(
        "the setting foreign_tokens names no format, so an imported token would never be looked up"
    )]
    NoFormats,
    #[error("there is no user {0}")]
    Owner(String),
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusal!(Unfit);

impl Exported {
    /// What the token is found by, and what may be shown of it.
    fn secret(&self, brands: &Brands) -> Result<(Digest, String), Unfit> {
        match (&self.sha256, &self.plaintext) {
            (None, Some(token)) => {
                let secret = brands.read(token).ok_or(Unfit::Format)?;
                match secret.kind() {
                    SecretKind::PersonalAccessToken | SecretKind::ServiceAccountToken => {
                        Ok((secret.digest(), secret.hint()))
                    }
                    _ => Err(Unfit::Format),
                }
            }
            (Some(_), None) if !brands.know_foreign() => Err(Unfit::NoFormats),
            (Some(hash), None) => Ok((digest(hash).ok_or(Unfit::Hash)?, "imported".to_owned())),
            _ => Err(Unfit::Secret),
        }
    }

    /// Let the token go on working here. Importing it again changes nothing. The rules for new tokens' lives are not asked:
    /// it is none.
    pub fn adopt(&self, tx: &mut Tx, catalogue: &Catalogue) -> Result<Adopted, Unfit> {
        let (hash, hint) = self.secret(&tx.policy.brands)?;
        if Token::find(tx, hash)?.is_some() {
            return Ok(Adopted::Known);
        }
        let end = self.expires_at.map(Timestamp::from_millis);
        if end.is_some_and(|end| end.seconds() <= tx.now.seconds()) {
            return Ok(Adopted::Expired);
        }
        let owner = User::meant(tx, &self.owner)?;
        let owner = owner.ok_or_else(|| Unfit::Owner(self.owner.clone()))?;
        db::hold_user(tx, owner.id.as_bytes())?;
        let words = self.scopes.iter().map(String::as_str);
        let scope = Scope::of(words).map_err(Problem::UnknownScope)?;
        if let Some(unknown) = scope.iter().find(|word| !catalogue.defines(word)) {
            return Err(Problem::UnknownScope(unknown.to_owned()).into());
        }
        let audience = Audience::of(self.audience.iter().map(String::as_str));
        let mut audience = audience.map_err(Problem::UnknownResource)?;
        if audience.is_empty() {
            audience = catalogue.audience_of(&scope);
        }
        let words = (self.name.as_str(), self.description.as_str());
        let (name, description) =
            PersonalToken::check_import(tx, catalogue, &owner, words, &scope, &audience)?;
        let new = NewGrant {
            user_id: Some(owner.id),
            client_id: PERSONAL_ACCESS_TOKEN,
            origin: Origin::Personal,
            scope: &scope,
            audience: &audience,
            authorization_details: None,
            name: Some(&name),
            description: Some(&description),
            via: Via::Import,
            auth_time: None,
            limits: &Limits::default(),
            held_back: None,
        };
        let grant = Grant::create(tx, new)?;
        let id = Token::adopt(tx, hash, hint, grant.id, TokenKind::Personal, end)?;
        let made = Event::new(What::TokenCreated).grant(&grant);
        tx.record(made.token(id).detail(&name))?;
        tx.did(Deed::Issued(TokenKind::Personal, None));
        Ok(Adopted::Imported)
    }
}

/// A SHA-256 as exports write it.
fn digest(text: &str) -> Option<Digest> {
    let hex = || -> Option<Vec<u8>> {
        let pairs = (0..text.len()).step_by(2).map(|at| text.get(at..at + 2));
        let bytes = pairs.map(|pair| u8::from_str_radix(pair?, 16).ok());
        bytes.collect()
    };
    let bytes = match text.len() {
        64 if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => hex()?,
        43 => URL_SAFE_NO_PAD.decode(text).ok()?,
        44 => STANDARD.decode(text).ok()?,
        _ => return None,
    };
    bytes.as_slice().try_into().ok().map(Digest::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_in_hexadecimal_and_base64() {
        let known = Digest::of("abc");
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let base64 = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
        let url_safe = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
        for text in [hex, &hex.to_uppercase(), base64, url_safe] {
            assert_eq!(digest(text), Some(known), "{text}");
        }
        let salted = "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
        let not_hex = format!("g{}", &hex[1..]);
        let signed = format!("+{}", &hex[1..]);
        for other in ["", &hex[1..], salted, &not_hex, &signed, &"é".repeat(32)] {
            assert_eq!(digest(other), None, "{other}");
        }
    }
}
