//! A script: what calls the JSON API with a token.

use reqwest::Response;
use serde_json::Value;

use super::{AppOptions, Server};

/// Where a signed-in person's own tokens are.
pub const MINE: &str = "/api/my-account/personal-access-tokens";

#[derive(Clone)]
pub struct Script {
    token: String,
    url: String,
    http: reqwest::Client,
}

impl Server {
    /// A script that holds this token.
    pub fn script(&self, token: &str) -> Script {
        Script {
            token: token.to_owned(),
            url: self.url.clone(),
            http: self.http.clone(),
        }
    }

    /// A service whose own access token has this scope of the management API.
    pub async fn manager(&self, scope: &str) -> Script {
        let app = self.app(AppOptions {
            name: "Manager",
            scope: "introspection pats:read pats:write pats:revoke policies:read policies:write audit:read",
            ..AppOptions::default()
        });
        self.script(&app.own_token(scope).await.access)
    }
}

impl Script {
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The answer to a request with the token in its header, and JSON in its body if there is any.
    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Response {
        let method = method.parse().expect("a method");
        let request = self.http.request(method, format!("{}{path}", self.url));
        let request = request.bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        request.send().await.expect("the server answers")
    }

    /// Status and JSON of an answer; `null` where it has none.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = (!body.is_null()).then_some(&body);
        let answer = self.send(method, path, body).await;
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, Value::Null).await
    }
}
