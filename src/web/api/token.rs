//! A personal access token as the API says it, and what makes and changes one.

use std::time::Duration;

use diesel::QueryResult;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Code, Error};
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::domain::authorization_details::{AuthorizationDetails, Detail, Strict};
use crate::domain::grant::Via;
use crate::domain::limits::{Limits, Networks};
use crate::domain::personal_token::{
    Changes, End, NewPersonalToken, PersonalToken, Problem, State,
};
use crate::domain::resource::Catalogue;
use crate::domain::secret::Secret;
use crate::domain::seen_network::SeenNetwork;
use crate::domain::tx::Tx;
use crate::domain::user::User;
use crate::domain::words::{Audience, Scope};

/// How many places of its use are told of a token.
const PLACES: usize = 5;

/// How a token stands to the one before and the one after it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Rotation")]
struct RotationView {
    /// The token that this one takes over from.
    predecessor_id: Option<String>,
    /// How long it works beside its successor; `null` for one that has none.
    overlap_until: Option<i64>,
}

/// What is told of a token. Never its secret, but for [`TokenView::with_value`] in the one answer that makes it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "PersonalAccessToken",
    description = "A personal access token."
)]
pub struct TokenView {
    /// What it is known by everywhere; introspection's `jti`.
    id: String,
    #[schemars(extend("const" = "pat"))]
    kind: &'static str,
    user_id: Option<String>,
    name: String,
    description: String,
    /// The beginning of its secret.
    hint: String,
    #[schemars(extend("enum" = State::ALL.map(State::as_str)))]
    status: &'static str,
    scopes: Vec<String>,
    /// The URIs of the resources it is for.
    audience: Vec<String>,
    /// What it may do with named things (RFC 9396 §2).
    authorization_details: Vec<Detail>,
    created_at: i64,
    created_by: String,
    created_via: String,
    created_from: Option<String>,
    /// `null` for one that never ends.
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    last_used_from: Option<String>,
    /// The last address of each network that it was used from, in the answer about one token.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_ips: Option<Vec<String>>,
    revoked_at: Option<i64>,
    revoked_by: Option<String>,
    revoke_reason: Option<String>,
    rotation: RotationView,
    /// Networks it may be used from; none for anywhere.
    allowed_cidrs: Vec<String>,
    not_before: Option<i64>,
    idle_seconds: Option<u64>,
    pending_since: Option<i64>,
    request_reason: Option<String>,
    /// The secret, in the one answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

impl TokenView {
    /// What is told of `token` at `now`.
    pub fn of(token: &PersonalToken, now: Timestamp) -> Self {
        let grant = &token.grant;
        let details = grant.authorization_details.as_ref();
        Self {
            id: token.token.id.to_string(),
            kind: token.token.kind.as_str(),
            user_id: grant.user_id.map(|id| id.to_string()),
            name: token.name().to_owned(),
            description: grant.description.clone().unwrap_or_default(),
            hint: token.token.hint.clone(),
            status: token.state(now).as_str(),
            scopes: grant.scope.iter().map(str::to_owned).collect(),
            audience: grant.audience.iter().map(str::to_owned).collect(),
            authorization_details: details
                .map(AuthorizationDetails::objects)
                .unwrap_or_default(),
            created_at: token.token.created_at.millis(),
            created_by: grant.created_by.clone(),
            created_via: grant.created_via.clone(),
            created_from: grant.created_from.clone(),
            expires_at: token.token.expires_at.map(Timestamp::millis),
            last_used_at: grant.last_used_at.map(Timestamp::millis),
            last_used_from: grant.last_used_from.clone(),
            last_used_ips: None,
            revoked_at: grant.revoked_at.map(Timestamp::millis),
            revoked_by: grant.revoked_by.clone(),
            revoke_reason: grant.revoke_reason.clone(),
            rotation: RotationView {
                predecessor_id: token.token.predecessor_id.map(|id| id.to_string()),
                overlap_until: token.token.overlap_until.map(Timestamp::millis),
            },
            allowed_cidrs: grant
                .limits
                .networks
                .iter()
                .flat_map(Networks::iter)
                .map(str::to_owned)
                .collect(),
            not_before: grant.limits.not_before.map(Timestamp::millis),
            idle_seconds: grant.limits.idle_life().map(|life| life.as_secs()),
            pending_since: grant.pending_since.map(Timestamp::millis),
            request_reason: grant.request_reason.clone(),
            value: None,
        }
    }

    /// What is told of one token alone, with the last places of its use.
    pub fn in_full(conn: &mut Conn, token: &PersonalToken, now: Timestamp) -> QueryResult<Self> {
        let places = SeenNetwork::of(conn, token.grant.id)?;
        let addresses = places.into_iter().take(PLACES).map(|place| place.address);
        Ok(Self {
            last_used_ips: Some(addresses.collect()),
            ..Self::of(token, now)
        })
    }

    /// What is told of each of them.
    pub fn all(tokens: &[PersonalToken], now: Timestamp) -> Vec<Self> {
        tokens.iter().map(|token| Self::of(token, now)).collect()
    }

    /// With its secret, for the one answer that hands it over.
    pub fn with_value(self, secret: &Secret) -> Self {
        Self {
            value: Some(secret.expose().to_owned()),
            ..self
        }
    }

    /// Its public id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// What a new token is asked to be. Without `expiresAt` it gets the policy's life; without `audience` it is for the
/// resources that define its scopes and its authorization details.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"name": "laptop", "scopes": ["notes:read"]}))]
pub struct NewTokenBody {
    /// No two live tokens of a person have the same.
    #[schemars(length(min = 1, max = 64))]
    name: String,
    #[serde(default)]
    #[schemars(length(max = 255))]
    description: String,
    /// At least one, unless there are authorization details.
    #[serde(default)]
    #[schemars(example = ["notes:read"])]
    scopes: Vec<String>,
    #[serde(default)]
    #[schemars(example = ["https://notes.example"])]
    audience: Vec<String>,
    /// What it may do with named things (RFC 9396 §2).
    #[serde(default)]
    #[schemars(with = "Vec<Detail>")]
    authorization_details: Vec<Strict<Detail>>,
    expires_at: Option<i64>,
    /// Instead of an end.
    #[serde(default)]
    never_expires: bool,
    /// Networks in CIDR notation that it may be used from; none for anywhere.
    #[serde(default)]
    #[schemars(example = ["192.0.2.0/24", "2001:db8::/32"])]
    allowed_cidrs: Vec<String>,
    /// Before this it is inactive.
    not_before: Option<i64>,
    /// How long it may lie unused.
    idle_seconds: Option<u64>,
    /// What it is for, where an administrator has to approve it.
    #[serde(default)]
    reason: String,
}

/// What of a token is asked to change.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangesBody {
    #[schemars(length(min = 1, max = 64))]
    name: Option<String>,
    #[schemars(length(max = 255))]
    description: Option<String>,
    /// Some of those it has.
    #[schemars(example = ["notes:read"])]
    scopes: Option<Vec<String>>,
    /// Some of the objects it has, each with all of its actions or some.
    #[schemars(with = "Option<Vec<Detail>>")]
    authorization_details: Option<Vec<Strict<Detail>>>,
    /// Sooner than now.
    expires_at: Option<i64>,
    #[schemars(example = ["192.0.2.0/24", "2001:db8::/32"])]
    allowed_cidrs: Option<Vec<String>>,
}

impl NewTokenBody {
    /// Why no token is made.
    pub const REFUSALS: &[Code] = &[
        Code::NameInvalid,
        Code::DescriptionInvalid,
        Code::ReasonRequired,
        Code::ScopeRequired,
        Code::ScopeUnknown,
        Code::AudienceRequired,
        Code::AudienceUnknown,
        Code::ScopeOutsideAudience,
        Code::AudienceWithoutScope,
        Code::DetailsInvalid,
        Code::DetailsOutsideAudience,
        Code::ExpiresInThePast,
        Code::NetworkInvalid,
        Code::TooManyNetworks,
        Code::EndsBeforeItBegins,
        Code::IdleLifeInvalid,
        Code::StepUpRequired,
        Code::ScopeNotGrantable,
        Code::CreationNotAllowed,
        Code::UserDisabled,
        Code::NameExists,
        Code::LimitReached,
        Code::ExpiryBeyondPolicy,
        Code::ExpiryRequired,
        Code::NetworksRequired,
    ];

    /// Make the token for `owner`. Its secret is in this answer and no other.
    pub fn create(self, tx: &mut Tx, owner: &User) -> Result<TokenView, Error> {
        let scope = scope(&self.scopes)?;
        let audience = Audience::of(self.audience.iter().map(String::as_str));
        let mut audience = audience.map_err(Problem::UnknownResource)?;
        let catalogue = Catalogue::load(tx)?;
        let objects = objects(self.authorization_details);
        let details = match objects.is_empty() {
            true => None,
            false => {
                Some(AuthorizationDetails::check(&objects, &catalogue).map_err(Problem::from)?)
            }
        };
        if audience.is_empty() {
            audience = catalogue.audience_of_all(&scope, details.as_ref());
        }
        let end = match (self.expires_at, self.never_expires) {
            (Some(_), true) => {
                return Err(Error::malformed("A token can't both end and never expire."));
            }
            (Some(millis), false) => End::At(Timestamp::from_millis(millis)),
            (None, true) => End::Never,
            (None, false) => End::At(tx.token_policy()?.default_end(tx.now)),
        };
        let new = NewPersonalToken {
            name: self.name,
            description: self.description,
            scope,
            audience,
            authorization_details: details,
            end,
            reason: self.reason,
            limits: Limits::new(
                networks(&self.allowed_cidrs)?,
                self.not_before.map(Timestamp::from_millis),
                self.idle_seconds.map(Duration::from_secs),
            ),
        };
        let (token, secret) = PersonalToken::create(tx, owner, new, Via::Api)?;
        Ok(TokenView::of(&token, tx.now).with_value(&secret))
    }
}

impl ChangesBody {
    /// Why a token is not changed.
    pub const REFUSALS: &[Code] = &[
        Code::NameInvalid,
        Code::DescriptionInvalid,
        Code::ScopeRequired,
        Code::ScopeUnknown,
        Code::ExpiresInThePast,
        Code::NetworkInvalid,
        Code::TooManyNetworks,
        Code::EndsBeforeItBegins,
        Code::StepUpRequired,
        Code::NotLive,
        Code::Pending,
        Code::NameExists,
        Code::ExpiryBeyondPolicy,
        Code::NetworksRequired,
        Code::Widening,
        Code::Lengthening,
    ];

    /// Whether the token may be used from elsewhere afterwards: that takes more than a session.
    pub fn moves_fence(&self) -> bool {
        self.allowed_cidrs.is_some()
    }

    /// Change `token` so.
    pub fn apply(self, tx: &mut Tx, token: &PersonalToken) -> Result<TokenView, Error> {
        let changes = Changes {
            name: self.name,
            description: self.description,
            scope: self.scopes.as_deref().map(scope).transpose()?,
            authorization_details: self.authorization_details.map(objects),
            end: self.expires_at.map(Timestamp::from_millis),
            networks: self.allowed_cidrs.as_deref().map(networks).transpose()?,
        };
        let token = token.change(tx, changes)?;
        let now = tx.now;
        Ok(TokenView::in_full(tx, &token, now)?)
    }
}

fn objects(read: Vec<Strict<Detail>>) -> Vec<Detail> {
    read.into_iter().map(|object| object.0).collect()
}

fn networks(written: &[String]) -> Result<Networks, Problem> {
    Networks::read(written.iter().map(String::as_str)).map_err(Problem::Network)
}

fn scope(words: &[String]) -> Result<Scope, Problem> {
    Scope::of(words.iter().map(String::as_str)).map_err(Problem::UnknownScope)
}
