//! The audit trail: who did what, to which grant, from where. Written in the transaction that did it.

use diesel::prelude::*;

use super::grant::Grant;
use super::id::Id;
use super::tx::Tx;
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
    TokenLeaked,
    ClientSecretLeaked,
    TokenIdentified,
    DecoyRemoved,
    DecoyUsed,
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
            What::TokenLeaked => "token.leaked",
            What::ClientSecretLeaked => "client.secret_leaked",
            What::TokenIdentified => "token.identified",
            What::DecoyRemoved => "decoy.removed",
            What::DecoyUsed => "decoy.used",
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
        let caller = tx.caller;
        let now = tx.now;
        diesel::insert_into(audit_events::table)
            .values((
                audit_events::id.eq(Id::new(now)),
                audit_events::at.eq(now),
                audit_events::event.eq(self.what.as_str()),
                audit_events::actor.eq(caller.actor.to_string()),
                audit_events::user_id.eq(self.user_id),
                audit_events::client_id.eq(self.client_id),
                audit_events::grant_id.eq(self.grant_id),
                audit_events::detail.eq(self.detail),
                audit_events::address.eq(caller.address.map(|a| a.to_string())),
                audit_events::request_id.eq(caller.request_id.map(|id| id.to_string())),
            ))
            .execute(&mut **tx)
            .map(drop)
    }
}
