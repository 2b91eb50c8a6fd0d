//! Grants: what somebody lets a client do. An allowed app, a service's own access and a personal access token are
//! each one; ending it ends every token under it.

use std::collections::HashMap;
use std::net::IpAddr;

use diesel::deserialize::FromSqlRow;
use diesel::dsl::{exists, not};
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::audit::{Event, What};
use super::authorization_details::AuthorizationDetails;
use super::id::Id;
use super::limits::Limits;
use super::token::TokenKind;
use super::tx::Tx;
use super::words::{Audience, Scope};
use crate::clock::Timestamp;
use crate::db::column::column;
use crate::db::schema::{grants, tokens};
use crate::db::{self, Conn, GrantUse};

/// How a grant came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum Origin {
    /// A person let an app in (RFC 6749 §4.1).
    AuthorizationCode,
    /// A service acts for itself (RFC 6749 §4.4).
    ClientCredentials,
    /// A person made a token for their own use.
    Personal,
    /// An administrator laid out a decoy.
    Decoy,
}

impl Origin {
    pub fn as_str(&self) -> &'static str {
        match self {
            Origin::AuthorizationCode => "authorization_code",
            Origin::ClientCredentials => "client_credentials",
            Origin::Personal => "personal",
            Origin::Decoy => "decoy",
        }
    }
}

column!(Origin: Text, str as String, |origin| origin.as_str(), |text| {
    [Origin::AuthorizationCode, Origin::ClientCredentials, Origin::Personal, Origin::Decoy]
        .into_iter()
        .find(|origin| origin.as_str() == text)
        .ok_or_else(|| format!("unknown origin {text}").into())
});

/// By which door a grant was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    Page,
    Api,
    CommandLine,
    /// The token endpoint.
    OAuth,
    /// From another system.
    Import,
}

impl Via {
    fn as_str(self) -> &'static str {
        match self {
            Via::Page => "page",
            Via::Api => "api",
            Via::CommandLine => "cli",
            Via::OAuth => "oauth",
            Via::Import => "import",
        }
    }
}

/// Why a grant ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// Somebody who may revoked it, in their own words if they gave any.
    Asked(Option<String>),
    /// The client gave it back (RFC 7009).
    ClientRevoked,
    /// Whoever held the token gave it back (RFC 7009, personal access tokens).
    HolderRevoked,
    Disconnected,
    PasswordChanged,
    /// Its authorization code was presented twice (RFC 6749 §4.1.2).
    CodeReplayed,
    /// A spent refresh token was presented again (RFC 9700 §4.14.2).
    RefreshTokenReplayed,
    /// A personal access token was presented after its successor had taken over.
    Reused,
    /// One of its tokens was seen where it should not be.
    Leaked,
}

impl Because {
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Because::Asked(words) => words.as_deref(),
            Because::ClientRevoked => Some("revoked by the app"),
            Because::HolderRevoked => Some("revoked by its holder"),
            Because::Disconnected => Some("app disconnected"),
            Because::PasswordChanged => Some("password changed"),
            Because::CodeReplayed => Some("authorization code replayed"),
            Because::RefreshTokenReplayed => Some("refresh token replayed"),
            Because::Reused => Some("used after it was rotated"),
            Because::Leaked => Some("reported as leaked"),
        }
    }
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = grants)]
pub struct Grant {
    pub id: Id,
    /// Whose it is; `None` for a service that acts for itself.
    pub user_id: Option<Id>,
    pub client_id: String,
    pub origin: Origin,
    pub scope: Scope,
    pub audience: Audience,
    pub name: Option<String>,
    pub description: Option<String>,
    pub created_at: Timestamp,
    pub created_by: String,
    pub created_via: String,
    pub created_from: Option<String>,
    /// When the person last proved who they are, at the time of the grant.
    pub auth_time: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub last_used_from: Option<String>,
    pub revoked_at: Option<Timestamp>,
    pub revoked_by: Option<String>,
    pub revoke_reason: Option<String>,
    /// Since when it waits for an administrator's approval, and what its owner says it is for.
    pub pending_since: Option<Timestamp>,
    pub request_reason: Option<String>,
    pub approved_at: Option<Timestamp>,
    pub authorization_details: Option<AuthorizationDetails>,
    #[diesel(embed)]
    pub limits: Limits,
}

/// What a service may do for itself.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = grants)]
pub struct ServiceGrant {
    pub id: Id,
    pub client_id: String,
    pub scope: Scope,
    pub audience: Audience,
}

/// What a new grant is to be.
#[derive(Debug, Clone)]
pub struct NewGrant<'a> {
    pub user_id: Option<Id>,
    pub client_id: &'a str,
    pub origin: Origin,
    pub scope: &'a Scope,
    pub audience: &'a Audience,
    pub authorization_details: Option<&'a AuthorizationDetails>,
    pub name: Option<&'a str>,
    pub description: Option<&'a str>,
    pub via: Via,
    pub auth_time: Option<Timestamp>,
    pub limits: &'a Limits,
    /// What it is for, if it has to wait for an administrator's approval.
    pub held_back: Option<&'a str>,
}

impl Grant {
    /// Make a grant, and record that it was made, unless it is for a personal access token.
    pub fn create(tx: &mut Tx, new: NewGrant) -> QueryResult<Grant> {
        let (now, caller) = (tx.now, tx.caller);
        let id = Id::new(now);
        diesel::insert_into(grants::table)
            .values((
                grants::id.eq(id),
                grants::user_id.eq(new.user_id),
                grants::client_id.eq(new.client_id),
                grants::origin.eq(new.origin),
                grants::scope.eq(new.scope),
                grants::audience.eq(new.audience),
                grants::name.eq(new.name),
                grants::description.eq(new.description),
                grants::created_at.eq(now),
                grants::created_by.eq(caller.actor.to_string()),
                grants::created_via.eq(new.via.as_str()),
                grants::created_from.eq(caller.address.map(|address| address.to_string())),
                grants::auth_time.eq(new.auth_time),
                new.limits,
                grants::pending_since.eq(new.held_back.map(|_| now)),
                grants::request_reason.eq(new.held_back),
                grants::authorization_details.eq(new.authorization_details),
            ))
            .execute(&mut **tx)?;
        let grant: Grant = grants::table
            .find(id)
            .select(Grant::as_select())
            .get_result(&mut **tx)?;
        // A personal access token is recorded as itself, once it is there.
        if grant.origin != Origin::Personal {
            let event = Event::new(What::GrantCreated).grant(&grant);
            tx.record(match new.authorization_details {
                Some(details) => event.detail(details.types().as_str()),
                None => event,
            })?;
        }
        Ok(grant)
    }

    /// Its authorization details, each in a line.
    pub fn details_in_lines(&self) -> Vec<String> {
        let details = self.authorization_details.as_ref();
        details.map(AuthorizationDetails::brief).unwrap_or_default()
    }

    /// The grant of this id, live or not.
    pub fn find(conn: &mut Conn, id: Id) -> QueryResult<Option<Grant>> {
        grants::table
            .find(id)
            .select(Grant::as_select())
            .get_result(conn)
            .optional()
    }

    /// The live grants of these services to themselves, the first made first: a service's next token comes under one of
    /// them, if it is for just that scope and audience.
    pub fn of_services(conn: &mut Conn, clients: &[&str]) -> QueryResult<Vec<ServiceGrant>> {
        either!(conn, |conn| grants::table
            .filter(grants::user_id.is_null())
            .filter(grants::client_id.eq_any(clients))
            .filter(grants::origin.eq(Origin::ClientCredentials))
            .filter(grants::revoked_at.is_null())
            .order(grants::id)
            .select(ServiceGrant::as_select())
            .load(conn))
    }

    /// End a grant and so every token under it, at once and for ever. A second time changes nothing.
    pub fn revoke(&self, tx: &mut Tx, because: &Because) -> QueryResult<()> {
        self.end(tx, because).map(drop)
    }

    /// [`Grant::revoke`], for who has to know whether it had not ended before.
    pub fn end(&self, tx: &mut Tx, because: &Because) -> QueryResult<bool> {
        let (now, by) = (tx.now, tx.caller.actor.to_string());
        let ended = diesel::update(
            grants::table
                .find(self.id)
                .filter(grants::revoked_at.is_null()),
        )
        .set((
            grants::revoked_at.eq(now),
            grants::revoked_by.eq(by),
            grants::revoke_reason.eq(because.as_str()),
        ))
        .execute(&mut **tx)?;
        if ended == 0 {
            return Ok(false);
        }
        let token = self.newest_personal_token(tx)?;
        tx.record(self.ended(token, because))?;
        Ok(true)
    }

    /// End many grants as [`Grant::revoke`] ends one, by a few statements; how many had not ended yet. `by` is kept with
    /// them as who did it.
    pub fn revoke_all(tx: &mut Tx, ids: &[Id], by: &str, because: &Because) -> QueryResult<usize> {
        let keys: Vec<&[u8]> = ids.iter().map(Id::as_bytes).collect();
        db::hold_grants(tx, &keys)?;
        let live: Vec<Grant> = grants::table
            .filter(grants::id.eq_any(ids))
            .filter(grants::revoked_at.is_null())
            .order(grants::id)
            .select(Grant::as_select())
            .load(&mut **tx)?;
        let (now, ids): (_, Vec<Id>) = (tx.now, live.iter().map(|grant| grant.id).collect());
        diesel::update(grants::table.filter(grants::id.eq_any(&ids)))
            .set((
                grants::revoked_at.eq(now),
                grants::revoked_by.eq(by),
                grants::revoke_reason.eq(because.as_str()),
            ))
            .execute(&mut **tx)?;
        let personal: HashMap<Id, Id> = tokens::table
            .filter(tokens::grant_id.eq_any(&ids))
            .filter(tokens::kind.eq(TokenKind::Personal))
            .order(tokens::id)
            .select((tokens::grant_id, tokens::id))
            .load(&mut **tx)?
            .into_iter()
            .collect();
        let ended = live
            .iter()
            .map(|grant| grant.ended(personal.get(&grant.id).copied(), because));
        tx.record_all(ended.collect())?;
        Ok(live.len())
    }

    /// What is recorded of its end: as that of its personal access token, if it has one.
    fn ended(&self, token: Option<Id>, because: &Because) -> Event {
        let event = match token {
            Some(token) => Event::new(What::TokenRevoked).token(token),
            None => Event::new(What::GrantRevoked),
        };
        let event = event.grant(self);
        match because.as_str() {
            Some(words) => event.detail(words),
            None => event,
        }
    }

    /// The public id of the personal access token under this grant, the newest if there were several.
    fn newest_personal_token(&self, conn: &mut Conn) -> QueryResult<Option<Id>> {
        if self.origin != Origin::Personal {
            return Ok(None);
        }
        tokens::table
            .filter(tokens::grant_id.eq(self.id))
            .order(tokens::id.desc())
            .select(tokens::id)
            .first(conn)
            .optional()
    }

    /// End all that a person has let one app do.
    pub fn revoke_app(tx: &mut Tx, user: Id, client: &str, because: &Because) -> QueryResult<()> {
        let grants = Self::live_of(tx, user)?;
        let of_app = grants.iter().filter(|grant| grant.client_id == client);
        of_app
            .into_iter()
            .try_for_each(|grant| grant.revoke(tx, because))
    }

    /// End all that a person has let any app do. Their personal access tokens stay.
    pub fn revoke_apps_of(tx: &mut Tx, user: Id, because: &Because) -> QueryResult<()> {
        let grants = Self::live_of(tx, user)?;
        let of_apps = grants
            .iter()
            .filter(|grant| grant.origin != Origin::Personal);
        of_apps
            .into_iter()
            .try_for_each(|grant| grant.revoke(tx, because))
    }

    fn live_of(conn: &mut Conn, user: Id) -> QueryResult<Vec<Grant>> {
        grants::table
            .filter(grants::user_id.eq(user))
            .filter(grants::revoked_at.is_null())
            // In the order in which everybody changes several.
            .order(grants::id)
            .select(Grant::as_select())
            .load(conn)
    }

    /// Remove those of these grants that have no token any more. A service's own grant stays, since its next token comes
    /// under it.
    pub fn purge_empty(tx: &mut Tx, ids: Vec<Id>) -> QueryResult<usize> {
        // Asked of each grant, not of its tokens: a service's may have a million.
        let held = tokens::table.filter(tokens::grant_id.eq(grants::id));
        let of_apps = grants::table
            .filter(grants::id.eq_any(ids))
            .filter(grants::origin.eq(Origin::AuthorizationCode))
            .filter(not(exists(held)));
        diesel::delete(of_apps).execute(&mut **tx)
    }

    /// Note that tokens under these grants were used, when, and from where if that is known. A node may be late with its
    /// notes: a later use that another has written stays.
    pub fn note_uses(tx: &mut Tx, uses: &[(Id, Timestamp, Option<IpAddr>)]) -> QueryResult<()> {
        let places: Vec<Option<String>> = uses
            .iter()
            .map(|(_, _, from)| from.map(|from| from.to_string()))
            .collect();
        let uses: Vec<GrantUse> = uses
            .iter()
            .zip(&places)
            .map(|((id, at, _), place)| GrantUse {
                grant_id: id.as_bytes(),
                at: *at,
                from: place.as_deref(),
            })
            .collect();
        db::note_uses(tx, &uses)
    }
}
