//! `/api/tokens/identify`: what a token is that was found somewhere, for managers. To ask is not to use it.

use actix_web::web::Json;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Code, Error, parse_secret};
use crate::clock::Timestamp;
use crate::domain::audit::{Event, What};
use crate::domain::bearer::{Bearer, Standing};
use crate::domain::client::Client;
use crate::domain::grant::Grant;
use crate::domain::secret::Secret;
use crate::domain::token::{Token, is_expired};
use crate::domain::tx::Tx;
use crate::web::doors::{Manager, Read};
use crate::web::openapi::Operation;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Question {
    token: String,
}

/// What is told of a secret. It is not among it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(description = "What is told of a secret.")]
pub struct Identity {
    kind: &'static str,
    /// The token's `jti`; a client's secret has none.
    id: Option<String>,
    hint: String,
    state: &'static str,
    owner: Option<Person>,
    client: App,
    name: Option<String>,
    scopes: Vec<String>,
    audience: Vec<String>,
    created_at: Option<i64>,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
    revoked_by: Option<String>,
    revoke_reason: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Person {
    id: String,
    username: String,
}

#[derive(Serialize, JsonSchema)]
struct App {
    id: String,
    name: String,
}

pub const POST: Operation = Operation::new(
    "identifyToken",
    "Say what a token is that was found somewhere; to ask is not to use it, and is recorded",
)
.takes::<Question>()
.refuses(&[Code::NotFound, Code::TokenMalformed]);
/// Say what a token is, whosever it is. That it was asked is recorded, whatever the answer.
pub async fn post(by: Manager<Read>) -> Result<Json<Identity>, Error> {
    let question: Question = parse_secret(&by.body)?;
    let identity = by
        .write(move |tx| {
            let Some(secret) = tx.policy.brands.read(&question.token) else {
                tx.record(Event::new(What::TokenIdentified).detail("no token"))?;
                return Err(Error::new(Code::TokenMalformed,
                    "This is no token of this server: brand, type, length or checksum are not right.",
                ));
            };
            identify(tx, &secret)?.ok_or_else(|| Error::not_found("token"))
        })
        .await?;
    Ok(Json(identity))
}

fn identify(tx: &mut Tx, secret: &Secret) -> Result<Option<Identity>, Error> {
    let event = Event::new(What::TokenIdentified).detail(secret.hint());
    let Some(bearer) = Bearer::find(tx, secret.digest())? else {
        let owned = Client::of_secret(tx, secret.digest())?;
        tx.record(match &owned {
            Some((client, _)) => event.client(&client.id),
            None => event,
        })?;
        let now = tx.now;
        return Ok(owned.map(|(client, end)| Identity::of_client(&client, end, secret, now)));
    };
    let found = Token::find(tx, secret.digest())?.zip(Grant::find(tx, bearer.grant.id)?);
    let Some((token, grant)) = found else {
        return Ok(None);
    };
    tx.record(event.grant(&grant))?;
    Ok(Some(Identity::of_token(&bearer, token, grant, tx.now)))
}

impl Identity {
    fn of_token(bearer: &Bearer, token: Token, grant: Grant, now: Timestamp) -> Self {
        Self {
            kind: bearer.kind(),
            id: Some(token.id.to_string()),
            hint: token.hint,
            state: state(bearer.standing(now, None)),
            owner: bearer.owner.as_ref().map(|owner| Person {
                id: owner.id.to_string(),
                username: owner.username.clone(),
            }),
            client: App::of(&bearer.client),
            name: grant.name,
            scopes: bearer.scope().iter().map(str::to_owned).collect(),
            audience: bearer.audience().iter().map(str::to_owned).collect(),
            created_at: Some(token.created_at.millis()),
            expires_at: token.expires_at.map(Timestamp::millis),
            last_used_at: grant.last_used_at.map(Timestamp::millis),
            revoked_at: token.revoked_at.or(grant.revoked_at).map(Timestamp::millis),
            revoked_by: token.revoked_by.or(grant.revoked_by),
            revoke_reason: token.revoke_reason.or(grant.revoke_reason),
        }
    }

    fn of_client(client: &Client, end: Option<Timestamp>, secret: &Secret, now: Timestamp) -> Self {
        Self {
            kind: "client_secret",
            id: None,
            hint: secret.hint(),
            state: if is_expired(end, now) {
                state(Standing::Expired)
            } else if !client.is_enabled() {
                state(Standing::ClientDisabled)
            } else {
                state(Standing::Active)
            },
            owner: None,
            client: App::of(client),
            name: None,
            scopes: vec![],
            audience: vec![],
            created_at: None,
            expires_at: end.map(Timestamp::millis),
            last_used_at: None,
            revoked_at: None,
            revoked_by: None,
            revoke_reason: None,
        }
    }
}

impl App {
    fn of(client: &Client) -> Self {
        Self {
            id: client.id.clone(),
            name: client.name.clone(),
        }
    }
}

fn state(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Expired => "expired",
        Standing::Spent => "spent",
        Standing::Revoked | Standing::GrantRevoked | Standing::CutOff => "revoked",
        Standing::OwnerDisabled => "owner_disabled",
        Standing::ClientDisabled => "client_disabled",
        Standing::Decoy => "decoy",
        Standing::Pending => "pending",
        Standing::Early => "early",
        Standing::Idle => "idle",
        // From where it is presented is not asked here.
        Standing::Elsewhere => "active",
    }
}
