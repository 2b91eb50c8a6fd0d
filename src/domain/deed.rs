//! What a transaction did, for whoever counts it once it is committed.

use super::audit::What;
use super::client::GrantType;
use super::token::TokenKind;

/// Something that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// An event went into the audit trail.
    Recorded(What),
    /// A token was made: an app's by its grant type, a personal one by none.
    Issued(TokenKind, Option<GrantType>),
    /// A refresh token that had been spent a moment ago got its successor once more.
    Repeated,
}
