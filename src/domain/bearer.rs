//! A presented token and everything its standing depends on: itself, its grant, its owner, its client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use diesel::NotFound;
use diesel::prelude::*;

use super::authorization_details::{AuthorizationDetails, Detail};
use super::client::Client;
use super::cut_off::CutOffs;
use super::id::Id;
use super::limits::Limits;
use super::registry::Registry;
use super::resource::Catalogue;
use super::secret::Digest;
use super::token::{TokenKind, is_expired, is_over};
use super::user::UserKind;
use super::words::{Audience, Scope};
use crate::clock::Timestamp;
use crate::db::schema::{grants, registry, tokens, users};
use crate::db::{self, Conn};

/// Whoever holds this token. Of each row only what its standing and its description need, for it is read on every
/// request of every resource server.
#[derive(Debug)]
pub struct Bearer {
    pub token: HeldToken,
    pub grant: HeldGrant,
    pub owner: Option<Owner>,
    pub client: Arc<Client>,
    /// Whether all that was issued when it was is over.
    is_cut_off: bool,
}

/// A token, as far as who it is presented to may care.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = tokens)]
pub struct HeldToken {
    pub hash: Digest,
    /// The public id, `jti`.
    pub id: Id,
    pub kind: TokenKind,
    scope: Option<Scope>,
    audience: Option<Audience>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    spent_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    predecessor_id: Option<Id>,
    overlap_until: Option<Timestamp>,
    first_used_at: Option<Timestamp>,
}

/// The grant it is under.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = grants)]
pub struct HeldGrant {
    pub id: Id,
    pub user_id: Option<Id>,
    pub client_id: String,
    scope: Scope,
    pub audience: Audience,
    pub auth_time: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    pending_since: Option<Timestamp>,
    approved_at: Option<Timestamp>,
    pub authorization_details: Option<AuthorizationDetails>,
    #[diesel(embed)]
    pub limits: Limits,
}

/// Whose it is.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Owner {
    pub id: Id,
    pub username: String,
    pub kind: UserKind,
    is_admin: bool,
    disabled_at: Option<Timestamp>,
}

/// What one question says of a presented token: all but its client, which changes rarely and is known otherwise.
type Row = (HeldToken, HeldGrant, Option<Owner>);

/// What is asked of the database about tokens, and whatever else is to come with each row.
macro_rules! question {
    ($($besides:expr)?) => {
        tokens::table
            .inner_join(grants::table.left_join(users::table))
            .select((
                $($besides,)?
                HeldToken::as_select(),
                HeldGrant::as_select(),
                Option::<Owner>::as_select(),
            ))
    };
}

/// Whether a token may be used, and if not, why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Active,
    Expired,
    /// It was exchanged for its successor: a refresh token, or a personal one past the overlap.
    Spent,
    Revoked,
    GrantRevoked,
    /// All that was issued before some later moment was revoked.
    CutOff,
    OwnerDisabled,
    ClientDisabled,
    /// Its time has not come yet.
    Early,
    /// It lay unused for longer than it may.
    Idle,
    /// It may not be used from there.
    Elsewhere,
    /// It waits for an administrator's approval.
    Pending,
    /// It never opened anything.
    Decoy,
}

/// What presenting a token leaves to be noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighting {
    Used,
    /// A personal access token was used that never was before, as far as is known.
    FirstUsed {
        /// Whether it took over from another, whose days are numbered now.
        succeeds: bool,
    },
    /// A personal access token came back after its successor had taken over.
    Reused,
}

impl Bearer {
    /// Look a presented secret up, in a change that depends on it.
    pub fn find(conn: &mut Conn, hash: Digest) -> QueryResult<Option<Bearer>> {
        let Some(row) = rows(conn, &[hash])?.pop() else {
            return Ok(None);
        };
        let client = Client::find(conn, &row.1.client_id)?.ok_or(NotFound)?;
        let cut_offs = CutOffs::load(conn)?;
        Ok(Some(Self::of(row, Arc::new(client), &cut_offs)))
    }

    /// Look many presented secrets up in one go, and see that the registry is as the database has it; those that there are,
    /// by their digests. The question that introspection and our own API begin with.
    pub fn find_all(
        conn: &mut Conn,
        registry: &mut Registry,
        hashes: &[Digest],
    ) -> QueryResult<HashMap<Digest, Arc<Bearer>>> {
        let found = if db::is_far(conn) && !hashes.is_empty() {
            let (version, found) = rows_and_version(conn, hashes)?;
            match version {
                Some(version) => registry.is_at(version),
                None => registry.refresh(conn)?,
            }
            found
        } else {
            registry.refresh(conn)?;
            rows(conn, hashes)?
        };
        let cut_offs = registry.cut_offs(conn)?;
        let bearers = found.into_iter().map(|row| {
            let registered = registry.client(conn, &row.1.client_id)?.ok_or(NotFound)?;
            let bearer = Self::of(row, registered.client.clone(), &cut_offs);
            Ok((bearer.token.hash, Arc::new(bearer)))
        });
        bearers.collect()
    }

    fn of((token, grant, owner): Row, client: Arc<Client>, cut_offs: &CutOffs) -> Self {
        Bearer {
            is_cut_off: cut_offs.end(token.kind, token.created_at),
            token,
            grant,
            owner,
            client,
        }
    }

    /// Whether this token may be used at `now` from `from`, and if not, why not. Only yes or no leaves the server
    /// (RFC 7662 §2.2).
    pub fn standing(&self, now: Timestamp, from: Option<IpAddr>) -> Standing {
        if self.token.kind == TokenKind::Decoy {
            Standing::Decoy
        } else if self.token.revoked_at.is_some() {
            Standing::Revoked
        } else if self.grant.revoked_at.is_some() {
            Standing::GrantRevoked
        } else if self.is_cut_off {
            Standing::CutOff
        } else if self.owner.as_ref().is_some_and(Owner::is_disabled) {
            Standing::OwnerDisabled
        } else if !self.client.is_enabled() {
            Standing::ClientDisabled
        } else if self.token.spent_at.is_some() && is_over(self.token.overlap_until, now) {
            // Before its end: a spent token that comes back is a replay, however late.
            Standing::Spent
        } else if is_expired(self.token.expires_at, now) {
            Standing::Expired
        } else if self.grant.pending_since.is_some() {
            Standing::Pending
        } else if self.grant.limits.is_early(now) {
            Standing::Early
        } else if self.is_idle(now) {
            Standing::Idle
        } else if !self.grant.limits.allow(from) {
            Standing::Elsewhere
        } else {
            Standing::Active
        }
    }

    fn is_idle(&self, now: Timestamp) -> bool {
        let grant = &self.grant;
        let made = Some(self.token.created_at);
        let lies = grant
            .limits
            .idle_end([made, grant.approved_at, grant.last_used_at]);
        lies.is_some_and(|end| end <= now)
    }

    /// Whether this token may be used at `now` from `from`.
    pub fn is_active(&self, now: Timestamp, from: Option<IpAddr>) -> bool {
        self.standing(now, from) == Standing::Active
    }

    /// From when on it is inactive, as far as that is known: its own end, or the end of its overlap with its successor.
    pub fn end(&self) -> Option<Timestamp> {
        let ends = [self.token.expires_at, self.token.overlap_until];
        ends.into_iter().flatten().min()
    }

    /// What presenting it at `now` from `from` leaves to be noted, if anything.
    pub fn sighting(&self, now: Timestamp, from: Option<IpAddr>) -> Option<Sighting> {
        let personal = self.token.kind == TokenKind::Personal;
        match self.standing(now, from) {
            Standing::Active if personal && self.token.first_used_at.is_none() => {
                Some(Sighting::FirstUsed {
                    succeeds: self.token.predecessor_id.is_some(),
                })
            }
            Standing::Active => Some(Sighting::Used),
            Standing::Spent if personal => Some(Sighting::Reused),
            _ => None,
        }
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

    /// What kind of token it is, as introspection says it (`token_kind`): a service account's is no person's.
    pub fn kind(&self) -> &'static str {
        let of_service = |owner: &Owner| owner.kind == UserKind::Service;
        match self.token.kind {
            TokenKind::Personal if self.owner.as_ref().is_some_and(of_service) => "service",
            kind => kind.as_str(),
        }
    }

    /// What of the token's scope its owner may still have: scopes kept for administrators fall away from who is
    /// none any more.
    pub fn rights(&self, catalogue: &Catalogue) -> Scope {
        if self.owner.as_ref().is_none_or(|owner| owner.is_admin) {
            return self.scope();
        }
        let meant = catalogue.within(&self.audience());
        self.scope().only(|word| !meant.reserves(word))
    }

    /// The scope that `caller` is told of, or `None` if the token is none of its business.
    ///
    /// A resource server sees the tokens that are for it, and of their scope what it defines; a client sees its
    /// own tokens whole; one with the right `introspect_any` sees all. A refresh token is its client's alone: a
    /// resource server must never take one for an access token.
    pub fn seen_by(&self, caller: &Client, catalogue: &Catalogue) -> Option<Scope> {
        let rights = self.rights(catalogue);
        if self.is_all_seen_by(caller) {
            return Some(rights);
        }
        let theirs = self.part_of(caller, catalogue);
        (!theirs.is_empty()).then(|| rights.only(|word| theirs.defines(word)))
    }

    /// The authorization details that `caller` is told of (RFC 9396 §9.2): a resource server those of its own types, and
    /// nobody what is no longer defined.
    pub fn details_seen_by(&self, caller: &Client, catalogue: &Catalogue) -> Vec<Detail> {
        let details = self.grant.authorization_details.as_ref();
        let seen = details.map(|details| details.defined_by(&self.part_of(caller, catalogue)));
        seen.unwrap_or_default()
    }

    /// The part of the `catalogue` of which `caller` is told what this token may do there.
    fn part_of(&self, caller: &Client, catalogue: &Catalogue) -> Catalogue {
        let meant = catalogue.within(&self.audience());
        match self.token.kind {
            _ if self.is_all_seen_by(caller) => meant,
            TokenKind::Refresh => Catalogue::default(),
            _ => meant.of_client(&caller.id),
        }
    }

    fn is_all_seen_by(&self, caller: &Client) -> bool {
        let is_shared = self.token.kind != TokenKind::Refresh;
        self.grant.client_id == caller.id || (caller.introspect_any && is_shared)
    }
}

impl HeldToken {
    /// Whether it was exchanged for its successor.
    pub fn is_spent(&self) -> bool {
        self.spent_at.is_some()
    }
}

impl Owner {
    fn is_disabled(&self) -> bool {
        self.disabled_at.is_some()
    }
}

/// The rows of these tokens. Asked on the connection itself: the detour through the enum costs as much as the answer.
fn rows(conn: &mut Conn, hashes: &[Digest]) -> QueryResult<Vec<Row>> {
    let mut found = Vec::with_capacity(hashes.len());
    for hash in hashes {
        let row = either!(conn, |conn| question!()
            .filter(tokens::hash.eq(hash))
            .get_result(conn)
            .optional())?;
        found.extend(row);
    }
    Ok(found)
}

/// The rows of these tokens by one journey to the database, and the registry's version at the same moment, if there is any
/// row to bring it along.
fn rows_and_version(conn: &mut Conn, hashes: &[Digest]) -> QueryResult<(Option<i64>, Vec<Row>)> {
    type Versioned = (Option<i64>, HeldToken, HeldGrant, Option<Owner>);
    let found: Vec<Versioned> = either!(conn, |conn| question!(
        registry::table.select(registry::version).single_value()
    )
    .filter(tokens::hash.eq_any(hashes))
    .load(conn))?;
    let version = found.first().and_then(|row| row.0);
    let rows = found
        .into_iter()
        .map(|(_, token, grant, owner)| (token, grant, owner));
    Ok((version, rows.collect()))
}
