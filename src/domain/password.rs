//! People's passwords: argon2id, the one slow hash in the house.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

/// The fewest characters a password may have. There is no rule on their kind (NIST SP 800-63B §5.1.1.2).
pub const MIN_LENGTH: usize = 8;
/// The most bytes: what is longer is refused rather than hashed.
pub const MAX_LENGTH: usize = 1024;

/// A hash that no password has, so that an unknown user takes as long to refuse as a wrong password.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhvbWU$qZ4Zc1zQ1kOTnCYjJTAGl3+VjkKsfUhV+fJZn3Ij3rU";

/// A password in the clear, wiped when dropped.
pub struct Password(Zeroizing<String>);

impl Password {
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Why this can't be anybody's new password, if it can't.
    pub fn problem(&self) -> Option<String> {
        if self.0.chars().count() < MIN_LENGTH {
            return Some(format!("A password has at least {MIN_LENGTH} characters."));
        }
        (self.0.len() > MAX_LENGTH).then(|| format!("A password has at most {MAX_LENGTH} bytes."))
    }

    /// Hash it for storage, as a PHC string. Takes tens of milliseconds of a core, on purpose.
    pub fn hash(&self) -> String {
        argon2()
            .hash_password(self.0.as_bytes())
            .expect("argon2 hashes any password")
            .to_string()
    }

    /// Whether it is the password of `hash`. Takes as long where there is no hash at all.
    pub fn is(&self, hash: Option<&str>) -> bool {
        let known = hash.and_then(|hash| PasswordHash::new(hash).ok());
        let asked = known
            .clone()
            .unwrap_or_else(|| PasswordHash::new(NOBODY).expect("the constant is a PHC string"));
        let matches = self.0.len() <= MAX_LENGTH
            && argon2().verify_password(self.0.as_bytes(), &asked).is_ok();
        matches && known.is_some()
    }
}

/// OWASP's setting for argon2id: 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("the parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_password_matches_and_no_one_is_nobody() {
        let password = Password::new("correct horse".into());
        let hash = password.hash();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(password.is(Some(&hash)));
        assert!(!Password::new("correct horsf".into()).is(Some(&hash)));
        assert!(!password.is(None));
        assert!(!password.is(Some("not a hash")));
    }
}
