//! Why a token does not work, for an operator who is asked: a plain sentence for each reason, with what would mend it.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::audit::{Entry, Filter, What};
use super::bearer::{Bearer, Standing};
use super::client::Client;
use super::denial::{Reason, Told, UNDEFINED};
use super::grant::Grant;
use super::id::Id;
use super::resource::Catalogue;
use super::secret::Digest;
use super::token::{Token, TokenKind};
use super::tx::Rx;
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::db::schema::tokens;

/// Denials that are read at most, the newest.
const READ: i64 = 500;

/// What is known of the token of this public id: first how it stands, then where it was of no use, the latest first. Nothing
/// if it is not known, or is gone and left no denial.
pub fn why(rx: &mut Rx, id: Id) -> QueryResult<Vec<String>> {
    let now = rx.now;
    let hash: Option<Digest> = tokens::table
        .filter(tokens::id.eq(id))
        .select(tokens::hash)
        .get_result(&mut **rx)
        .optional()?;
    let bearer = match hash {
        Some(hash) => Bearer::find(rx, hash)?,
        None => None,
    };
    let mut sentences = vec![];
    if let Some(bearer) = &bearer {
        sentences.push(standing(rx, bearer, now)?);
    }
    let filter = Filter {
        event: Some(What::TokenDenied),
        token: Some(id),
        ..Filter::default()
    };
    let entries = Entry::page(rx, &filter, None, READ)?;
    let catalogue = Catalogue::load(rx)?;
    for denial in gathered(entries) {
        sentences.push(denial.sentence(rx, &catalogue, bearer.as_ref())?);
    }
    Ok(sentences)
}

/// How a token stands now, and what would change that.
fn standing(conn: &mut Conn, bearer: &Bearer, now: Timestamp) -> QueryResult<String> {
    let at = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339).unwrap_or_default();
    // From nowhere that is known: what is limited to networks is told to be.
    Ok(match bearer.standing(now, None) {
        Standing::Active => "It is active.".to_owned(),
        Standing::Expired => {
            let end = at(bearer.token.expires_at);
            format!("It expired at {end}. Only a new one helps.")
        }
        Standing::Spent if bearer.token.kind == TokenKind::Personal => {
            "It was rotated, and its successor has taken over. Whoever uses it has to use the new one."
                .to_owned()
        }
        Standing::Spent => {
            "It is a refresh token that its app has exchanged. The app has to use the one it got."
                .to_owned()
        }
        Standing::Revoked => match Token::find(conn, bearer.token.hash)? {
            Some(token) => revoked(token.revoked_at, token.revoked_by, token.revoke_reason),
            None => revoked(None, None, None),
        },
        Standing::GrantRevoked => match Grant::find(conn, bearer.grant.id)? {
            Some(grant) => revoked(grant.revoked_at, grant.revoked_by, grant.revoke_reason),
            None => revoked(None, None, None),
        },
        Standing::OwnerDisabled => {
            let owner = bearer.owner.as_ref();
            let name = owner.map(|owner| owner.username.as_str());
            let name = name.unwrap_or_default();
            format!("Its owner {name} is disabled. `jeton user enable {name}` makes it work again.")
        }
        Standing::ClientDisabled => {
            let id = &bearer.client.id;
            format!("Its client {id} is disabled. `jeton client enable {id}` makes it work again.")
        }
        Standing::CutOff => {
            "It was issued before the moment from which tokens count here. Only a new one helps.".to_owned()
        }
        Standing::Decoy => "It is a decoy, which never opened anything.".to_owned(),
        Standing::Pending => {
            "It waits for approval. An administrator has to approve it.".to_owned()
        }
        Standing::Early => {
            let begin = at(bearer.grant.limits.not_before);
            format!("It does not work before {begin}.")
        }
        Standing::Idle => {
            "It lay unused for longer than it may. Its owner can renew it by rotating it.".to_owned()
        }
        Standing::Elsewhere => {
            let networks = bearer.grant.limits.networks.as_ref();
            let networks = networks.map(|list| list.to_string()).unwrap_or_default();
            format!("It is active, but only from {networks}, and where that is said by client_ip.")
        }
    })
}

fn revoked(at: Option<Timestamp>, by: Option<String>, reason: Option<String>) -> String {
    let at = at.map(|at| format!(" at {}", at.to_rfc3339()));
    let by = by.map(|by| format!(" by {by}"));
    let reason = reason.map(|reason| format!(" ({reason})"));
    let all = [at, by, reason].map(Option::unwrap_or_default).concat();
    format!("It was revoked{all}. Only a new one helps.")
}

/// All that one resource server said no to for one reason.
struct Denial {
    /// The client that asked.
    by: String,
    told: Told,
    /// From where the token came last, as far as was said.
    address: Option<String>,
}

/// The denials of these entries, newest first, those of one resource server and reason as one.
fn gathered(entries: Vec<Entry>) -> Vec<Denial> {
    let mut gathered: BTreeMap<(String, Reason), Denial> = BTreeMap::new();
    for entry in entries {
        let Some(told) = entry.detail.as_deref().and_then(Told::parse) else {
            continue;
        };
        let by = entry.actor.trim_start_matches("client:").to_owned();
        let key = (by.clone(), told.reason);
        match gathered.get_mut(&key) {
            Some(denial) => {
                denial.told.times = denial.told.times.and(told.times);
                denial.told.lacking = denial.told.lacking.joined_with(&told.lacking);
            }
            None => {
                let address = entry.address;
                gathered.insert(key, Denial { by, told, address });
            }
        }
    }
    let mut all: Vec<Denial> = gathered.into_values().collect();
    all.sort_by_key(|denial| std::cmp::Reverse(denial.told.times.last));
    all
}

impl Denial {
    fn sentence(
        &self,
        conn: &mut Conn,
        catalogue: &Catalogue,
        bearer: Option<&Bearer>,
    ) -> QueryResult<String> {
        let name = Client::find(conn, &self.by)?.map(|client| client.name);
        let name = name.unwrap_or_else(|| "A client that is gone".to_owned());
        let (by, times) = (&self.by, self.told.times.in_words());
        let why = match self.told.reason {
            Reason::Audience => self.audience(catalogue, bearer),
            Reason::Scope => self.scope(bearer),
            Reason::Refresh => "it is a refresh token, which is for its app alone. The app has to \
                 send its access token."
                .to_owned(),
            Reason::Network => {
                let from = self
                    .address
                    .as_deref()
                    .unwrap_or("an address it did not say");
                format!(
                    "it came from {from}, and may be used from other networks only. Use it from \
                     one of those, or let it be used from there too."
                )
            }
        };
        let no = match self.told.reason {
            Reason::Scope => "found too little in it",
            _ => "was told that it is inactive",
        };
        Ok(format!("{name} (client {by}) {no} {times}: {why}"))
    }

    fn audience(&self, catalogue: &Catalogue, bearer: Option<&Bearer>) -> String {
        let theirs = catalogue.of_client(&self.by).audience();
        if theirs.is_empty() {
            return "that client stands for no API. Register the API with `jeton resource create` and \
                 ask with the client it gets, or let a gateway ask about every token with `jeton \
                 client create --introspect-any`."
                .to_owned();
        }
        let only = bearer.map(|bearer| format!(", but for {}", bearer.audience()));
        let only = only.unwrap_or_default();
        format!("it is not for {theirs}{only}. A token that is for {theirs} will do.")
    }

    fn scope(&self, bearer: Option<&Bearer>) -> String {
        let lacking = &self.told.lacking;
        if lacking.contains(UNDEFINED) {
            return "it asked for a scope that no API defines. It has to ask for one that there is."
                .to_owned();
        }
        match bearer {
            Some(bearer) if bearer.scope().covers(lacking) => format!(
                "it was given {lacking}, but that API does not define it, or its owner may not have \
                 it any more. Define it there, or make the owner an administrator again."
            ),
            _ => format!(
                "it lacks {lacking}. A new token with {lacking} will do; what a token may do can't \
                 be widened."
            ),
        }
    }
}
