//! Forward-auth policies: what a proxy may let through to a service that itself knows nothing of tokens.

mod fact;
mod path;
mod rule;

use std::str::FromStr;

use diesel::prelude::*;

pub use fact::{BadHeader, Fact, Headers};
pub use path::Path;
pub use rule::{BadRule, Rule, is_method};

use super::audit::{Event, What};
use super::id::Id;
use super::resource::Catalogue;
use super::tx::Tx;
use super::words::Scope;
use crate::db::schema::{forward_auth_policies as policies, resources};
use crate::db::{Conn, Fault};

const NAME_MAX: usize = 64;
/// Each of them may have to be looked at for every request.
const RULES_MAX: usize = 100;

/// What may pass to one service. Of its rules the first that is for a request decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardPolicy {
    /// What the proxy knows it by: its place in the URL.
    pub name: String,
    /// The URI of the resource server whose tokens the service takes.
    pub audience: String,
    pub rules: Vec<Rule>,
    pub otherwise: Otherwise,
    /// How the service is told whom it deals with.
    pub headers: Headers,
}

/// What becomes of a request that no rule is for, if its token is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Otherwise {
    #[default]
    Deny,
    Allow,
}

impl Otherwise {
    pub fn as_str(self) -> &'static str {
        match self {
            Otherwise::Deny => "deny",
            Otherwise::Allow => "allow",
        }
    }
}

impl FromStr for Otherwise {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let mut known = [Otherwise::Deny, Otherwise::Allow].into_iter();
        let meant = known.find(|otherwise| otherwise.as_str() == text);
        meant.ok_or_else(|| Unfit::Otherwise(text.to_owned()))
    }
}

/// Why a policy can't be kept.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error(
        "a policy's name is 1 to {NAME_MAX} small letters, digits and dashes, and does not begin with a dash, not {0:?}"
    )]
    Name(String),
    #[error("there is a policy {0} already")]
    Taken(String),
    #[error("there is no resource {0}")]
    Resource(String),
    #[error("{1} defines no scope {0}")]
    Scope(String, String),
    #[error("a policy has at most {RULES_MAX} rules")]
    TooManyRules,
    #[error("what no rule is for gets deny or allow, not {0:?}")]
    Otherwise(String),
    #[error(transparent)]
    Rule(#[from] BadRule),
    #[error(transparent)]
    Header(#[from] BadHeader),
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusal!(Unfit);

/// A row with the URI of its resource server.
#[derive(Queryable)]
struct Row {
    name: String,
    audience: String,
    rules: String,
    otherwise: String,
    headers: String,
}

/// A row as it is written.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = policies, primary_key(name))]
struct Kept {
    name: String,
    resource_id: Id,
    rules: String,
    otherwise: &'static str,
    headers: String,
}

impl Row {
    fn read(&self) -> Option<ForwardPolicy> {
        let rules = self.rules.lines().map(str::parse);
        Some(ForwardPolicy {
            name: self.name.clone(),
            audience: self.audience.clone(),
            rules: rules.collect::<Result<_, _>>().ok()?,
            otherwise: self.otherwise.parse().ok()?,
            headers: Headers::parse(&self.headers).ok()?,
        })
    }
}

impl ForwardPolicy {
    /// All of them, by name. One that somebody has made unreadable by hand is left out: nothing passes by it, and nobody
    /// else is the worse for it.
    pub fn all(conn: &mut Conn) -> QueryResult<Vec<ForwardPolicy>> {
        let rows: Vec<Row> = policies::table
            .inner_join(resources::table)
            .order(policies::name)
            .select((
                policies::name,
                resources::uri,
                policies::rules,
                policies::otherwise,
                policies::headers,
            ))
            .load(conn)?;
        let read = rows.iter().filter_map(|row| {
            let policy = row.read();
            if policy.is_none() {
                tracing::error!(policy = %row.name, "a forward-auth policy can't be read");
            }
            policy
        });
        Ok(read.collect())
    }

    /// The policy of this name.
    pub fn named(conn: &mut Conn, name: &str) -> QueryResult<Option<ForwardPolicy>> {
        let mut all = Self::all(conn)?.into_iter();
        Ok(all.find(|policy| policy.name == name))
    }

    /// What a token with `scope` lacks for such a request: nothing, some words, or `None` if the request may not pass with
    /// any token.
    pub fn lacking(&self, method: &str, path: &Path, scope: &Scope) -> Option<Scope> {
        let rule = self.rules.iter().find(|rule| rule.is_for(method, path));
        match (rule, self.otherwise) {
            (Some(rule), _) => Some(rule.scope().only(|word| !scope.contains(word))),
            (None, Otherwise::Allow) => Some(Scope::default()),
            (None, Otherwise::Deny) => None,
        }
    }

    /// Keep this policy, if there is none of its name. The audience becomes what its resource server is registered as.
    pub fn create(&mut self, tx: &mut Tx) -> Result<(), Unfit> {
        let kept = self.checked(tx)?;
        let alike = policies::table.find(&self.name);
        if alike.count().get_result::<i64>(&mut **tx)? > 0 {
            return Err(Unfit::Taken(self.name.clone()));
        }
        Ok(kept.insert(tx)?)
    }

    /// Keep this policy in the place of one of its name, or as a new one; whether it is new.
    pub fn put(&mut self, tx: &mut Tx) -> Result<bool, Unfit> {
        let kept = self.checked(tx)?;
        let alike = policies::table.find(&self.name);
        if diesel::update(alike).set(&kept).execute(&mut **tx)? == 0 {
            kept.insert(tx)?;
            return Ok(true);
        }
        tx.record(Event::new(What::ForwardPolicyChanged).detail(&self.name))?;
        Ok(false)
    }

    /// Remove the policy of this name, so that nothing passes by it any more; whether there was one.
    pub fn remove(tx: &mut Tx, name: &str) -> QueryResult<bool> {
        if !is_name(name) {
            return Ok(false);
        }
        let removed = diesel::delete(policies::table.find(name)).execute(&mut **tx)?;
        if removed > 0 {
            tx.record(Event::new(What::ForwardPolicyRemoved).detail(name))?;
        }
        Ok(removed > 0)
    }

    /// The row it is kept in, if it can be.
    fn checked(&mut self, conn: &mut Conn) -> Result<Kept, Unfit> {
        if !is_name(&self.name) {
            return Err(Unfit::Name(self.name.clone()));
        }
        if self.rules.len() > RULES_MAX {
            return Err(Unfit::TooManyRules);
        }
        let catalogue = Catalogue::load(conn)?;
        let resource = catalogue.resource(&self.audience);
        let resource = resource.ok_or_else(|| Unfit::Resource(self.audience.clone()))?;
        self.audience = resource.uri.clone();
        let theirs = catalogue.within(&[resource.uri.as_str()].into_iter().collect());
        let mut words = self.rules.iter().flat_map(|rule| rule.scope().iter());
        if let Some(word) = words.find(|word| !theirs.defines(word)) {
            return Err(Unfit::Scope(word.to_owned(), self.audience.clone()));
        }
        let rules: Vec<String> = self.rules.iter().map(Rule::to_string).collect();
        Ok(Kept {
            name: self.name.clone(),
            resource_id: resource.id,
            rules: rules.join("\n"),
            otherwise: self.otherwise.as_str(),
            headers: self.headers.to_string(),
        })
    }
}

impl Kept {
    fn insert(&self, tx: &mut Tx) -> QueryResult<()> {
        diesel::insert_into(policies::table)
            .values(self)
            .execute(&mut **tx)?;
        tx.record(Event::new(What::ForwardPolicyCreated).detail(&self.name))
    }
}

/// Whether a policy may have this name.
fn is_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let length = (1..=NAME_MAX).contains(&text.len());
    length && text.bytes().all(fits) && !text.starts_with('-')
}
