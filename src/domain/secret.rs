//! Secrets that we make: tokens, codes, client secrets, session ids.
//!
//! `brand_type_` + 43 base62 characters (256 bits) + 6 base62 characters of CRC-32 over everything before
//! them. Only the SHA-256 of the whole is ever stored: 256 random bits cannot be guessed, so no salt and no
//! slow hash would make them safer, and a plain digest can be looked up.

mod digest;

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use rand::TryRng;
use rand::rngs::SysRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::foreign::Foreign;
pub use digest::Digest;

/// The digits of body and checksum, from 0 to 61.
pub const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(super) const BODY: usize = 43;
/// Digits of the checksum.
pub const CHECK: usize = 6;
/// Characters of the body that may be shown, to tell one token from another.
pub(super) const HINT: usize = 4;

/// What a secret opens, as its middle part says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    PersonalAccessToken,
    /// As a personal access token, of a service account.
    ServiceAccountToken,
    AccessToken,
    RefreshToken,
    ClientSecret,
    AuthorizationCode,
}

impl SecretKind {
    pub const ALL: [SecretKind; 6] = [
        SecretKind::PersonalAccessToken,
        SecretKind::ServiceAccountToken,
        SecretKind::AccessToken,
        SecretKind::RefreshToken,
        SecretKind::ClientSecret,
        SecretKind::AuthorizationCode,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            SecretKind::PersonalAccessToken => "pat",
            SecretKind::ServiceAccountToken => "sat",
            SecretKind::AccessToken => "at",
            SecretKind::RefreshToken => "rt",
            SecretKind::ClientSecret => "cs",
            SecretKind::AuthorizationCode => "ac",
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            SecretKind::PersonalAccessToken => "personal access token",
            SecretKind::ServiceAccountToken => "service account token",
            SecretKind::AccessToken => "access token",
            SecretKind::RefreshToken => "refresh token",
            SecretKind::ClientSecret => "client secret",
            SecretKind::AuthorizationCode => "authorization code",
        }
    }

    /// Whether one that lies about is worth something for days, and not for an hour at the most.
    pub fn is_long_lived(self) -> bool {
        match self {
            SecretKind::PersonalAccessToken
            | SecretKind::ServiceAccountToken
            | SecretKind::RefreshToken
            | SecretKind::ClientSecret => true,
            SecretKind::AccessToken | SecretKind::AuthorizationCode => false,
        }
    }
}

/// The first part of every secret of this server, 2 to 9 characters: `jeton` unless it is set otherwise.
/// New secrets carry the first brand; all of them are accepted, so that a brand can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brands {
    own: Vec<String>,
    foreign: Vec<Foreign>,
}

impl Brands {
    /// Check the accepted brands, of which the first is minted with.
    pub fn new(brands: Vec<String>) -> Result<Self, String> {
        for brand in &brands {
            if !is_brand(brand) {
                return Err(format!(
                    "a brand is 2 to 9 small letters or digits and begins with a letter, not {brand:?}"
                ));
            }
        }
        if brands.is_empty() {
            return Err("at least one brand is needed".to_owned());
        }
        Ok(Self {
            own: brands,
            foreign: vec![],
        })
    }

    /// With formats of other systems, whose tokens were imported.
    pub fn with_foreign(self, foreign: Vec<Foreign>) -> Self {
        Self { foreign, ..self }
    }

    /// Whether any is known.
    pub fn know_foreign(&self) -> bool {
        !self.foreign.is_empty()
    }

    /// Each of them, first the one that is minted with.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.own.iter().map(String::as_str)
    }

    /// A new secret from the operating system's generator.
    pub fn mint(&self, kind: SecretKind) -> Secret {
        self.dress(kind, &random(BODY))
    }

    /// The secret that follows from `presented` and `nonce`: whoever holds both can make it again, a reader
    /// of the database, who has only digests and nonces, cannot.
    pub fn derive(&self, kind: SecretKind, nonce: &[u8], presented: &Secret) -> Secret {
        let mut body = Zeroizing::new(String::with_capacity(BODY));
        let mut round: u8 = 0;
        while body.len() < BODY {
            let mut mac =
                Hmac::<Sha256>::new_from_slice(nonce).expect("HMAC takes a key of any length");
            mac.update(kind.as_str().as_bytes());
            mac.update(&[round]);
            mac.update(presented.expose().as_bytes());
            push_base62(&mut body, BODY, &mac.finalize().into_bytes());
            round += 1;
        }
        self.dress(kind, &body)
    }

    /// Read a presented string: its kind if brand, type, length and checksum are right, so that a mistyped
    /// or shortened secret is refused without a look into the database. Whatever is of another system's format is a personal
    /// access token.
    pub fn read(&self, presented: &str) -> Option<Secret> {
        let foreign = || {
            self.foreign
                .iter()
                .find_map(|format| format.read(presented))
        };
        self.read_own(presented).or_else(|| {
            let (secret, shown) = foreign()?;
            Some(Secret {
                kind: SecretKind::PersonalAccessToken,
                text: Zeroizing::new(secret.to_owned()),
                shown,
            })
        })
    }

    fn read_own(&self, presented: &str) -> Option<Secret> {
        let mut parts = presented.split('_');
        let (brand, kind, rest) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || rest.len() != BODY + CHECK {
            return None;
        }
        if !self.own.iter().any(|accepted| accepted == brand) {
            return None;
        }
        let kind = SecretKind::ALL.into_iter().find(|k| k.as_str() == kind)?;
        if !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        checksum_holds(presented).then(|| Secret {
            kind,
            text: Zeroizing::new(presented.to_owned()),
            shown: presented.len() - CHECK - BODY + HINT,
        })
    }

    fn dress(&self, kind: SecretKind, body: &str) -> Secret {
        let mut text = Zeroizing::new(String::with_capacity(64));
        text.push_str(&self.own[0]);
        text.push('_');
        text.push_str(kind.as_str());
        text.push('_');
        text.push_str(body);
        let (check, shown) = (checksum(&text), text.len() - BODY + HINT);
        text.push_str(&check);
        Secret { kind, text, shown }
    }
}

/// Whether this may be the brand of some server.
pub(super) fn is_brand(word: &str) -> bool {
    let mut bytes = word.bytes();
    (2..=9).contains(&word.len())
        && bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Whether the last characters of something that looks like a secret are the checksum of all before them.
pub(super) fn checksum_holds(text: &str) -> bool {
    let (covered, check) = text.split_at(text.len() - CHECK);
    checksum(covered) == check
}

/// Six bits of each byte are a character, unless they are beyond 61: so every character is equally likely.
fn push_base62(body: &mut String, wanted: usize, random: &[u8]) {
    for byte in random {
        let six = (byte & 0b0011_1111) as usize;
        if six < BASE62.len() && body.len() < wanted {
            body.push(BASE62[six] as char);
        }
    }
}

/// CRC-32 in base62, most significant digit first, padded with zeros.
fn checksum(covered: &str) -> String {
    let mut crc = crc32fast::hash(covered.as_bytes());
    let mut digits = [b'0'; CHECK];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(crc % 62) as usize];
        crc /= 62;
    }
    digits.iter().map(|&b| b as char).collect()
}

/// A secret in the clear, which prints nothing and is wiped when dropped.
#[derive(Clone)]
pub struct Secret {
    kind: SecretKind,
    text: Zeroizing<String>,
    /// How many characters may be shown.
    shown: usize,
}

impl Secret {
    /// What it opens.
    pub fn kind(&self) -> SecretKind {
        self.kind
    }

    /// The secret itself, for the one answer that hands it over.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What is kept of it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.expose())
    }

    /// What may be shown of it later: brand, type and the first characters, `jeton_pat_3AHO`.
    pub fn hint(&self) -> String {
        self.text[..self.shown].to_owned()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.kind.as_str())
    }
}

/// Bytes from the operating system's generator.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0u8; N];
    SysRng
        .try_fill_bytes(&mut bytes)
        .expect("the operating system's random generator answers");
    bytes
}

/// Base62 characters from the operating system's generator, of just under six bits each.
pub fn random(characters: usize) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(characters));
    while text.len() < characters {
        let bytes = Zeroizing::new(random_bytes::<64>());
        push_base62(&mut text, characters, bytes.as_slice());
    }
    text
}

/// Bytes as small hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY_A: &str = "3AHOVcjqx4BIPWdkry5CJQXelsz6DKRYfmt07ELSZgn";

    fn acme() -> Brands {
        Brands::new(vec!["acme".to_owned()]).unwrap()
    }

    #[test]
    fn the_published_vectors_hold() {
        for (kind, check) in [
            (SecretKind::PersonalAccessToken, "0s8N8l"),
            (SecretKind::AccessToken, "1qFef6"),
            (SecretKind::RefreshToken, "29aJ9J"),
            (SecretKind::ClientSecret, "1IqFG0"),
            (SecretKind::AuthorizationCode, "2MwjTA"),
        ] {
            let secret = acme().dress(kind, BODY_A);
            assert!(secret.expose().ends_with(check), "{kind:?}");
        }
        let zeros = acme().dress(SecretKind::PersonalAccessToken, &"0".repeat(43));
        assert!(zeros.expose().ends_with("1rPmny"));
        let padded = acme().dress(
            SecretKind::PersonalAccessToken,
            &format!("{}h", "0".repeat(42)),
        );
        assert!(padded.expose().ends_with("006AVA"));
        let digest = acme()
            .dress(SecretKind::PersonalAccessToken, BODY_A)
            .digest();
        assert_eq!(digest.as_bytes()[..4], [0xb5, 0xb1, 0xbf, 0x1f]);
    }

    #[test]
    fn what_was_minted_is_read_and_every_change_of_it_is_not() {
        let secret = acme().mint(SecretKind::PersonalAccessToken);
        let text = secret.expose();
        assert_eq!(text.len(), 58);
        assert_eq!(
            acme().read(text).unwrap().kind(),
            SecretKind::PersonalAccessToken
        );
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'q' { b'r' } else { b'q' };
            assert!(
                acme().read(std::str::from_utf8(&bytes).unwrap()).is_none(),
                "{at}"
            );
        }
        for changed in [
            &text[1..],
            &text[..57],
            &format!("{text}0"),
            &format!(" {text}"),
            &text.to_uppercase(),
        ] {
            assert!(acme().read(changed).is_none(), "{changed}");
        }
    }

    #[test]
    fn secrets_of_an_older_brand_are_still_read() {
        let old = acme().mint(SecretKind::AccessToken);
        let both = Brands::new(vec!["nova".to_owned(), "acme".to_owned()]).unwrap();
        assert!(both.read(old.expose()).is_some());
        assert!(
            both.mint(SecretKind::AccessToken)
                .expose()
                .starts_with("nova_at_")
        );
    }

    #[test]
    fn a_derived_secret_needs_the_nonce_and_the_secret_it_follows() {
        let presented = acme().mint(SecretKind::RefreshToken);
        let (one, other) = (random_bytes::<32>(), random_bytes::<32>());
        let derive = |nonce: &[u8]| acme().derive(SecretKind::RefreshToken, nonce, &presented);
        assert_eq!(derive(&one).expose(), derive(&one).expose());
        assert_ne!(derive(&one).expose(), derive(&other).expose());
        assert!(acme().read(derive(&one).expose()).is_some());
    }

    #[test]
    fn a_secret_prints_nothing_of_itself() {
        let secret = acme().mint(SecretKind::ClientSecret);
        assert_eq!(
            format!("{secret:?} {:?}", secret.digest()),
            "Secret(cs) Digest"
        );
    }
}
