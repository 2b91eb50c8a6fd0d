//! Clients: apps, services, and resource servers when they ask about tokens (RFC 6749 §2).

use std::time::Duration;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::audit::{Event, What};
use super::id::Id;
use super::redirect_uri::RedirectUri;
use super::secret::{Digest, Secret, SecretKind};
use super::tx::{Rx, Tx};
use super::words::{DetailsTypes, Scope};
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::db::column::column;
use crate::db::schema::{client_secrets, clients};

/// The client that every personal access token belongs to. It is public, and disabling it switches them all off.
pub const PERSONAL_ACCESS_TOKEN: &str = "personal-access-token";

/// How a client proves who it is at the token endpoint (`token_endpoint_auth_method`, RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum AuthMethod {
    /// A public client: it can't keep a secret and only names itself.
    None,
    /// A secret, in the header or in the body, as the client likes.
    ClientSecret,
    ClientSecretBasic,
    ClientSecretPost,
}

impl AuthMethod {
    pub fn as_str(&self) -> &'static str {
        match self {
            AuthMethod::None => "none",
            AuthMethod::ClientSecret => "client_secret",
            AuthMethod::ClientSecretBasic => "client_secret_basic",
            AuthMethod::ClientSecretPost => "client_secret_post",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::None,
            Self::ClientSecret,
            Self::ClientSecretBasic,
            Self::ClientSecretPost,
        ]
        .into_iter()
        .find(|method| method.as_str() == text)
    }
}

column!(AuthMethod: Text, str as String, |m| m.as_str(),
    |text| AuthMethod::parse(&text).ok_or_else(|| format!("unknown auth method {text}").into()));

/// The ways to a token that a client may be allowed (RFC 6749 §1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantType {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
}

impl GrantType {
    pub const ALL: [GrantType; 3] = [
        GrantType::AuthorizationCode,
        GrantType::RefreshToken,
        GrantType::ClientCredentials,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            GrantType::AuthorizationCode => "authorization_code",
            GrantType::RefreshToken => "refresh_token",
            GrantType::ClientCredentials => "client_credentials",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text)
    }
}

/// A registered client.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = clients)]
pub struct Client {
    pub id: String,
    pub name: String,
    pub auth_method: AuthMethod,
    grant_types: String,
    /// What it may ask for.
    pub scope: Scope,
    redirect_uris: String,
    /// In seconds; `None` for the server's own.
    access_token_ttl: Option<i64>,
    /// Whether it may ask about every token, whomever it is for.
    pub introspect_any: bool,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
    /// What it may ask for of authorization details (`authorization_details_types`, RFC 9396 §10).
    pub authorization_details_types: DetailsTypes,
}

/// What a new client is to be.
#[derive(Debug, Clone)]
pub struct NewClient {
    pub name: String,
    pub auth_method: AuthMethod,
    pub grant_types: Vec<GrantType>,
    pub scope: Scope,
    pub redirect_uris: Vec<RedirectUri>,
    pub access_token_ttl: Option<Duration>,
    pub introspect_any: bool,
    pub authorization_details_types: DetailsTypes,
}

impl Client {
    /// Whether it has not been switched off.
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }

    /// Whether it can keep no secret (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.auth_method == AuthMethod::None
    }

    /// Whether it is registered for this way to a token.
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types
            .split(' ')
            .any(|mine| mine == grant.as_str())
    }

    /// The ways to a token it is registered for, with spaces between them.
    pub fn grant_types(&self) -> &str {
        &self.grant_types
    }

    /// Where people may be sent back to.
    pub fn redirect_uris(&self) -> impl Iterator<Item = RedirectUri> {
        self.redirect_uris
            .split_whitespace()
            .map(RedirectUri::registered)
    }

    /// Whether a request may send people back to `sent` (RFC 6749 §3.1.2.3).
    pub fn allows_redirect(&self, sent: &str) -> bool {
        self.redirect_uris().any(|uri| uri.allows(sent))
    }

    /// How long its access tokens live; `None` for the server's own time.
    pub fn access_token_ttl(&self) -> Option<Duration> {
        self.access_token_ttl
            .and_then(|s| u64::try_from(s).ok())
            .map(Duration::from_secs)
    }

    /// The client of this id, enabled or not.
    pub fn find(conn: &mut Conn, id: &str) -> QueryResult<Option<Client>> {
        clients::table
            .find(id)
            .select(Client::as_select())
            .get_result(conn)
            .optional()
    }

    /// The names of these clients.
    pub fn names(conn: &mut Conn, ids: &[String]) -> QueryResult<Vec<(String, String)>> {
        clients::table
            .filter(clients::id.eq_any(ids))
            .select((clients::id, clients::name))
            .load(conn)
    }

    /// Every client, the oldest first.
    pub fn all(conn: &mut Conn) -> QueryResult<Vec<Client>> {
        clients::table
            .order(clients::created_at)
            .select(Client::as_select())
            .load(conn)
    }

    /// Register a client. A confidential one comes with its first secret, which is shown this once.
    pub fn create(tx: &mut Tx, new: NewClient) -> QueryResult<(Client, Option<Secret>)> {
        let id = Id::new(tx.now).to_string();
        let now = tx.now;
        let grant_types: Vec<&str> = new.grant_types.iter().map(|grant| grant.as_str()).collect();
        let redirect_uris: Vec<&str> = new.redirect_uris.iter().map(RedirectUri::as_str).collect();
        let ttl = new.access_token_ttl.map(|ttl| ttl.as_secs() as i64);
        diesel::insert_into(clients::table)
            .values((
                clients::id.eq(&id),
                clients::name.eq(&new.name),
                clients::auth_method.eq(new.auth_method),
                clients::grant_types.eq(grant_types.join(" ")),
                clients::scope.eq(&new.scope),
                clients::redirect_uris.eq(redirect_uris.join("\n")),
                clients::access_token_ttl.eq(ttl),
                clients::introspect_any.eq(new.introspect_any),
                clients::authorization_details_types.eq(&new.authorization_details_types),
                clients::created_at.eq(now),
            ))
            .execute(&mut **tx)?;
        let client = clients::table
            .find(&id)
            .select(Client::as_select())
            .get_result(&mut **tx)?;
        let secret = match new.auth_method {
            AuthMethod::None => None,
            _ => Some(client.add_secret(tx)?),
        };
        tx.record(
            Event::new(What::ClientCreated)
                .client(&id)
                .detail(&new.name),
        )?;
        Ok((client, secret))
    }

    /// A new secret. The newest of the old ones goes on working for a while, so that the client can be changed
    /// over without a gap; older ones end now. Two are live at the most.
    pub fn rotate_secret(&self, tx: &mut Tx) -> QueryResult<(Secret, Timestamp)> {
        let until = tx.now + tx.policy.lifetimes.secret_overlap;
        let newest: Option<Digest> = client_secrets::table
            .filter(client_secrets::client_id.eq(&self.id))
            .filter(client_secrets::expires_at.is_null())
            .order(client_secrets::created_at.desc())
            .select(client_secrets::hash)
            .get_result(&mut **tx)
            .optional()?;
        let mine = client_secrets::table.filter(client_secrets::client_id.eq(self.id.clone()));
        match newest {
            Some(newest) => {
                diesel::delete(mine.filter(client_secrets::hash.ne(newest))).execute(&mut **tx)?;
                diesel::update(client_secrets::table.find(newest))
                    .set(client_secrets::expires_at.eq(until))
                    .execute(&mut **tx)?;
            }
            None => {
                diesel::delete(mine).execute(&mut **tx)?;
            }
        }
        let secret = self.add_secret(tx)?;
        tx.record(Event::new(What::ClientSecretRotated).client(&self.id))?;
        Ok((secret, until))
    }

    /// Somebody has seen a client's secret where it should not be. It goes on working, for to end it would stop the client;
    /// the operator is told, once for each secret.
    pub fn note_leak(tx: &mut Tx, secret: Digest, detail: &str) -> QueryResult<()> {
        let now = tx.now;
        let live = client_secrets::expires_at
            .is_null()
            .or(client_secrets::expires_at.gt(now));
        let row = client_secrets::table.find(secret);
        let unknown = row.filter(client_secrets::leaked_at.is_null()).filter(live);
        let noted = diesel::update(unknown)
            .set(client_secrets::leaked_at.eq(now))
            .execute(&mut **tx)?;
        if noted == 0 {
            return Ok(());
        }
        let client: String = row
            .select(client_secrets::client_id)
            .get_result(&mut **tx)?;
        tracing::warn!(
            client,
            "a secret of this client was reported as leaked: make a new one, it still works"
        );
        let event = Event::new(What::ClientSecretLeaked).client(&client);
        tx.record(event.detail(detail))
    }

    /// The clients of which a secret that still works was reported as leaked, and when.
    pub fn leaked(rx: &mut Rx) -> QueryResult<Vec<(String, Timestamp)>> {
        let now = rx.now;
        let live = client_secrets::expires_at
            .is_null()
            .or(client_secrets::expires_at.gt(now));
        client_secrets::table
            .filter(live)
            .filter(client_secrets::leaked_at.is_not_null())
            .order(client_secrets::leaked_at)
            .select((
                client_secrets::client_id,
                client_secrets::leaked_at.assume_not_null(),
            ))
            .load(&mut **rx)
    }

    /// The client whose secret this is, and when that secret ends, if it does.
    pub fn of_secret(
        conn: &mut Conn,
        secret: Digest,
    ) -> QueryResult<Option<(Client, Option<Timestamp>)>> {
        client_secrets::table
            .inner_join(clients::table)
            .filter(client_secrets::hash.eq(secret))
            .select((Client::as_select(), client_secrets::expires_at))
            .get_result(conn)
            .optional()
    }

    /// Remove up to `limit` secrets whose overlap has ended.
    pub fn purge_secrets(tx: &mut Tx, limit: i64) -> QueryResult<usize> {
        let over: Vec<Digest> = client_secrets::table
            .filter(client_secrets::expires_at.le(tx.now))
            .order(client_secrets::hash)
            .limit(limit)
            .select(client_secrets::hash)
            .load(&mut **tx)?;
        if over.is_empty() {
            // Even a deletion of nothing would make every node read its clients anew.
            return Ok(0);
        }
        diesel::delete(client_secrets::table.filter(client_secrets::hash.eq_any(over)))
            .execute(&mut **tx)
    }

    /// Switch a client off: it can't authenticate, and none of its tokens is active any more.
    pub fn disable(&self, tx: &mut Tx) -> QueryResult<()> {
        let now = tx.now;
        let live = clients::table
            .find(&self.id)
            .filter(clients::disabled_at.is_null());
        match diesel::update(live)
            .set(clients::disabled_at.eq(now))
            .execute(&mut **tx)?
        {
            0 => Ok(()),
            _ => tx.record(Event::new(What::ClientDisabled).client(&self.id)),
        }
    }

    /// Switch a client on again; what was not revoked meanwhile is active again.
    pub fn enable(&self, tx: &mut Tx) -> QueryResult<()> {
        let off = clients::table
            .find(&self.id)
            .filter(clients::disabled_at.is_not_null());
        let on = clients::disabled_at.eq(None::<Timestamp>);
        match diesel::update(off).set(on).execute(&mut **tx)? {
            0 => Ok(()),
            _ => tx.record(Event::new(What::ClientEnabled).client(&self.id)),
        }
    }

    fn add_secret(&self, tx: &mut Tx) -> QueryResult<Secret> {
        let secret = tx.policy.brands.mint(SecretKind::ClientSecret);
        let now = tx.now;
        diesel::insert_into(client_secrets::table)
            .values((
                client_secrets::hash.eq(secret.digest()),
                client_secrets::client_id.eq(&self.id),
                client_secrets::created_at.eq(now),
            ))
            .execute(&mut **tx)?;
        Ok(secret)
    }
}
