//! `jeton forward-auth`: what proxies may let through to services that know nothing of tokens.

use std::collections::BTreeMap;

use clap::Subcommand;
use serde::Serialize;

use super::{Answer, Error, table, write};
use crate::app::App;
use crate::domain::forward_policy::{BadHeader, Fact, ForwardPolicy, Headers, Otherwise, Unfit};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a policy, by which a proxy may ask at /forward-auth/NAME
    Create {
        /// What the proxy knows it by: small letters, digits and dashes
        name: String,
        /// The API whose tokens the service takes, by its URI
        #[arg(long, value_name = "URI")]
        resource: String,
        /// Methods, a path, and the scopes it takes: 'GET,HEAD /notes/* notes:read', with * for any method (repeatable;
        /// the first that is for a request decides)
        #[arg(long, value_name = "RULE")]
        rule: Vec<String>,
        /// What becomes of a request that no rule is for, if its token is good: deny or allow
        #[arg(long, default_value = Otherwise::default().as_str())]
        otherwise: String,
        /// Another header to tell something by: 'username=X-WEBAUTH-USER' (repeatable)
        #[arg(long, value_name = "FACT=NAME")]
        header: Vec<String>,
        /// Put it in the place of the policy of that name, if there is one
        #[arg(long)]
        replace: bool,
    },
    /// Show all policies
    List,
    /// Remove a policy: nothing passes by it any more
    Remove { name: String },
}

/// A policy as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    resource: &'a str,
    rules: Vec<String>,
    otherwise: &'a str,
    headers: BTreeMap<&'static str, &'a str>,
}

impl<'a> Shown<'a> {
    fn of(policy: &'a ForwardPolicy) -> Self {
        let headers = Fact::ALL.map(|fact| (fact.as_str(), policy.headers.name(fact)));
        Self {
            name: &policy.name,
            resource: &policy.audience,
            rules: policy.rules.iter().map(ToString::to_string).collect(),
            otherwise: policy.otherwise.as_str(),
            headers: headers.into(),
        }
    }

    fn row(&self) -> [String; 4] {
        let rules = self.rules.join("; ");
        [self.name, self.resource, &rules, self.otherwise].map(str::to_owned)
    }
}

impl Command {
    pub(super) fn run(self, app: &App) -> Result<Answer, Error> {
        match self {
            Command::Create {
                name,
                resource,
                rule,
                otherwise,
                header,
                replace,
            } => {
                let rules = rule.iter().map(|rule| rule.parse().map_err(Unfit::Rule));
                let policy = ForwardPolicy {
                    name,
                    audience: resource,
                    rules: rules.collect::<Result<_, _>>()?,
                    otherwise: otherwise.parse()?,
                    headers: headers(&header).map_err(Unfit::Header)?,
                };
                create(app, policy, replace)
            }
            Command::List => list(app),
            Command::Remove { name } => remove(app, &name),
        }
    }
}

fn create(app: &App, mut policy: ForwardPolicy, replace: bool) -> Result<Answer, Error> {
    write(app, |tx| {
        match replace {
            true => policy.put(tx).map(drop)?,
            false => policy.create(tx)?,
        }
        Ok(())
    })?;
    let text = format!(
        "A proxy may ask at /forward-auth/{} what to let through with a token for {}.",
        policy.name, policy.audience
    );
    Ok(Answer::new(&Shown::of(&policy), text))
}

fn list(app: &App) -> Result<Answer, Error> {
    let policies = app.read_blocking(|rx| Ok::<_, Error>(ForwardPolicy::all(rx)?))?;
    let shown: Vec<Shown> = policies.iter().map(Shown::of).collect();
    let head = ["NAME", "RESOURCE", "RULES", "OTHERWISE"];
    Ok(Answer::new(
        &shown,
        table(head, shown.iter().map(Shown::row)),
    ))
}

fn remove(app: &App, name: &str) -> Result<Answer, Error> {
    if !write(app, |tx| Ok(ForwardPolicy::remove(tx, name)?))? {
        return Err(Error::refused(format!("there is no policy {name}")));
    }
    let text = format!("Nothing passes by {name} any more.");
    Ok(Answer::new(&BTreeMap::from([("name", name)]), text))
}

/// Read the `--header` options.
fn headers(options: &[String]) -> Result<Headers, BadHeader> {
    let pairs = options.iter().map(|option| {
        let pair = option.split_once('=');
        pair.unwrap_or((option.as_str(), ""))
    });
    Headers::of(pairs)
}
