//! A resource server: what asks about tokens.

use reqwest::Response;
use serde_json::Value;

use super::server::{client, json};

#[derive(Clone)]
pub struct ResourceServer {
    pub uri: String,
    pub client_id: String,
    pub client_secret: String,
    url: String,
    http: reqwest::Client,
}

impl ResourceServer {
    pub fn new(url: &str, uri: String, client_id: String, client_secret: &str) -> Self {
        Self {
            uri,
            client_id,
            client_secret: client_secret.to_owned(),
            url: url.to_owned(),
            http: client(),
        }
    }

    /// The same resource server, asking another node.
    pub fn at(&self, node: &super::Server) -> Self {
        Self {
            url: node.url.clone(),
            ..self.clone()
        }
    }

    /// The same resource server with another secret.
    pub fn with_secret(&self, secret: &str) -> Self {
        Self {
            client_secret: secret.to_owned(),
            ..self.clone()
        }
    }

    /// What it is told of a token.
    pub async fn introspect(&self, token: &str) -> Value {
        json(self.ask(&[("token", token)]).await, 200).await
    }

    /// Whether a token is active. An inactive one must say nothing else.
    pub async fn accepts(&self, token: &str) -> bool {
        let answer = self.introspect(token).await;
        match answer["active"].as_bool().expect("active is there") {
            true => true,
            false => {
                assert_eq!(answer, serde_json::json!({"active": false}));
                false
            }
        }
    }

    /// The answer to any introspection form, with this resource server's credentials.
    pub async fn ask(&self, form: &[(&str, &str)]) -> Response {
        self.http
            .post(format!("{}/oauth/introspect", self.url))
            .basic_auth(&self.client_id, Some(&self.client_secret))
            .form(form)
            .send()
            .await
            .expect("the server answers")
    }
}
