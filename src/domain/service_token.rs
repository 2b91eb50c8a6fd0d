//! Access tokens that services get for themselves (RFC 6749 §4.4).

use diesel::QueryResult;

use super::client::GrantType;
use super::deed::Deed;
use super::grant::{Grant, NewGrant, Origin, ServiceGrant, Via};
use super::id::Id;
use super::limits::Limits;
use super::secret::Secret;
use super::token::{NewToken, Token, TokenKind};
use super::tx::Tx;
use super::words::{Audience, Scope};
use crate::clock::Timestamp;
use crate::db;

const ISSUED: Deed = Deed::Issued(TokenKind::Access, Some(GrantType::ClientCredentials));

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
        let mut services: Vec<&str> = tokens.iter().map(|t| t.client_id.as_str()).collect();
        services.sort_unstable();
        services.dedup();
        let grants = Grant::of_services(tx, &services)?;
        let mut new = vec![];
        let mut is_left = vec![];
        for token in &tokens {
            let grant = grants.iter().find(|grant| token.fits(grant));
            is_left.push(grant.is_none());
            new.extend(grant.map(|grant| token.under(grant.id)));
        }
        let count = new.len();
        Token::issue_all(tx, new)?;
        (0..count).for_each(|_| tx.did(ISSUED));
        let left = tokens.into_iter().zip(is_left);
        Ok(left
            .map(|(token, is_left)| is_left.then_some(token))
            .collect())
    }

    /// Keep this token, and make the grant for it unless that is there by now.
    pub fn issue_first(self, tx: &mut Tx) -> QueryResult<()> {
        // Else each of the first that come together would make one.
        db::hold_client(tx, &self.client_id)?;
        let grants = Grant::of_services(tx, &[&self.client_id])?;
        let grant_id = match grants.iter().find(|grant| self.fits(grant)) {
            Some(grant) => grant.id,
            None => self.make_grant(tx)?.id,
        };
        Token::issue(tx, self.under(grant_id))?;
        tx.did(ISSUED);
        Ok(())
    }

    fn make_grant(&self, tx: &mut Tx) -> QueryResult<Grant> {
        let new = NewGrant {
            user_id: None,
            client_id: &self.client_id,
            origin: Origin::ClientCredentials,
            scope: &self.scope,
            audience: &self.audience,
            authorization_details: None,
            name: None,
            description: None,
            via: Via::OAuth,
            auth_time: None,
            limits: &Limits::default(),
            held_back: None,
        };
        Grant::create(tx, new)
    }

    /// Whether it comes under this grant.
    fn fits(&self, grant: &ServiceGrant) -> bool {
        self.client_id == grant.client_id
            && self.scope == grant.scope
            && self.audience == grant.audience
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
