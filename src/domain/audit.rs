//! The audit trail: who did what, to which grant, from where. Written in the transaction that did it.

use diesel::prelude::*;

use super::grant::Grant;
use super::id::Id;
use super::tx::Tx;
use crate::clock::Timestamp;
use crate::db::schema::audit_events;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    UserCreated,
    UserDisabled,
    UserEnabled,
    PasswordChanged,
    SignedIn,
    SignInFailed,
    ClientCreated,
    ClientDisabled,
    ClientEnabled,
    ClientSecretRotated,
    ResourceCreated,
    AppAllowed,
    GrantCreated,
    TokenChanged,
    TokenPurged,
    GrantRevoked,
    AccessTokenRevoked,
    CodeReplayed,
    RefreshTokenReplayed,
    RefreshTokenRevoked,
    TokensRevokedInBulk,
    TokensOfUserRevoked,
    TokensCutOff,
}

impl What {
    pub fn as_str(self) -> &'static str {
        match self {
            What::UserCreated => "user.created",
            What::UserDisabled => "user.disabled",
            What::UserEnabled => "user.enabled",
            What::PasswordChanged => "user.password_changed",
            What::SignedIn => "user.signed_in",
            What::SignInFailed => "user.sign_in_failed",
            What::ClientCreated => "client.created",
            What::ClientDisabled => "client.disabled",
            What::ClientEnabled => "client.enabled",
            What::ClientSecretRotated => "client.secret_rotated",
            What::ResourceCreated => "resource.created",
            What::AppAllowed => "app.allowed",
            What::GrantCreated => "grant.created",
            What::TokenChanged => "token.changed",
            What::TokenPurged => "token.purged",
            What::GrantRevoked => "grant.revoked",
            What::AccessTokenRevoked => "access_token.revoked",
            What::CodeReplayed => "code.replayed",
            What::RefreshTokenReplayed => "refresh_token.replayed",
            What::RefreshTokenRevoked => "refresh_token.revoked",
            What::TokensRevokedInBulk => "tokens.revoked_in_bulk",
            What::TokensOfUserRevoked => "tokens.of_user_revoked",
            What::TokensCutOff => "tokens.cut_off",
        }
    }
}

/// One entry of the trail: what happened, and to whom and what.
#[derive(Debug, Clone)]
pub struct Event {
    pub(super) what: What,
    user_id: Option<Id>,
    client_id: Option<String>,
    grant_id: Option<Id>,
    detail: Option<String>,
}

impl Event {
    pub fn new(what: What) -> Self {
        Self {
            what,
            user_id: None,
            client_id: None,
            grant_id: None,
            detail: None,
        }
    }

    pub fn user(mut self, id: Id) -> Self {
        self.user_id = Some(id);
        self
    }

    pub fn client(mut self, id: &str) -> Self {
        self.client_id = Some(id.to_owned());
        self
    }

    /// About this grant, its owner and its client.
    pub fn grant(mut self, grant: &Grant) -> Self {
        self.user_id = grant.user_id;
        self.client_id = Some(grant.client_id.clone());
        self.grant_id = Some(grant.id);
        self
    }

    /// A few words more. Never a secret.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub(super) fn write(self, tx: &mut Tx) -> QueryResult<()> {
        let row = self.row(tx);
        either!(&mut **tx, |conn| diesel::insert_into(audit_events::table)
            .values(&row)
            .execute(conn)
            .map(drop))
    }

    /// Write many entries by one statement.
    pub(super) fn write_all(events: Vec<Event>, tx: &mut Tx) -> QueryResult<()> {
        let rows: Vec<Row> = events.into_iter().map(|event| event.row(tx)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        either!(&mut **tx, |conn| diesel::insert_into(audit_events::table)
            .values(&rows)
            .execute(conn)
            .map(drop))
    }

    fn row(self, tx: &Tx) -> Row {
        let caller = tx.caller;
        Row {
            id: Id::new(tx.now),
            at: tx.now,
            event: self.what.as_str(),
            actor: caller.actor.to_string(),
            user_id: self.user_id,
            client_id: self.client_id,
            grant_id: self.grant_id,
            detail: self.detail,
            address: caller.address.map(|address| address.to_string()),
            request_id: caller.request_id.map(|id| id.to_string()),
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
struct Row {
    id: Id,
    at: Timestamp,
    event: &'static str,
    actor: String,
    user_id: Option<Id>,
    client_id: Option<String>,
    grant_id: Option<Id>,
    detail: Option<String>,
    address: Option<String>,
    request_id: Option<String>,
}
