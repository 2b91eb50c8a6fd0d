//! "Nothing that was issued before this moment counts": how all tokens of everybody are ended at once, by one row. Whatever
//! looks at a token knows the row from then on; who the personal ones belonged to sees it in their rows a little later.

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::audit::{Event, What};
use super::authorization_request::AuthorizationRequest;
use super::grant::{Because, Grant, Origin};
use super::id::Id;
use super::personal_token::PersonalToken;
use super::token::{Token, TokenKind};
use super::tx::{Rx, Tx};
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::db::schema::{cut_offs, grants, tokens};

/// A moment before which no token of a kind was issued that is still good, and whose word that was.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = cut_offs)]
pub struct CutOff {
    id: Id,
    kind: TokenKind,
    pub issued_before: Timestamp,
    pub created_at: Timestamp,
    pub created_by: String,
    pub reason: Option<String>,
    /// The last grant in whose row it is written: when that was made, and its id.
    reached_at: Option<Timestamp>,
    reached_id: Option<Id>,
}

/// All that there are: the latest moment of each kind.
#[derive(Debug, Clone, Default)]
pub struct CutOffs(Vec<CutOff>);

impl CutOffs {
    /// As they are now.
    pub fn load(conn: &mut Conn) -> QueryResult<Self> {
        let all: Vec<CutOff> = cut_offs::table
            .order(cut_offs::issued_before.desc())
            .select(CutOff::as_select())
            .load(conn)?;
        let latest = TokenKind::ALL
            .into_iter()
            .filter_map(|kind| all.iter().find(|cut_off| cut_off.kind == kind));
        Ok(Self(latest.cloned().collect()))
    }

    /// The moment before which no token of this kind was issued that still counts.
    pub fn of(&self, kind: TokenKind) -> Option<Timestamp> {
        self.0
            .iter()
            .find(|cut_off| cut_off.kind == kind)
            .map(|cut_off| cut_off.issued_before)
    }

    /// Whether a token of this kind that was issued then is over.
    pub fn end(&self, kind: TokenKind, issued: Timestamp) -> bool {
        self.of(kind).is_some_and(|moment| issued < moment)
    }

    /// Personal tokens as they are found in their rows, but for what is over and not written there yet.
    pub fn shown(conn: &mut Conn, rows: Vec<(Token, Grant)>) -> QueryResult<Vec<PersonalToken>> {
        let cut_offs = Self::load(conn)?;
        let shown = rows.into_iter().map(|row| {
            let mut found = PersonalToken::from(row);
            cut_offs.show_in(&mut found);
            found
        });
        Ok(shown.collect())
    }

    /// Show a personal token that is over as it will be when that is written in its row.
    pub fn show_in(&self, found: &mut PersonalToken) {
        let (token, grant) = (&found.token, &mut found.grant);
        let cut_off = self.0.iter().find(|cut_off| cut_off.kind == token.kind);
        let ended = cut_off.filter(|cut_off| token.created_at < cut_off.issued_before);
        if let Some(cut_off) = ended.filter(|_| grant.revoked_at.is_none()) {
            grant.revoked_at = Some(cut_off.created_at);
            grant.revoked_by = Some(cut_off.created_by.clone());
            grant.revoke_reason = cut_off.because().as_str().map(str::to_owned);
        }
    }
}

/// What would not count any more: grants that are not revoked and were made before then, each of which somebody would have
/// to renew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Affected {
    pub personal: i64,
    pub apps: i64,
    pub services: i64,
}

impl Affected {
    pub fn all(&self) -> i64 {
        self.personal + self.apps + self.services
    }

    /// Count them. This looks at every grant there is.
    pub fn count(
        rx: &mut Rx,
        kinds: &[TokenKind],
        issued_before: Timestamp,
    ) -> QueryResult<Affected> {
        let found: Vec<(Origin, i64)> = grants::table
            .filter(grants::revoked_at.is_null())
            .filter(grants::created_at.lt(issued_before))
            .group_by(grants::origin)
            .select((grants::origin, count_star()))
            .load(&mut **rx)?;
        let mut affected = Affected::default();
        let personal = kinds.contains(&TokenKind::Personal);
        let others = kinds.iter().any(|kind| *kind != TokenKind::Personal);
        for (origin, count) in found {
            match origin {
                Origin::Personal if personal => affected.personal = count,
                Origin::AuthorizationCode if others => affected.apps = count,
                Origin::ClientCredentials if others => affected.services = count,
                _ => {}
            }
        }
        Ok(affected)
    }
}

impl CutOff {
    /// From the commit on, no token of these kinds that was issued before then is good, and no code that was given before
    /// then becomes one.
    pub fn make(
        tx: &mut Tx,
        kinds: &[TokenKind],
        issued_before: Timestamp,
        reason: Option<&str>,
        affected: Affected,
    ) -> QueryResult<()> {
        let (now, by) = (tx.now, tx.caller.actor.to_string());
        for kind in kinds {
            // Tokens of apps end by themselves, and are removed then; only personal ones have anybody who looks at the row.
            let finished = (*kind != TokenKind::Personal).then_some(now);
            diesel::insert_into(cut_offs::table)
                .values((
                    cut_offs::id.eq(Id::new(now)),
                    cut_offs::kind.eq(*kind),
                    cut_offs::issued_before.eq(issued_before),
                    cut_offs::created_at.eq(now),
                    cut_offs::created_by.eq(&by),
                    cut_offs::reason.eq(reason),
                    cut_offs::finished_at.eq(finished),
                ))
                .execute(&mut **tx)?;
        }
        if kinds.iter().any(|kind| *kind != TokenKind::Personal) {
            AuthorizationRequest::forget_all_unredeemed(tx, issued_before)?;
        }
        let words: Vec<&str> = kinds.iter().map(TokenKind::as_str).collect();
        let detail = format!(
            "{} issued before {}, of {} grants{}",
            words.join(" "),
            issued_before.to_rfc3339(),
            affected.all(),
            reason.map_or_else(String::new, |reason| format!(": {reason}")),
        );
        tx.record(Event::new(What::TokensCutOff).detail(detail))
    }

    /// Write what is cut off into the rows of up to `limit` grants more, with a record of each; how many were looked at.
    pub fn write_rows(tx: &mut Tx, limit: i64) -> QueryResult<usize> {
        let unfinished: Option<CutOff> = cut_offs::table
            .filter(cut_offs::finished_at.is_null())
            .order(cut_offs::id)
            .select(CutOff::as_select())
            .first(&mut **tx)
            .optional()?;
        let Some(cut_off) = unfinished else {
            return Ok(0);
        };
        // In the order of their making, so that it goes on where it was.
        let mut next = grants::table
            .filter(grants::name.is_not_null())
            .filter(grants::created_at.lt(cut_off.issued_before))
            .order((grants::created_at, grants::id))
            .limit(limit)
            .select((grants::id, grants::created_at))
            .into_boxed();
        if let Some((at, id)) = cut_off.reached_at.zip(cut_off.reached_id) {
            let later = grants::created_at.gt(at).or(grants::id.gt(id));
            next = next.filter(grants::created_at.ge(at)).filter(later);
        }
        let next: Vec<(Id, Timestamp)> = next.load(&mut **tx)?;
        let ids: Vec<Id> = next.iter().map(|(id, _)| *id).collect();
        // What was rotated since has a token that counts.
        let over: Vec<Id> = tokens::table
            .filter(tokens::grant_id.eq_any(ids))
            .filter(tokens::spent_at.is_null())
            .filter(tokens::created_at.lt(cut_off.issued_before))
            .select(tokens::grant_id)
            .load(&mut **tx)?;
        Grant::revoke_all(tx, &over, &cut_off.created_by, &cut_off.because())?;
        let now = tx.now;
        let row = diesel::update(cut_offs::table.find(cut_off.id));
        match next.last() {
            Some((id, at)) if next.len() as i64 == limit => row
                .set((cut_offs::reached_at.eq(*at), cut_offs::reached_id.eq(*id)))
                .execute(&mut **tx)?,
            _ => row.set(cut_offs::finished_at.eq(now)).execute(&mut **tx)?,
        };
        Ok(next.len())
    }

    fn because(&self) -> Because {
        let all = format!(
            "everything issued before {} was revoked",
            self.issued_before.to_rfc3339()
        );
        Because::Asked(Some(match &self.reason {
            Some(reason) => format!("{all}: {reason}"),
            None => all,
        }))
    }
}
