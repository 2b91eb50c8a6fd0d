//! A presented token and everything its standing depends on: itself, its grant, its owner, its client.

use diesel::prelude::*;

use super::client::Client;
use super::grant::Grant;
use super::resource::Catalogue;
use super::secret::Digest;
use super::token::{Token, TokenKind};
use super::user::User;
use super::words::{Audience, Scope};
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::db::schema::{clients, grants, tokens, users};

/// Whoever holds this token.
#[derive(Debug, Clone)]
pub struct Bearer {
    pub token: Token,
    pub grant: Grant,
    pub owner: Option<User>,
    pub client: Client,
}

/// Whether a token may be used, and if not, why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Active,
    Expired,
    /// A refresh token that was exchanged for its successor.
    Spent,
    Revoked,
    GrantRevoked,
    OwnerDisabled,
    ClientDisabled,
}

impl Bearer {
    /// Look a presented secret up. The one question that introspection and our own API begin with.
    pub fn find(conn: &mut Conn, hash: Digest) -> QueryResult<Option<Bearer>> {
        let found = tokens::table
            .inner_join(
                grants::table
                    .inner_join(clients::table)
                    .left_join(users::table),
            )
            .filter(tokens::hash.eq(hash))
            .select((
                Token::as_select(),
                Grant::as_select(),
                Option::<User>::as_select(),
                Client::as_select(),
            ))
            .get_result(conn)
            .optional()?;
        Ok(found.map(|(token, grant, owner, client)| Bearer {
            token,
            grant,
            owner,
            client,
        }))
    }

    /// Whether this token may be used at `now`, and if not, why not. Only yes or no leaves the server
    /// (RFC 7662 §2.2).
    pub fn standing(&self, now: Timestamp) -> Standing {
        if self.token.revoked_at.is_some() {
            Standing::Revoked
        } else if self.grant.revoked_at.is_some() {
            Standing::GrantRevoked
        } else if self.owner.as_ref().is_some_and(|owner| !owner.is_enabled()) {
            Standing::OwnerDisabled
        } else if !self.client.is_enabled() {
            Standing::ClientDisabled
        } else if self.token.spent_at.is_some() {
            // Before its end: a spent token that comes back is a replay, however late.
            Standing::Spent
        } else if self.token.is_expired(now) {
            Standing::Expired
        } else {
            Standing::Active
        }
    }

    /// Whether this token may be used at `now`.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.standing(now) == Standing::Active
    }

    /// What the token was given: at most what its grant has.
    pub fn scope(&self) -> Scope {
        match &self.token.scope {
            Some(narrower) => narrower.shared_with(&self.grant.scope),
            None => self.grant.scope.clone(),
        }
    }

    /// The resource servers the token is for: at most those of its grant.
    pub fn audience(&self) -> Audience {
        match &self.token.audience {
            Some(narrower) => narrower.shared_with(&self.grant.audience),
            None => self.grant.audience.clone(),
        }
    }

    /// Who the token speaks for: its owner, or the client itself (`sub`, RFC 7662 §2.2).
    pub fn subject(&self) -> String {
        match &self.owner {
            Some(owner) => owner.id.to_string(),
            None => self.client.id.clone(),
        }
    }

    /// What of the token's scope its owner may still have: scopes kept for administrators fall away from who is
    /// none any more.
    pub fn rights(&self, catalogue: &Catalogue) -> Scope {
        let demoted = self.owner.as_ref().is_some_and(|owner| !owner.is_admin);
        let meant = catalogue.within(&self.audience());
        self.scope().only(|word| !(demoted && meant.reserves(word)))
    }

    /// The scope that `caller` is told of, or `None` if the token is none of its business.
    ///
    /// A resource server sees the tokens that are for it, and of their scope what it defines; a client sees its
    /// own tokens whole; one with the right `introspect_any` sees all. A refresh token is its client's alone: a
    /// resource server must never take one for an access token.
    pub fn seen_by(&self, caller: &Client, catalogue: &Catalogue) -> Option<Scope> {
        let rights = self.rights(catalogue);
        if self.grant.client_id == caller.id {
            return Some(rights);
        }
        if self.token.kind == TokenKind::Refresh {
            return None;
        }
        if caller.introspect_any {
            return Some(rights);
        }
        let theirs = catalogue.of_client(&caller.id).within(&self.audience());
        (!theirs.is_empty()).then(|| rights.only(|word| theirs.defines(word)))
    }
}
