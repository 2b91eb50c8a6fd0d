//! What the form for the rules says.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::parse_duration;
use crate::domain::policy::Creators;
use crate::domain::token_policy::{Decision, ScopeRule, Unfit};
use crate::oauth::Params;
use crate::web::pages::tokens::expiry::value_of;
use crate::web::pages::{Errors, with_query};

/// Rules for scopes that a form has at most,
const RULES_MAX: usize = 100;
/// and lines for new ones.
const BLANK: usize = 2;

const LENGTH: &str = "From 1 second to 100 years, such as 12h or 90d.";

/// The fields as they stand in the form, whether they are rules or not.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// "90d"; empty for no limit.
    pub max_life: String,
    pub default_life: String,
    pub never_expires: bool,
    pub per_user: String,
    /// "everyone", "administrators" or "users"
    pub creators: String,
    /// Names, with spaces or commas between them.
    pub users: String,
    pub networks: bool,
    pub approval: bool,
    pub rules: Vec<Rule>,
}

/// A line of the form: a rule for some scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    pub scope: String,
    /// "90d"; empty for no limit of its own.
    pub life: String,
    pub networks: bool,
}

impl Wish {
    /// The rules as they are, in which people have these names.
    pub fn of(decision: &Decision, names: &HashMap<String, String>) -> Self {
        let life = |seconds: Option<u64>| {
            seconds.map_or_else(String::new, |life| value_of(Duration::from_secs(life)))
        };
        let (creators, users) = match &decision.creators {
            Creators::Everyone => ("everyone", vec![]),
            Creators::Administrators => ("administrators", vec![]),
            Creators::Users(ids) => ("users", ids.clone()),
        };
        let users = users.into_iter();
        let mut users: Vec<String> = users
            .map(|id| names.get(&id).cloned().unwrap_or(id))
            .collect();
        users.sort_unstable();
        let rules = decision.scopes.iter().map(|rule| Rule {
            scope: rule.scope.clone(),
            life: life(rule.max_life_seconds),
            networks: rule.networks_required,
        });
        Self {
            max_life: life(decision.max_life_seconds),
            default_life: life(Some(decision.default_life_seconds)),
            never_expires: decision.never_expires_allowed,
            per_user: decision.per_user.to_string(),
            creators: creators.to_owned(),
            users: users.join(" "),
            networks: decision.networks_required,
            approval: decision.approval_required,
            rules: rules.collect(),
        }
    }

    /// What was sent, or stands in a link.
    pub fn sent(form: &Params) -> Self {
        let text = |name: &str| form.get(name).unwrap_or_default().trim().to_owned();
        let ticked = |name: &str| form.get(name).is_some();
        let lines = (0..RULES_MAX + BLANK).map(|line| Rule {
            scope: text(&format!("scope_{line}")),
            life: text(&format!("life_{line}")),
            networks: ticked(&format!("networks_{line}")),
        });
        Self {
            max_life: text("max_life"),
            default_life: text("default_life"),
            never_expires: ticked("never_expires"),
            per_user: text("per_user"),
            creators: text("creators"),
            users: text("users"),
            networks: ticked("networks"),
            approval: ticked("approval"),
            rules: lines.filter(|rule| *rule != Rule::default()).collect(),
        }
    }

    /// All of it, by the names of the fields.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let yes = |is: bool| if is { "yes" } else { "" };
        let mut pairs = vec![
            ("max_life".to_owned(), self.max_life.as_str()),
            ("default_life".to_owned(), &self.default_life),
            ("never_expires".to_owned(), yes(self.never_expires)),
            ("per_user".to_owned(), &self.per_user),
            ("creators".to_owned(), &self.creators),
            ("users".to_owned(), &self.users),
            ("networks".to_owned(), yes(self.networks)),
            ("approval".to_owned(), yes(self.approval)),
        ];
        for (line, rule) in self.rules.iter().enumerate() {
            pairs.push((format!("scope_{line}"), &rule.scope));
            pairs.push((format!("life_{line}"), &rule.life));
            pairs.push((format!("networks_{line}"), yes(rule.networks)));
        }
        let said = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        said.map(|(name, value)| (name, value.to_owned())).collect()
    }

    /// The link that brings the form back as it is.
    pub fn as_link(&self, path: &str) -> String {
        let pairs = self.pairs();
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        with_query(path, &pairs)
    }

    /// The lines of the form, some of them for new rules.
    pub fn lines(&self) -> Vec<(usize, Rule)> {
        let blank = BLANK.min(RULES_MAX.saturating_sub(self.rules.len()));
        let lines = self.rules.iter().cloned();
        let lines = lines.chain(std::iter::repeat_n(Rule::default(), blank));
        lines.enumerate().collect()
    }

    /// The rules that it says, or what is wrong with which field. Who is named is not looked up.
    pub fn decision(&self) -> Result<Decision, Errors> {
        let mut errors = Errors::default();
        let mut life = |field: String, text: &str| -> Option<u64> {
            let life = parse_duration(text).map(|life| life.as_secs());
            if life.is_none() && !text.is_empty() {
                errors.add(field, LENGTH);
            }
            life
        };
        let max_life_seconds = life("max_life".to_owned(), &self.max_life);
        let default_life = life("default_life".to_owned(), &self.default_life);
        let mut scopes = vec![];
        for (line, rule) in self.rules.iter().enumerate() {
            scopes.push(ScopeRule {
                scope: rule.scope.clone(),
                max_life_seconds: life(format!("life_{line}"), &rule.life),
                networks_required: rule.networks,
            });
        }
        let creators = self.creators.as_str();
        if !["everyone", "administrators", "users"].contains(&creators) {
            errors.add("creators", "Choose who may make tokens.");
        }
        let words = self.users.split([' ', ',', '\n', '\r', '\t']);
        let words = words.filter(|word| !word.is_empty()).map(str::to_owned);
        let decision = Decision {
            max_life_seconds,
            default_life_seconds: default_life.unwrap_or(0),
            never_expires_allowed: self.never_expires,
            // What is no number is as wrong as 0.
            per_user: self.per_user.parse().unwrap_or(0),
            creators: match creators {
                "administrators" => Creators::Administrators,
                "users" => Creators::Users(words.collect()),
                _ => Creators::Everyone,
            },
            networks_required: self.networks,
            approval_required: self.approval,
            scopes,
        };
        check(&decision, &mut errors);
        match errors.is_empty() {
            true => Ok(decision),
            false => Err(errors),
        }
    }
}

/// Put what is wrong at its field, where nothing is said yet.
fn check(decision: &Decision, errors: &mut Errors) {
    for problem in decision.problems() {
        let (field, message) = at_field(&problem);
        if errors.on(field).is_none() {
            errors.add(field, message);
        }
    }
    for (line, rule) in decision.scopes.iter().enumerate() {
        let life = format!("life_{line}");
        match rule.check() {
            _ if errors.on(&life).is_some() => {}
            Err(Unfit::Life(_)) => errors.add(life, LENGTH),
            Err(unfit) => errors.add(format!("scope_{line}"), unfit.to_string()),
            Ok(()) => {}
        }
    }
}

/// The field that a problem is about, and what is said there.
pub fn at_field(unfit: &Unfit) -> (&'static str, String) {
    match unfit {
        Unfit::Life("defaultLifeSeconds") => ("default_life", LENGTH.to_owned()),
        Unfit::Life(_) => ("max_life", LENGTH.to_owned()),
        Unfit::PerUser => ("per_user", "A number from 1 to 10000.".to_owned()),
        Unfit::NoUser(_) | Unfit::Users => ("users", unfit.to_string()),
        unfit => ("form", unfit.to_string()),
    }
}
