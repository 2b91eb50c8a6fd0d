//! Decoy tokens: they look like personal access tokens and open nothing, and whoever tries one gives away that they have
//! been where they should not be.

use std::time::Duration;

use diesel::NotFound;
use diesel::prelude::*;

use super::audit::{Event, What};
use super::grant::{Grant, NewGrant, Origin, Via};
use super::id::Id;
use super::limits::Limits;
use super::personal_token::{Problem, checked_name};
use super::secret::{Secret, SecretKind};
use super::token::{NewToken, Token, TokenKind};
use super::tx::Tx;
use super::words::{Audience, Scope};
use crate::db::Conn;
use crate::db::schema::{grants, tokens};

/// The client that every decoy belongs to.
const DECOY_TOKEN: &str = "decoy-token";

/// One decoy raises no more than one alarm in this time.
pub const QUIET: Duration = Duration::from_secs(60);

/// A decoy. When it last raised an alarm is its grant's last use.
#[derive(Debug, Clone)]
pub struct Decoy {
    pub token: Token,
    pub grant: Grant,
}

impl Decoy {
    /// What those who lay it out call it, such as where it lies.
    pub fn name(&self) -> &str {
        self.grant.name.as_deref().unwrap_or_default()
    }

    /// Make a decoy. Its secret is in this answer and nowhere else.
    pub fn create(tx: &mut Tx, name: &str, via: Via) -> Result<(Decoy, Secret), Problem> {
        let name = checked_name(name)?;
        let grant = Grant::create(
            tx,
            NewGrant {
                user_id: None,
                client_id: DECOY_TOKEN,
                origin: Origin::Decoy,
                scope: &Scope::default(),
                audience: &Audience::default(),
                authorization_details: None,
                name: Some(&name),
                description: None,
                via,
                auth_time: None,
                limits: &Limits::default(),
                held_back: None,
            },
        )?;
        let secret = tx.policy.brands.mint(SecretKind::PersonalAccessToken);
        let token = Token::issue(
            tx,
            NewToken {
                secret: &secret,
                grant_id: grant.id,
                kind: TokenKind::Decoy,
                expires_at: None,
                scope: None,
                audience: None,
            },
        )?;
        Ok((Decoy { token, grant }, secret))
    }

    /// All that are laid out, newest first.
    pub fn all(conn: &mut Conn) -> QueryResult<Vec<Decoy>> {
        let found: Vec<(Token, Grant)> = tokens::table
            .inner_join(grants::table)
            .filter(grants::client_id.eq(DECOY_TOKEN))
            .order(grants::id.desc())
            .select((Token::as_select(), Grant::as_select()))
            .load(conn)?;
        let decoys = found.into_iter();
        Ok(decoys
            .map(|(token, grant)| Decoy { token, grant })
            .collect())
    }

    /// The decoy of this public id.
    pub fn find(conn: &mut Conn, id: Id) -> QueryResult<Option<Decoy>> {
        let found: Option<(Token, Grant)> = tokens::table
            .inner_join(grants::table)
            .filter(tokens::id.eq(id))
            .filter(grants::client_id.eq(DECOY_TOKEN))
            .select((Token::as_select(), Grant::as_select()))
            .get_result(conn)
            .optional()?;
        Ok(found.map(|(token, grant)| Decoy { token, grant }))
    }

    /// Forget it: from now on it is a token that nobody knows.
    pub fn remove(&self, tx: &mut Tx) -> QueryResult<()> {
        // Its token goes with it.
        let removed = diesel::delete(grants::table.find(self.grant.id)).execute(&mut **tx)?;
        if removed == 0 {
            return Ok(());
        }
        let event = Event::new(What::DecoyRemoved).grant(&self.grant);
        tx.record(event.detail(self.name()))
    }

    /// The caller has presented the decoy under this grant: raise the alarm, unless it was raised a moment ago. Of many that
    /// see it at once, on whatever node, one changes the row.
    pub fn used(tx: &mut Tx, grant: Id, place: &str) -> QueryResult<()> {
        let now = tx.now;
        let from = tx.caller.address.map(|address| address.to_string());
        let quiet = grants::last_used_at
            .is_null()
            .or(grants::last_used_at.le(now - QUIET));
        let raised = diesel::update(grants::table.find(grant).filter(quiet))
            .set((
                grants::last_used_at.eq(now),
                grants::last_used_from.eq(&from),
            ))
            .execute(&mut **tx)?;
        if raised == 0 {
            return Ok(());
        }
        let grant = Grant::find(tx, grant)?.ok_or(NotFound)?;
        let name = grant.name.clone().unwrap_or_default();
        let from = from.as_deref().unwrap_or("an unknown address");
        tracing::warn!(decoy = name, place, from, "a decoy token was used");
        tx.record(
            Event::new(What::DecoyUsed)
                .grant(&grant)
                .detail(format!("{name}: {place}")),
        )
    }
}
