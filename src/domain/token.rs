//! Tokens: access tokens, refresh tokens and personal access tokens, in one table, each under a grant.

use std::time::Duration;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::audit::{Event, What};
use super::grant::{Because, Grant};
use super::id::Id;
use super::secret::{Digest, Secret, SecretKind};
use super::tx::Tx;
use super::words::{Audience, Scope};
use crate::clock::Timestamp;
use crate::db::column::column;
use crate::db::schema::tokens;
use crate::db::{self, Conn, Prepared, TokenRow};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum TokenKind {
    Access,
    Refresh,
    Personal,
    /// It looks like a personal one and opens nothing.
    Decoy,
}

impl TokenKind {
    pub const ALL: [TokenKind; 4] = [
        TokenKind::Access,
        TokenKind::Refresh,
        TokenKind::Personal,
        TokenKind::Decoy,
    ];

    /// Those that open something.
    pub const OPENING: [TokenKind; 3] =
        [TokenKind::Access, TokenKind::Refresh, TokenKind::Personal];

    /// Its word in the database, and in introspection unless a service account has it ([`super::bearer::Bearer::kind`]).
    pub fn as_str(&self) -> &'static str {
        match self {
            TokenKind::Access => "access",
            TokenKind::Refresh => "refresh",
            TokenKind::Personal => "pat",
            TokenKind::Decoy => "decoy",
        }
    }

    /// What the secret of such a token says it is.
    pub fn secret_kind(self) -> SecretKind {
        match self {
            TokenKind::Access => SecretKind::AccessToken,
            TokenKind::Refresh => SecretKind::RefreshToken,
            TokenKind::Personal | TokenKind::Decoy => SecretKind::PersonalAccessToken,
        }
    }
}

column!(TokenKind: Text, str as String, |kind| kind.as_str(), |text| {
    TokenKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| format!("unknown token kind {text}").into())
});

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = tokens)]
pub struct Token {
    pub hash: Digest,
    /// The public id, `jti`.
    pub id: Id,
    pub grant_id: Id,
    pub kind: TokenKind,
    pub hint: String,
    /// Narrower than the grant's scope, if it is.
    pub scope: Option<Scope>,
    /// Narrower than the grant's audience, if it is.
    pub audience: Option<Audience>,
    pub created_at: Timestamp,
    /// From this instant on it is expired; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was exchanged for its successor.
    pub spent_at: Option<Timestamp>,
    /// What its successors are derived with.
    pub nonce: Option<Vec<u8>>,
    pub revoked_at: Option<Timestamp>,
    pub revoked_by: Option<String>,
    pub revoke_reason: Option<String>,
    /// The personal access token that this one took over from.
    pub predecessor_id: Option<Id>,
    /// How long a spent personal access token works beside its successor.
    pub overlap_until: Option<Timestamp>,
    /// When a personal access token was first used.
    pub first_used_at: Option<Timestamp>,
}

/// What a new token is to be.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    pub secret: &'a Secret,
    pub grant_id: Id,
    pub kind: TokenKind,
    pub expires_at: Option<Timestamp>,
    pub scope: Option<&'a Scope>,
    pub audience: Option<&'a Audience>,
}

/// How long access and refresh tokens are kept past their end.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether something that ends then is past its end, without leeway. By whole seconds, as `exp` says it: `exp = now` is
/// expired.
pub fn is_expired(end: Option<Timestamp>, now: Timestamp) -> bool {
    end.is_some_and(|end| end.seconds() <= now.seconds())
}

/// Whether the time in which a spent token goes on working is over; it is where there is none.
pub fn is_over(overlap: Option<Timestamp>, now: Timestamp) -> bool {
    overlap.is_none() || is_expired(overlap, now)
}

impl Token {
    /// Remove up to `limit` access and refresh tokens that are over, and the grants of apps that are left with none.
    pub fn purge(tx: &mut Tx, limit: i64) -> QueryResult<usize> {
        let over: Vec<(Digest, Id)> = tokens::table
            .filter(tokens::expires_at.lt(tx.now - KEPT))
            .filter(tokens::kind.ne(TokenKind::Personal))
            .order(tokens::expires_at)
            .limit(limit)
            .select((tokens::hash, tokens::grant_id))
            .load(&mut **tx)?;
        let (hashes, mut grants): (Vec<Digest>, Vec<Id>) = over.into_iter().unzip();
        let removed =
            diesel::delete(tokens::table.filter(tokens::hash.eq_any(hashes))).execute(&mut **tx)?;
        grants.sort_unstable();
        grants.dedup();
        Grant::purge_empty(tx, grants)?;
        Ok(removed)
    }

    /// Keep a token: its digest, and what it opens.
    pub fn issue(tx: &mut Tx, new: NewToken) -> QueryResult<Token> {
        let token = Self::new(new, tx.now);
        Self::insert(tx, std::slice::from_ref(&token))?;
        Ok(token)
    }

    /// Keep a token that was made elsewhere, by its digest.
    pub fn adopt(
        tx: &mut Tx,
        hash: Digest,
        hint: String,
        grant_id: Id,
        kind: TokenKind,
        expires_at: Option<Timestamp>,
    ) -> QueryResult<Id> {
        let (id, now) = (Id::new(tx.now), tx.now);
        let row = TokenRow {
            hash: hash.as_bytes(),
            id: id.as_bytes(),
            grant_id: grant_id.as_bytes(),
            kind: kind.as_str(),
            hint: &hint,
            scope: None,
            audience: None,
            created_at: now,
            expires_at,
        };
        db::insert_tokens(tx, &[row])?;
        Ok(id)
    }

    /// Keep many.
    pub fn issue_all(tx: &mut Tx, new: Vec<NewToken>) -> QueryResult<()> {
        let now = tx.now;
        let tokens: Vec<Token> = new.into_iter().map(|new| Self::new(new, now)).collect();
        Self::insert(tx, &tokens)
    }

    fn new(new: NewToken, now: Timestamp) -> Self {
        Self {
            hash: new.secret.digest(),
            id: Id::new(now),
            grant_id: new.grant_id,
            kind: new.kind,
            hint: new.secret.hint(),
            scope: new.scope.cloned(),
            audience: new.audience.cloned(),
            created_at: now,
            expires_at: new.expires_at,
            spent_at: None,
            nonce: None,
            revoked_at: None,
            revoked_by: None,
            revoke_reason: None,
            predecessor_id: None,
            overlap_until: None,
            first_used_at: None,
        }
    }

    fn insert(conn: &mut Conn, tokens: &[Self]) -> QueryResult<()> {
        let rows: Vec<TokenRow> = tokens
            .iter()
            .map(|token| TokenRow {
                hash: token.hash.as_bytes(),
                id: token.id.as_bytes(),
                grant_id: token.grant_id.as_bytes(),
                kind: token.kind.as_str(),
                hint: &token.hint,
                scope: token.scope.as_ref().map(Scope::as_str),
                audience: token.audience.as_ref().map(Audience::as_str),
                created_at: token.created_at,
                expires_at: token.expires_at,
            })
            .collect();
        db::insert_tokens(conn, &rows)
    }

    /// The token with this digest, good or not.
    pub fn find(conn: &mut Conn, hash: Digest) -> QueryResult<Option<Token>> {
        tokens::table
            .find(hash)
            .select(Token::as_select())
            .get_result(conn)
            .optional()
    }

    /// Whether it is past its end.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        is_expired(self.expires_at, now)
    }

    /// Whether it was spent and still works beside its successor.
    pub fn overlaps(&self, now: Timestamp) -> bool {
        self.spent_at.is_some() && !is_over(self.overlap_until, now) && !self.is_expired(now)
    }

    /// Spend a refresh token, with the nonce of its successor. Of two that try at once, one changes no row.
    pub fn spend(tx: &mut Tx, hash: Digest, nonce: &[u8]) -> QueryResult<bool> {
        let unspent = tokens::table.find(hash).filter(tokens::spent_at.is_null());
        let spent = (tokens::spent_at.eq(tx.now), tokens::nonce.eq(nonce));
        let spend = Prepared(diesel::update(unspent).set(spent));
        spend.execute(&mut **tx).map(|rows| rows == 1)
    }

    /// End this one access token; the grant and its other tokens go on. Whether it had not ended before.
    pub fn revoke(&self, tx: &mut Tx, grant: &Grant, because: &Because) -> QueryResult<bool> {
        let (now, by) = (tx.now, tx.caller.actor.to_string());
        let ended = diesel::update(
            tokens::table
                .find(self.hash)
                .filter(tokens::revoked_at.is_null()),
        )
        .set((
            tokens::revoked_at.eq(now),
            tokens::revoked_by.eq(by),
            tokens::revoke_reason.eq(because.as_str()),
        ))
        .execute(&mut **tx)?;
        if ended == 0 {
            return Ok(false);
        }
        tx.record(
            Event::new(What::AccessTokenRevoked)
                .grant(grant)
                .token(self.id)
                .detail(self.id.to_string()),
        )?;
        Ok(true)
    }
}
