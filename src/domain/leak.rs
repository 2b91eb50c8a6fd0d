//! Secrets that were seen where they should not be, and what becomes of them.

use std::sync::Arc;

use diesel::NotFound;
use diesel::prelude::*;

use super::audit::{Event, What};
use super::bearer::{Bearer, Standing};
use super::client::Client;
use super::decoy::Decoy;
use super::grant::{Because, Grant};
use super::letter::Letter;
use super::mail;
use super::personal_token::PersonalToken;
use super::scan::redacted;
use super::secret::{Digest, Secret};
use super::token::{Token, TokenKind};
use super::tx::Tx;
use crate::db::schema::{client_secrets, tokens};
use crate::db::{Conn, Fault};

/// A secret that somebody says has leaked.
#[derive(Debug, Clone)]
pub struct Leak {
    pub digest: Digest,
    hint: String,
    whereabouts: Whereabouts,
}

/// Where secrets were seen, and what else is said of it. No secret is in it.
#[derive(Debug, Clone)]
pub struct Whereabouts {
    url: Option<Arc<str>>,
    note: Option<Arc<str>>,
}

impl Whereabouts {
    /// A URL and a few words more, both as they came.
    pub fn of(url: Option<&str>, note: Option<&str>) -> Self {
        let [url, note] = [url, note].map(|words| words.map(|words| redacted(words).into()));
        Self { url, note }
    }

    /// What is said before, then the URL and the note if there are any, with spaces between them.
    fn after(&self, before: &str) -> String {
        let words = [Some(before), self.url.as_deref(), self.note.as_deref()];
        let words: Vec<&str> = words.into_iter().flatten().collect();
        words.join(" ").trim_end().to_owned()
    }
}

impl Leak {
    /// This secret was seen there.
    pub fn of(secret: &Secret, whereabouts: &Whereabouts) -> Self {
        Self {
            digest: secret.digest(),
            hint: secret.hint(),
            whereabouts: whereabouts.clone(),
        }
    }

    /// Those of these digests that are of secrets of this server, whatever became of them: in the order in which everybody
    /// changes several.
    pub fn known(conn: &mut Conn, digests: &[Digest]) -> QueryResult<Vec<Digest>> {
        let mut known: Vec<Digest> = tokens::table
            .filter(tokens::hash.eq_any(digests))
            .order((tokens::grant_id, tokens::hash))
            .select(tokens::hash)
            .load(conn)?;
        let secrets: Vec<Digest> = client_secrets::table
            .filter(client_secrets::hash.eq_any(digests))
            .order(client_secrets::hash)
            .select(client_secrets::hash)
            .load(conn)?;
        known.extend(secrets);
        Ok(known)
    }

    /// End what leaked, at once and for ever: a personal token, all that an app may do by a refresh token, one access token. A
    /// client's secret goes on working, and the operator is told. A decoy did what it was laid out for.
    pub fn end(&self, tx: &mut Tx) -> Result<(), Fault> {
        let Some(bearer) = Bearer::find(tx, self.digest)? else {
            return Ok(Client::note_leak(tx, self.digest, &self.detail())?);
        };
        if bearer.token.is_spent() && bearer.token.kind == TokenKind::Personal {
            // It ends alone: its successor has not leaked.
            let token = PersonalToken::find(tx, bearer.token.id)?.ok_or(NotFound)?;
            return match token.give_back(tx, &Because::Leaked)? {
                true => self.announce(tx, &token.grant),
                false => Ok(()),
            };
        }
        // From wherever it may be used: the finder's address says nothing.
        match bearer.standing(tx.now, None) {
            // Both may be switched on again, and what leaked must not come back with them.
            Standing::OwnerDisabled | Standing::ClientDisabled => {}
            // It would be answered with its successor for a moment more.
            Standing::Active | Standing::Spent => {}
            // So would these come to life.
            Standing::Early | Standing::Elsewhere | Standing::Pending => {}
            Standing::Expired
            | Standing::Idle
            | Standing::Revoked
            | Standing::CutOff
            | Standing::GrantRevoked => {
                return Ok(());
            }
            Standing::Decoy => {
                let place = self.whereabouts.after("reported as leaked");
                return Ok(Decoy::used(tx, bearer.grant.id, &place)?);
            }
        }
        let grant = Grant::find(tx, bearer.grant.id)?.ok_or(NotFound)?;
        let ended = match bearer.token.kind {
            TokenKind::Access => {
                let token = Token::find(tx, self.digest)?.ok_or(NotFound)?;
                token.revoke(tx, &grant, &Because::Leaked)?
            }
            TokenKind::Personal | TokenKind::Refresh | TokenKind::Decoy => {
                grant.end(tx, &Because::Leaked)?
            }
        };
        match ended {
            true => self.announce(tx, &grant),
            false => Ok(()),
        }
    }

    /// Tell of a token that was ended for its leak, where its owner and the operator look.
    fn announce(&self, tx: &mut Tx, grant: &Grant) -> Result<(), Fault> {
        let mut event = Event::new(What::TokenLeaked).grant(grant);
        if let Some(token) = Token::find(tx, self.digest)? {
            event = event.token(token.id);
        }
        tx.record(event.detail(self.detail()))?;
        let token = PersonalToken::of_grant(tx, grant.clone())?;
        let personal = token.filter(|token| token.token.kind == TokenKind::Personal);
        let (Some(token), Some(owner)) = (&personal, grant.user_id) else {
            return Ok(());
        };
        let letter = Letter::Leaked {
            token,
            url: self.whereabouts.url.as_deref(),
            note: self.whereabouts.note.as_deref(),
        };
        mail::tell(tx, owner, &letter)
    }

    /// The hint, and where it was seen.
    fn detail(&self) -> String {
        self.whereabouts.after(&self.hint)
    }
}
