//! What is done when tokens may be in the wrong hands: many are ended at once, those that a filter finds or all of one
//! person. (Everybody's are ended by a [`super::cut_off::CutOff`].)

use diesel::prelude::*;

use super::audit::{Event, What};
use super::authorization_request::AuthorizationRequest;
use super::grant::{Because, Grant, Origin};
use super::id::Id;
use super::personal_token::PersonalToken;
use super::personal_token::filter::{Filter, Search};
use super::secret::Digest;
use super::token::TokenKind;
use super::tx::Tx;
use crate::clock::Timestamp;
use crate::db;
use crate::db::schema::{grants, tokens};

/// How many are ended in one transaction: others wait for its locks.
pub const BATCH: usize = 500;

/// The personal tokens that an incident is about: those that a filter fits and that work, or will, of those that there are now. One
/// that is made afterwards is none of them.
pub fn search(filter: Filter, now: Timestamp) -> Search {
    let made_by_now = now + std::time::Duration::from_millis(1);
    let before = filter
        .created_before
        .map_or(made_by_now, |before| before.min(made_by_now));
    let filter = Filter {
        live: true,
        created_before: Some(before),
        ..filter
    };
    Search::of(filter, BATCH)
}

/// Say in the audit trail that this many tokens, which fit this filter, are going to be ended. Each that is has an entry
/// of its own.
pub fn announce(tx: &mut Tx, filter: &Filter, count: i64, reason: Option<&str>) -> QueryResult<()> {
    let mut words: Vec<String> = filter
        .pairs()
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if let Some(ids) = &filter.ids {
        words.push(format!("{} ids", ids.len()));
    }
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    let detail = format!("{count} tokens with {}{reason}", words.join(" "));
    tx.record(Event::new(What::TokensRevokedInBulk).detail(detail))
}

/// End the personal tokens of these grants; how many were live.
pub fn end(tx: &mut Tx, grants: &[Id], because: &Because) -> QueryResult<usize> {
    let by = tx.caller.actor.to_string();
    Grant::revoke_all(tx, grants, &by, because)
}

/// Which of a person's tokens are to end.
#[derive(Debug, Clone)]
pub struct OfUser {
    pub kinds: Vec<TokenKind>,
    /// Only what was issued before then; `None` for all.
    pub issued_before: Option<Timestamp>,
    pub reason: Option<String>,
}

/// How many tokens of a person were live, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ended {
    pub personal: usize,
    pub access: usize,
    pub refresh: usize,
}

#[derive(Queryable)]
struct Row {
    hash: Digest,
    id: Id,
    kind: TokenKind,
    grant: Id,
    spent_at: Option<Timestamp>,
}

impl OfUser {
    /// How many live tokens that would be.
    pub fn count(&self, conn: &mut db::Conn, user: Id, now: Timestamp) -> QueryResult<Ended> {
        Ok(count(&self.rows(conn, user, now)?))
    }

    /// End them, and forget what `user` has allowed and no app has redeemed yet. Apps stay connected: they can ask again.
    pub fn end(&self, tx: &mut Tx, user: Id) -> QueryResult<Ended> {
        db::hold_user(tx, user.as_bytes())?;
        let now = tx.now;
        let rows = self.rows(tx, user, now)?;
        let because = Because::Asked(self.reason.clone());
        let personal = rows.iter().filter(|row| row.kind == TokenKind::Personal);
        let (rotated, current): (Vec<&Row>, Vec<&Row>) =
            personal.partition(|row| row.spent_at.is_some());
        let mut grants: Vec<Id> = current.iter().map(|row| row.grant).collect();
        grants.sort_unstable();
        for batch in grants.chunks(BATCH) {
            end(tx, batch, &because)?;
        }
        // What works beside a younger successor ends alone.
        for row in rotated {
            if let Some(old) = PersonalToken::find(tx, row.id)? {
                old.give_back(tx, &because)?;
            }
        }
        let of_apps = [TokenKind::Access, TokenKind::Refresh];
        if of_apps.iter().any(|kind| self.kinds.contains(kind)) {
            AuthorizationRequest::forget_unredeemed(tx, user, None)?;
        }
        let all_of_apps = of_apps.iter().all(|kind| self.kinds.contains(kind));
        if all_of_apps && self.issued_before.is_none() {
            for batch in self.grants_of_apps(tx, user)?.chunks(BATCH) {
                end(tx, batch, &because)?;
            }
        } else {
            let of_apps = rows.iter().filter(|row| row.kind != TokenKind::Personal);
            let of_apps: Vec<&Row> = of_apps.collect();
            for batch in of_apps.chunks(BATCH) {
                end_tokens(tx, user, batch, &because)?;
            }
        }
        let ended = count(&rows);
        let detail = format!(
            "{} personal, {} access, {} refresh tokens{}",
            ended.personal,
            ended.access,
            ended.refresh,
            self.reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(": {reason}")),
        );
        tx.record(
            Event::new(What::TokensOfUserRevoked)
                .user(user)
                .detail(detail),
        )?;
        Ok(ended)
    }

    /// The tokens that are not over, and spent refresh tokens too: for a moment they could still be exchanged again.
    fn rows(&self, conn: &mut db::Conn, user: Id, now: Timestamp) -> QueryResult<Vec<Row>> {
        let next_second = Timestamp::from_millis((now.seconds() + 1) * 1000);
        let mut query = tokens::table
            .inner_join(grants::table)
            .filter(grants::user_id.eq(user))
            .filter(grants::revoked_at.is_null())
            .filter(tokens::revoked_at.is_null())
            .filter(tokens::kind.eq_any(self.kinds.clone()))
            .filter(
                tokens::expires_at
                    .is_null()
                    .or(tokens::expires_at.ge(next_second)),
            )
            .order(tokens::id)
            .select((
                tokens::hash,
                tokens::id,
                tokens::kind,
                tokens::grant_id,
                tokens::spent_at,
            ))
            .into_boxed();
        if let Some(before) = self.issued_before {
            query = query.filter(tokens::created_at.lt(before));
        }
        query.load(conn)
    }

    fn grants_of_apps(&self, tx: &mut Tx, user: Id) -> QueryResult<Vec<Id>> {
        grants::table
            .filter(grants::user_id.eq(user))
            .filter(grants::origin.ne(Origin::Personal))
            .filter(grants::revoked_at.is_null())
            .order(grants::id)
            .select(grants::id)
            .load(&mut **tx)
    }
}

fn count(rows: &[Row]) -> Ended {
    let of = |kind| {
        let live = rows
            .iter()
            .filter(|row| row.kind == kind && row.spent_at.is_none());
        live.count()
    };
    Ended {
        personal: of(TokenKind::Personal),
        access: of(TokenKind::Access),
        refresh: of(TokenKind::Refresh),
    }
}

/// End these tokens of apps, each by itself: their grants may have others.
fn end_tokens(tx: &mut Tx, user: Id, rows: &[&Row], because: &Because) -> QueryResult<()> {
    let (now, by) = (tx.now, tx.caller.actor.to_string());
    let hashes: Vec<Digest> = rows.iter().map(|row| row.hash).collect();
    diesel::update(tokens::table.filter(tokens::hash.eq_any(hashes)))
        .set((
            tokens::revoked_at.eq(now),
            tokens::revoked_by.eq(by),
            tokens::revoke_reason.eq(because.as_str()),
        ))
        .execute(&mut **tx)?;
    let events = rows.iter().map(|row| {
        let what = match row.kind {
            TokenKind::Refresh => What::RefreshTokenRevoked,
            _ => What::AccessTokenRevoked,
        };
        Event::new(what).user(user).detail(row.id.to_string())
    });
    tx.record_all(events.collect())
}
