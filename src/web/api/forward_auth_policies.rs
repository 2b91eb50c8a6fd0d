//! `/api/forward-auth-policies`: what proxies may let through, for managers.

use std::collections::BTreeMap;

use actix_web::web::{self, Json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Code, Error, parse};
use crate::domain::forward_policy::{
    BadRule, Fact, ForwardPolicy, Headers, Otherwise, Rule, Unfit,
};
use crate::domain::words::Scope;
use crate::web::doors::{Manager, ReadPolicies, WritePolicies};
use crate::web::openapi::{NoContent, Operation, Put};

/// A policy as it is told, and as it may be sent back.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ForwardAuthPolicy")]
pub struct PolicyBody {
    /// The same as in the path, if it is said.
    name: Option<String>,
    /// The URI of the resource that tokens have to be for.
    #[schemars(example = &"https://notes.example")]
    audience: String,
    rules: Vec<RuleBody>,
    /// What becomes of what no rule is about.
    #[serde(default)]
    #[schemars(example = &"deny")]
    otherwise: Option<String>,
    /// In which header the service is told which fact.
    #[serde(default)]
    #[schemars(example = BTreeMap::from([("subject", "X-Subject")]))]
    headers: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ForwardAuthRule")]
struct RuleBody {
    /// None for all.
    #[serde(default)]
    #[schemars(example = ["GET", "HEAD"])]
    methods: Vec<String>,
    #[schemars(example = &"/notes/*")]
    path: String,
    #[serde(default)]
    #[schemars(example = ["notes:read"])]
    scopes: Vec<String>,
}

pub const LIST: Operation = Operation::new(
    "listForwardAuthPolicies",
    "List all forward-auth policies, by name",
);
/// All policies, by name.
pub async fn list(by: Manager<ReadPolicies>) -> Result<Json<Vec<PolicyBody>>, Error> {
    let policies = by.app.query(|rx| ForwardPolicy::all(rx)).await?;
    let bodies: Vec<PolicyBody> = policies.iter().map(PolicyBody::of).collect();
    Ok(Json(bodies))
}

pub const SHOW: Operation = Operation::new("getForwardAuthPolicy", "Show a forward-auth policy");
/// One policy.
pub async fn show(
    by: Manager<ReadPolicies>,
    name: web::Path<String>,
) -> Result<Json<PolicyBody>, Error> {
    let policy = by
        .app
        .query(move |rx| ForwardPolicy::named(rx, &name))
        .await?;
    let policy = policy.ok_or_else(|| Error::not_found("policy"))?;
    Ok(Json(PolicyBody::of(&policy)))
}

pub const PUT: Operation = Operation::new(
    "putForwardAuthPolicy",
    "Make a forward-auth policy, or put it in the place of the one there is",
)
.takes::<PolicyBody>()
.refuses(&[
    Code::PolicyNameInvalid,
    Code::PolicyAudienceUnknown,
    Code::PolicyScopeUnknown,
    Code::PolicyRuleInvalid,
    Code::PolicyOtherwiseInvalid,
    Code::PolicyHeaderInvalid,
]);
/// Make a policy, or put it in the place of the one there is.
pub async fn put(
    by: Manager<WritePolicies>,
    name: web::Path<String>,
) -> Result<Put<PolicyBody>, Error> {
    let body: PolicyBody = parse(&by.body)?;
    let mut policy = body.read(name.into_inner())?;
    let (policy, is_new) = by
        .write(move |tx| {
            let is_new = policy.put(tx)?;
            Ok((policy, is_new))
        })
        .await?;
    let body = PolicyBody::of(&policy);
    Ok(Put { body, is_new })
}

pub const REMOVE: Operation = Operation::new(
    "removeForwardAuthPolicy",
    "Remove a forward-auth policy: nothing passes by it any more",
);
/// Remove a policy: nothing passes by it any more.
pub async fn remove(
    by: Manager<WritePolicies>,
    name: web::Path<String>,
) -> Result<NoContent, Error> {
    let removed = by
        .write(move |tx| Ok(ForwardPolicy::remove(tx, &name)?))
        .await?;
    match removed {
        true => Ok(NoContent),
        false => Err(Error::not_found("policy")),
    }
}

impl PolicyBody {
    fn of(policy: &ForwardPolicy) -> Self {
        let headers = Fact::ALL.map(|fact| {
            let name = policy.headers.name(fact);
            (fact.as_str().to_owned(), name.to_owned())
        });
        Self {
            name: Some(policy.name.clone()),
            audience: policy.audience.clone(),
            rules: policy.rules.iter().map(RuleBody::of).collect(),
            otherwise: Some(policy.otherwise.as_str().to_owned()),
            headers: headers.into(),
        }
    }

    fn read(self, name: String) -> Result<ForwardPolicy, Error> {
        if self.name.is_some_and(|other| other != name) {
            return Err(Error::malformed(
                "The name in the body is not that in the path.",
            ));
        }
        let headers = self.headers.iter();
        let headers = Headers::of(headers.map(|(fact, name)| (fact.as_str(), name.as_str())));
        let otherwise: Option<Result<Otherwise, Unfit>> = self.otherwise.map(|text| text.parse());
        let rules = self.rules.iter().map(RuleBody::read);
        Ok(ForwardPolicy {
            name,
            audience: self.audience,
            rules: rules.collect::<Result<_, _>>().map_err(Unfit::Rule)?,
            otherwise: otherwise.transpose()?.unwrap_or_default(),
            headers: headers.map_err(Unfit::Header)?,
        })
    }
}

impl RuleBody {
    fn of(rule: &Rule) -> Self {
        Self {
            methods: rule.methods().to_vec(),
            path: rule.path().to_owned(),
            scopes: rule.scope().iter().map(str::to_owned).collect(),
        }
    }

    fn read(&self) -> Result<Rule, BadRule> {
        let methods: Vec<&str> = self.methods.iter().map(String::as_str).collect();
        let scope = Scope::of(self.scopes.iter().map(String::as_str)).map_err(BadRule::Scope)?;
        Rule::new(&methods, &self.path, scope)
    }
}
