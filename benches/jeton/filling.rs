//! Filling a database with many people and their tokens, quickly.
//!
//! The secrets are real ones, derived from a seed and a number, so that none of them has to be kept.

use std::ops::Range;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use jeton::clock::Timestamp;
use jeton::db::Conn;
use jeton::domain::client::PERSONAL_ACCESS_TOKEN;
use jeton::domain::id::Id;
use jeton::domain::secret::{Brands, Secret, SecretKind};

use crate::Result;
use crate::insert::Insert;
use crate::process::say;

/// How many tokens of each kind a person has.
const EACH: usize = 20;
/// Rows in one insert, and in one transaction.
const ROWS: usize = 500;
const TRANSACTION: usize = 100_000;
const DAY: Duration = Duration::from_secs(86_400);

/// Whether a token is good, and if not, why not: of thirty people one is disabled, and of the tokens of the others two in
/// twenty-nine are over. So one token in ten is inactive, for each reason as many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Active,
    OwnerDisabled,
    Expired,
    Revoked,
}

/// One of the tokens, by its number: even ones are personal access tokens, odd ones access tokens of an app.
#[derive(Debug, Clone, Copy)]
pub struct Numbered {
    pub number: usize,
    pub people: usize,
}

impl Numbered {
    pub fn is_personal(self) -> bool {
        self.number.is_multiple_of(2)
    }

    /// Whose it is.
    pub fn person(self) -> usize {
        self.number / 2 % self.people
    }

    /// The how many-th of its kind that this person has.
    fn turn(self) -> usize {
        self.number / 2 / self.people
    }

    pub fn fate(self) -> Fate {
        let person = self.person();
        if is_disabled(person) {
            return Fate::OwnerDisabled;
        }
        match (person + self.turn()) % 29 {
            0 => Fate::Expired,
            1 => Fate::Revoked,
            _ => Fate::Active,
        }
    }

    pub fn secret(self, brands: &Brands, seed: &Secret) -> Secret {
        let kind = match self.is_personal() {
            true => SecretKind::PersonalAccessToken,
            false => SecretKind::AccessToken,
        };
        brands.derive(kind, &self.number.to_be_bytes(), seed)
    }
}

pub fn is_disabled(person: usize) -> bool {
    person % 30 == 29
}

/// How many people share so many tokens.
pub fn people(tokens: usize) -> usize {
    (tokens / (2 * EACH)).max(1)
}

/// What the rows have in common.
pub struct Filling<'a> {
    pub brands: &'a Brands,
    pub seed: &'a Secret,
    pub now: Timestamp,
    /// The app with the access tokens.
    pub app: &'a str,
    pub scope: &'a str,
    pub audience: &'a str,
}

impl Filling<'_> {
    /// So many tokens, and the people they belong to.
    pub fn fill(&self, conn: &mut Conn, tokens: usize) -> Result<()> {
        let began = Instant::now();
        let owners = self.people(conn, 0..people(tokens))?;
        in_transactions(conn, 0..tokens, |conn, numbers| {
            let mut rows = Rows::new(conn);
            for number in numbers {
                let token = Numbered {
                    number,
                    people: owners.len(),
                };
                let age = (30 * DAY).mul_f64(1.0 - number as f64 / tokens as f64);
                self.token(&mut rows, token, owners[token.person()], self.now - age)?;
            }
            rows.run(conn)
        })?;
        let speed = tokens as f64 / began.elapsed().as_secs_f64();
        say(&format!("{tokens} tokens are in, {speed:.0} a second"));
        Ok(())
    }

    /// People of these numbers.
    pub fn people(&self, conn: &mut Conn, numbers: Range<usize>) -> Result<Vec<Id>> {
        let made = self.now - 60 * DAY;
        let mut ids = vec![];
        in_transactions(conn, numbers, |conn, numbers| {
            let mut users = Insert::into(
                "users",
                "id, username, is_admin, created_at, disabled_at",
                conn,
            );
            for number in numbers {
                let id = Id::new(made);
                users.row().bytes(id.as_bytes())?;
                users.text(&format!("person{number}"))?;
                users.plain("FALSE")?.time(made)?;
                users.maybe_time(is_disabled(number).then_some(self.now - DAY))?;
                ids.push(id);
            }
            users.run(conn)
        })?;
        Ok(ids)
    }

    /// One token with its grant.
    fn token(&self, rows: &mut Rows, token: Numbered, owner: Id, made: Timestamp) -> Result<()> {
        let grant = Id::new(made);
        let personal = token.is_personal();
        let actor = format!("user:{owner}");
        let grants = rows.grants.row();
        grants.bytes(grant.as_bytes())?.bytes(owner.as_bytes())?;
        match personal {
            true => grants.text(PERSONAL_ACCESS_TOKEN)?.text("personal")?,
            false => grants.text(self.app)?.text("authorization_code")?,
        };
        grants.text(self.scope)?.text(self.audience)?;
        match personal {
            true => grants.text(&format!("token {}", token.turn()))?,
            false => grants.plain("NULL")?,
        };
        grants.time(made)?.text(&actor)?;
        grants.text(if personal { "page" } else { "oauth" })?;
        grants.maybe_time((!personal).then_some(made))?.time(made)?;
        match token.fate() {
            Fate::Revoked => grants
                .time(self.now)?
                .text(&actor)?
                .text("no longer needed")?,
            _ => grants.plain("NULL")?.plain("NULL")?.plain("NULL")?,
        };
        let end = match token.fate() {
            // So long ago that nobody is still to be told of it.
            Fate::Expired => self.now - 8 * DAY,
            _ => made + 400 * DAY,
        };
        let kind = if personal { "pat" } else { "access" };
        rows.token(
            grant,
            kind,
            &token.secret(self.brands, self.seed),
            made,
            end,
        )
    }

    /// Unspent refresh tokens of the app, one for each of these people, each with a grant of its own.
    pub fn refresh_tokens(&self, conn: &mut Conn, owners: &[Id]) -> Result<Vec<Secret>> {
        let mut secrets = vec![];
        in_transactions(conn, 0..owners.len(), |conn, numbers| {
            let mut rows = Rows::new(conn);
            for owner in &owners[numbers] {
                let grant = Id::new(self.now);
                let grants = rows.grants.row();
                grants.bytes(grant.as_bytes())?.bytes(owner.as_bytes())?;
                grants.text(self.app)?.text("authorization_code")?;
                grants
                    .text(self.scope)?
                    .text(self.audience)?
                    .plain("NULL")?;
                grants
                    .time(self.now)?
                    .text(&format!("user:{owner}"))?
                    .text("oauth")?;
                grants.time(self.now)?.plain("NULL")?;
                grants.plain("NULL")?.plain("NULL")?.plain("NULL")?;
                let secret = self.brands.mint(SecretKind::RefreshToken);
                rows.token(grant, "refresh", &secret, self.now, self.now + 30 * DAY)?;
                secrets.push(secret);
            }
            rows.run(conn)
        })?;
        Ok(secrets)
    }
}

/// Rows of tokens, and of the grants they are under.
struct Rows {
    grants: Insert,
    tokens: Insert,
}

impl Rows {
    fn new(conn: &Conn) -> Self {
        let grants = "id, user_id, client_id, origin, scope, audience, name, created_at, created_by, created_via, \
                      auth_time, last_used_at, revoked_at, revoked_by, revoke_reason";
        let tokens = "hash, id, grant_id, kind, hint, created_at, expires_at, first_used_at";
        Self {
            grants: Insert::into("grants", grants, conn),
            tokens: Insert::into("tokens", tokens, conn),
        }
    }

    fn token(
        &mut self,
        grant: Id,
        kind: &str,
        secret: &Secret,
        made: Timestamp,
        end: Timestamp,
    ) -> Result<()> {
        let tokens = self.tokens.row();
        tokens.bytes(secret.digest().as_bytes())?;
        tokens
            .bytes(Id::new(made).as_bytes())?
            .bytes(grant.as_bytes())?;
        tokens.text(kind)?.text(&secret.hint())?;
        tokens.time(made)?.time(end)?;
        // One that was never used before has that written down, once.
        tokens.maybe_time((kind == "pat").then_some(made))?;
        Ok(())
    }

    fn run(self, conn: &mut Conn) -> Result<()> {
        self.grants.run(conn)?;
        self.tokens.run(conn)
    }
}

/// Insert what has these numbers, some rows at a time.
fn in_transactions(
    conn: &mut Conn,
    numbers: Range<usize>,
    mut some: impl FnMut(&mut Conn, Range<usize>) -> Result<()>,
) -> Result<()> {
    for begin in numbers.clone().step_by(TRANSACTION) {
        let end = numbers.end.min(begin + TRANSACTION);
        conn.batch_execute("BEGIN")?;
        for first in (begin..end).step_by(ROWS) {
            some(conn, first..end.min(first + ROWS))?;
        }
        conn.batch_execute("COMMIT")?;
    }
    Ok(())
}
