//! Access tokens that services get for themselves (RFC 6749 §4.4).

use diesel::QueryResult;

use super::client::GrantType;
use super::deed::Deed;
use super::grant::{Grant, NewGrant, Origin, Via};
use super::id::Id;
use super::secret::Secret;
use super::token::{NewToken, Token, TokenKind};
use super::tx::Tx;
use super::words::{Audience, Scope};
use crate::clock::Timestamp;

/// One that is to be issued.
#[derive(Debug, Clone)]
pub struct ServiceToken {
    pub client_id: String,
    pub scope: Scope,
    pub audience: Audience,
    pub secret: Secret,
    pub expires_at: Timestamp,
}

impl ServiceToken {
    /// Keep these tokens, each under its service's live grant to itself with just its scope and audience. In their order:
    /// nothing, or the token again where there is no such grant yet.
    pub fn issue_all(tx: &mut Tx, tokens: Vec<Self>) -> QueryResult<Vec<Option<Self>>> {
        let mut grants: Vec<(usize, Option<Id>)> = vec![];
        let mut new = vec![];
        let mut left = vec![];
        for (at, token) in tokens.iter().enumerate() {
            // Most are for a few services.
            let known = grants.iter().find(|(of, _)| tokens[*of].is_alike(token));
            let grant_id = match known {
                Some((_, grant_id)) => *grant_id,
                None => {
                    let grant_id = token.grant(tx)?;
                    grants.push((at, grant_id));
                    grant_id
                }
            };
            left.push(grant_id.is_none());
            new.extend(grant_id.map(|grant_id| token.under(grant_id)));
        }
        let count = new.len();
        Token::issue_all(tx, new)?;
        for _ in 0..count {
            let by = Some(GrantType::ClientCredentials);
            tx.did(Deed::Issued(TokenKind::Access, by));
        }
        let left = tokens.into_iter().zip(left);
        Ok(left
            .map(|(token, is_left)| is_left.then_some(token))
            .collect())
    }

    /// Make the grant for such tokens, unless it is there.
    pub fn ensure_grant(&self, tx: &mut Tx) -> QueryResult<()> {
        if self.grant(tx)?.is_some() {
            return Ok(());
        }
        let new = NewGrant {
            user_id: None,
            client_id: &self.client_id,
            origin: Origin::ClientCredentials,
            scope: &self.scope,
            audience: &self.audience,
            name: None,
            description: None,
            via: Via::OAuth,
            auth_time: None,
        };
        Grant::create(tx, new).map(drop)
    }

    fn grant(&self, tx: &mut Tx) -> QueryResult<Option<Id>> {
        Grant::of_service(tx, &self.client_id, &self.scope, &self.audience)
    }

    /// Whether both come under one grant.
    fn is_alike(&self, other: &Self) -> bool {
        self.client_id == other.client_id
            && self.scope == other.scope
            && self.audience == other.audience
    }

    fn under(&self, grant_id: Id) -> NewToken<'_> {
        NewToken {
            secret: &self.secret,
            grant_id,
            kind: TokenKind::Access,
            expires_at: Some(self.expires_at),
            scope: None,
            audience: None,
        }
    }
}
