//! The authorization endpoint as a person and an app see it: a page, or the way back with an answer.

use std::collections::BTreeMap;

use jeton::domain::client::Client;

use super::{App, Browser, Page, Server, query};

impl Page {
    /// The answer that this redirect brings to the app at `redirect_uri`. It has to go there and nowhere else.
    pub fn brings(&self, redirect_uri: &str) -> BTreeMap<String, String> {
        assert_eq!(self.status, 303, "{}", self.body);
        let location = self.location();
        let rest = location.strip_prefix(redirect_uri).unwrap_or("elsewhere");
        assert!(rest.starts_with(['?', '&']), "sent to {location}");
        assert!(!rest.contains('#'), "answered in the fragment: {location}");
        query(location)
    }

    /// The error that this redirect brings to the app.
    pub fn error_at(&self, redirect_uri: &str) -> String {
        let answer = self.brings(redirect_uri);
        assert!(!answer.contains_key("code"), "an error and a code");
        answer.get("error").cloned().unwrap_or_default()
    }

    /// Whether it tells the person what is wrong, and sends them nowhere.
    pub fn is_dead_end(&self) -> bool {
        let html = self.header("content-type").starts_with("text/html");
        self.status == 400 && html && !self.headers.contains_key("location")
    }

    /// Whether it sends the person to sign in: the request itself is good.
    pub fn asks_to_sign_in(&self) -> bool {
        self.status == 303
            && self
                .location()
                .starts_with("/sign-in?next=%2Foauth%2Fauthorize")
    }

    /// Whether it asks the person for their consent.
    pub fn asks_for_consent(&self) -> bool {
        self.body.contains("action=\"/oauth/authorize/decision\"")
    }

    /// The scopes that a consent page offers.
    pub fn offered(&self) -> Vec<String> {
        let boxes = self.body.split("<input");
        boxes
            .filter(|tag| tag.contains("name=\"scope\""))
            .filter_map(|tag| Some(tag.split("value=\"").nth(1)?.split('"').next()?.to_owned()))
            .collect()
    }
}

impl Browser {
    /// Answer a consent page with these boxes ticked.
    pub async fn decide(&self, page: &Page, decision: &str, ticked: &[&str]) -> Page {
        let (csrf, request) = (page.input("csrf"), page.input("request"));
        let mut form = vec![("request", request.as_str()), ("decision", decision)];
        form.extend(ticked.iter().map(|scope| ("scope", *scope)));
        self.submit_with(&csrf, "/oauth/authorize/decision", &form)
            .await
    }
}

impl Server {
    /// Switch an app off, as the operator does.
    pub fn disable_app(&self, app: &App) {
        self.write(|tx| {
            let client = Client::find(tx, &app.client_id)?.expect("the app is registered");
            Ok(client.disable(tx)?)
        });
    }
}
