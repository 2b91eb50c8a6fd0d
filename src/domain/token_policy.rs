//! The rules for people's own tokens, as administrators have decided them. They hold for new and rotated tokens; none that
//! lives is ever shortened by them.

use std::time::Duration;

use diesel::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::audit::{Event, What};
use super::limits::Limits;
use super::personal_token::PersonalToken;
use super::policy::{Creators, PersonalTokenPolicy, Policy};
use super::tx::{Rx, Tx};
use super::user::User;
use super::words::Scope;
use crate::clock::Timestamp;
use crate::db::schema::token_policy;
use crate::db::{Conn, Fault};

/// The one row of its table.
const ROW: i32 = 1;
/// Tokens looked at by one question of a preview.
const BATCH: i64 = 1_000;
/// Tokens that a preview names.
const SHOWN: usize = 100;
/// So many people can be named as those who may make tokens.
const USERS_MAX: usize = 100;
/// No rule is about more than a hundred years.
const LONGEST: u64 = 100 * 365 * 24 * 60 * 60;

/// A rule for tokens that hold certain scopes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScopeRule {
    /// A scope, or the beginning of some with `*` after it: `admin:*`.
    #[schemars(example = &"admin:*")]
    pub scope: String,
    #[serde(default)]
    #[schemars(range(min = 1, max = LONGEST))]
    pub max_life_seconds: Option<u64>,
    #[serde(default)]
    pub networks_required: bool,
}

/// What an administrator decides, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "TokenPolicy")]
pub struct Decision {
    /// `null` for no limit.
    #[schemars(range(min = 1, max = LONGEST))]
    pub max_life_seconds: Option<u64>,
    #[schemars(range(min = 1, max = LONGEST))]
    pub default_life_seconds: u64,
    pub never_expires_allowed: bool,
    /// How many live tokens one account may have.
    #[schemars(range(min = 1, max = 10_000))]
    pub per_user: u32,
    pub creators: Creators,
    pub networks_required: bool,
    pub approval_required: bool,
    pub scopes: Vec<ScopeRule>,
}

/// Why a policy can't be.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("{0} is from 1 to {LONGEST} seconds.")]
    Life(&'static str),
    #[error("perUser is from 1 to 10000.")]
    PerUser,
    #[error("There is no user {0}.")]
    NoUser(String),
    #[error("Name from 1 to {USERS_MAX} people who may make tokens.")]
    Users,
    #[error(
        "The rule for {0:?} names no scope: it is one, or the beginning of some with * after it."
    )]
    Scope(String),
    #[error("The rule for {0:?} says nothing.")]
    Nothing(String),
    #[error("At most 100 rules for scopes.")]
    TooMany,
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusal!(Unfit);

/// What a token breaks of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Breach {
    /// It never ends, and every token has to.
    NeverExpires,
    /// It was given a longer life.
    LivesTooLong,
    /// It can be used from anywhere.
    NoNetworks,
}

impl ScopeRule {
    /// Whether it is about this scope.
    fn is_about(&self, word: &str) -> bool {
        match self.scope.strip_suffix('*') {
            Some(beginning) => word.starts_with(beginning),
            None => word == self.scope,
        }
    }

    /// Whether it can be a rule.
    pub fn check(&self) -> Result<(), Unfit> {
        let named = self.scope.strip_suffix('*').unwrap_or(&self.scope);
        if named.contains('*') || Scope::of([self.scope.as_str()]).is_err() {
            return Err(Unfit::Scope(self.scope.clone()));
        }
        if self.max_life_seconds.is_none() && !self.networks_required {
            return Err(Unfit::Nothing(self.scope.clone()));
        }
        match self.max_life_seconds.is_none_or(fits) {
            true => Ok(()),
            false => Err(Unfit::Life("maxLifeSeconds")),
        }
    }

    /// How long a token with such a scope may live.
    pub fn max_life(&self) -> Option<Duration> {
        self.max_life_seconds.map(Duration::from_secs)
    }
}

/// Whether a rule can be about so many seconds.
fn fits(life: u64) -> bool {
    (1..=LONGEST).contains(&life)
}

impl Decision {
    /// What is in force.
    pub fn of(policy: &PersonalTokenPolicy) -> Self {
        Self {
            max_life_seconds: policy.max_life.map(|life| life.as_secs()),
            default_life_seconds: policy.default_life.as_secs(),
            never_expires_allowed: policy.may_never_expire,
            per_user: u32::try_from(policy.per_user).unwrap_or(u32::MAX),
            creators: policy.creators.clone(),
            networks_required: policy.networks_required,
            approval_required: policy.approval_required,
            scopes: policy.scopes.clone(),
        }
    }

    /// The rules of `settings`, but for what is decided here.
    pub fn over(self, settings: &PersonalTokenPolicy) -> PersonalTokenPolicy {
        PersonalTokenPolicy {
            max_life: self.max_life_seconds.map(Duration::from_secs),
            default_life: Duration::from_secs(self.default_life_seconds),
            may_never_expire: self.never_expires_allowed,
            per_user: self.per_user as usize,
            creators: self.creators,
            networks_required: self.networks_required,
            approval_required: self.approval_required,
            scopes: self.scopes,
            ..settings.clone()
        }
    }

    /// Whether it can be; the first that is wrong, if not.
    pub fn check(&self) -> Result<(), Unfit> {
        match self.problems().into_iter().next() {
            Some(problem) => Err(problem),
            None => self.scopes.iter().try_for_each(ScopeRule::check),
        }
    }

    /// All that is wrong with it, but for single rules for scopes.
    pub fn problems(&self) -> Vec<Unfit> {
        let names = match &self.creators {
            Creators::Users(users) => users.len(),
            Creators::Everyone | Creators::Administrators => 1,
        };
        let max_life = self.max_life_seconds.is_none_or(fits);
        let default_life = fits(self.default_life_seconds);
        let problems = [
            (max_life, Unfit::Life("maxLifeSeconds")),
            (default_life, Unfit::Life("defaultLifeSeconds")),
            ((1..=10_000).contains(&self.per_user), Unfit::PerUser),
            (self.scopes.len() <= 100, Unfit::TooMany),
            ((1..=USERS_MAX).contains(&names), Unfit::Users),
        ];
        let wrong = problems.into_iter().filter(|(is_fine, _)| !is_fine);
        wrong.map(|(_, problem)| problem).collect()
    }

    /// The same if it can be, with everybody in it by their id.
    fn settled(mut self, conn: &mut Conn) -> Result<Self, Unfit> {
        self.check()?;
        if let Creators::Users(users) = &mut self.creators {
            for word in users.iter_mut() {
                let person = User::meant(conn, word)?.filter(|user| !user.is_service());
                let person = person.ok_or_else(|| Unfit::NoUser(word.clone()))?;
                *word = person.id.to_string();
            }
            users.sort_unstable();
            users.dedup();
        }
        Ok(self)
    }

    /// How many live tokens would break it, and some of them.
    pub fn preview(self, rx: &mut Rx) -> Result<(usize, Vec<(PersonalToken, Breach)>), Unfit> {
        let (settings, now) = (rx.policy, rx.now);
        let policy = self.settled(rx)?.over(&settings.personal);
        let (mut count, mut some, mut after) = (0, vec![], None);
        loop {
            let batch = PersonalToken::live_after(rx, after, now, BATCH)?;
            let Some(last) = batch.last else {
                return Ok((count, some));
            };
            after = Some(last);
            for token in batch.live {
                let (grant, end) = (&token.grant, token.token.expires_at);
                let made = token.token.created_at.whole_second();
                if let Some(breach) = policy.breach(&grant.scope, &grant.limits, made, end) {
                    count += 1;
                    if some.len() < SHOWN {
                        some.push((token, breach));
                    }
                }
            }
        }
    }

    /// Let it be in force from now on, on every node. What is kept is the answer.
    pub fn decide(self, tx: &mut Tx) -> Result<Self, Unfit> {
        let decided = self.settled(tx)?;
        let document = serde_json::to_string(&decided)
            .map_err(|_| Fault::Broken("a policy can't be written as JSON"))?;
        let (now, by) = (tx.now, tx.caller.actor.to_string());
        let values = (
            token_policy::document.eq(&document),
            token_policy::changed_at.eq(now),
            token_policy::changed_by.eq(&by),
        );
        let row = diesel::update(token_policy::table.find(ROW)).set(values);
        if row.execute(&mut **tx)? == 0 {
            diesel::insert_into(token_policy::table)
                .values((token_policy::id.eq(ROW), values))
                .execute(&mut **tx)?;
        }
        tx.record(Event::new(What::TokenPolicyChanged).detail(document))?;
        Ok(decided)
    }
}

impl PersonalTokenPolicy {
    /// What is in force: the settings, unless an administrator has decided otherwise.
    pub fn in_force(conn: &mut Conn, settings: &Policy) -> Result<Self, Fault> {
        let document: Option<String> = token_policy::table
            .find(ROW)
            .select(token_policy::document)
            .get_result(conn)
            .optional()?;
        let Some(document) = document else {
            return Ok(settings.personal.clone());
        };
        let decision: Decision = serde_json::from_str(&document)
            .map_err(|_| Fault::Broken("the policy in the database can't be read"))?;
        Ok(decision.over(&settings.personal))
    }

    /// The longest life a token with this scope may be given; `None` for no limit.
    pub fn longest_life(&self, scope: &Scope) -> Option<Duration> {
        let rules = self.rules_for(scope).filter_map(ScopeRule::max_life);
        rules.chain(self.max_life).min()
    }

    /// Whether a token with this scope needs to be limited to networks.
    pub fn needs_networks(&self, scope: &Scope) -> bool {
        self.networks_required || self.rules_for(scope).any(|rule| rule.networks_required)
    }

    fn rules_for<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a ScopeRule> {
        let about = |rule: &&ScopeRule| scope.iter().any(|word| rule.is_about(word));
        self.scopes.iter().filter(about)
    }

    /// What a token that was made at `made` breaks of these rules, if anything.
    pub fn breach(
        &self,
        scope: &Scope,
        limits: &Limits,
        made: Timestamp,
        end: Option<Timestamp>,
    ) -> Option<Breach> {
        let longest = self.longest_life(scope);
        match end {
            None if longest.is_some() || !self.may_never_expire => {
                return Some(Breach::NeverExpires);
            }
            Some(end) if longest.is_some_and(|life| end > made + life) => {
                return Some(Breach::LivesTooLong);
            }
            _ => {}
        }
        (limits.networks.is_none() && self.needs_networks(scope)).then_some(Breach::NoNetworks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(scope: &str, max_life_seconds: Option<u64>, networks_required: bool) -> ScopeRule {
        ScopeRule {
            scope: scope.to_owned(),
            max_life_seconds,
            networks_required,
        }
    }

    fn scope(words: &str) -> Scope {
        Scope::parse(words).unwrap()
    }

    #[test]
    fn of_several_rules_the_strictest_holds() {
        let policy = PersonalTokenPolicy {
            max_life: Some(Duration::from_secs(90)),
            scopes: vec![
                rule("admin:*", Some(30), false),
                rule("admin:keys", Some(10), true),
                rule("notes:read", Some(365), false),
            ],
            ..PersonalTokenPolicy::default()
        };
        for (words, life) in [
            ("notes:read", 90),
            ("admin:users", 30),
            ("admin:users notes:read", 30),
            ("admin:keys", 10),
            ("administer", 90),
        ] {
            let longest = policy.longest_life(&scope(words));
            assert_eq!(longest, Some(Duration::from_secs(life)), "{words}");
        }
        assert!(policy.needs_networks(&scope("admin:keys notes:read")));
        assert!(!policy.needs_networks(&scope("admin:users")));
    }

    #[test]
    fn what_says_nothing_or_names_nothing_is_no_rule() {
        let with = |rule| Decision {
            scopes: vec![rule],
            ..Decision::of(&PersonalTokenPolicy {
                default_life: Duration::from_secs(1),
                per_user: 1,
                ..PersonalTokenPolicy::default()
            })
        };
        assert!(with(rule("*", Some(1), false)).check().is_ok());
        for bad in [
            rule("a*b", Some(1), false),
            rule("a b", Some(1), false),
            rule("", Some(1), false),
            rule("a", None, false),
            rule("a", Some(0), false),
        ] {
            assert!(with(bad.clone()).check().is_err(), "{bad:?}");
        }
    }
}
