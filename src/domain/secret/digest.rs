//! What is kept of a secret.

use std::fmt;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Binary;
use sha2::{Digest as _, Sha256};

use crate::db::column::column;

/// The SHA-256 of a secret: all that is kept of it, and the key it is found by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Binary)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes, made elsewhere.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// The last digest that begins with so many zero bits. Of all that are made, one in `2^bits` is not after it.
    pub fn last_with_zeros(bits: u32) -> Self {
        let mut bytes = [0xff; 32];
        bytes[..4].copy_from_slice(&(u32::MAX >> bits).to_be_bytes());
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

column!(Digest: Binary, [u8] as Vec<u8>, |digest| digest.0.as_slice(), |bytes| Ok(Digest(bytes.as_slice().try_into()?)));
