//! What a proxy asks, without the proxy.

use jeton::domain::forward_policy::{ForwardPolicy, Headers, Otherwise};
use jeton::domain::tx::Caller;
use reqwest::{RequestBuilder, Response};

use super::Server;

/// A policy named `notes` for `https://notes.example`, with these rules and all else as it is unless said.
pub fn policy(rules: &[&str]) -> ForwardPolicy {
    ForwardPolicy {
        name: "notes".to_owned(),
        audience: "https://notes.example".to_owned(),
        rules: rules
            .iter()
            .map(|rule| rule.parse().expect("a rule"))
            .collect(),
        otherwise: Otherwise::default(),
        headers: Headers::default(),
    }
}

impl Server {
    /// Keep a policy, in the place of one of its name.
    pub fn put_policy(&self, mut policy: ForwardPolicy) {
        let kept = self
            .app
            .write_blocking(&Caller::command_line(), |tx| policy.put(tx));
        kept.expect("the policy can be kept");
    }

    /// The notes, and a policy named `notes` with these rules.
    pub fn guard_notes(&self, rules: &[&str]) {
        self.notes();
        self.put_policy(policy(rules));
    }

    /// The question that nginx asks of a request.
    pub fn asks(&self, method: &str, target: &str) -> RequestBuilder {
        let question = self.get("/forward-auth/notes");
        let question = question.header("X-Original-Method", method);
        question.header("X-Original-URI", target)
    }

    /// What becomes of a request with this token.
    pub async fn judges(&self, token: &str, method: &str, target: &str) -> u16 {
        let question = self.asks(method, target).bearer_auth(token);
        question
            .send()
            .await
            .expect("the server answers")
            .status()
            .as_u16()
    }
}

/// The `WWW-Authenticate` lines of an answer.
pub fn challenges(answer: &Response) -> Vec<String> {
    let all = answer.headers().get_all("www-authenticate").iter();
    all.map(|value| value.to_str().expect("ASCII").to_owned())
        .collect()
}
