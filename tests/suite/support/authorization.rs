//! The authorization endpoint as a person and an app see it: a page, or the way back with an answer.

use std::collections::BTreeMap;

use jeton::domain::client::Client;

use super::{App, Browser, Page, Server, inputs, query};

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
        inputs(&self.body, "scope")
    }

    /// The objects of authorization details that it offers.
    pub fn offered_details(&self) -> Vec<String> {
        inputs(&self.body, "authorization_details")
    }
}

impl Browser {
    /// Answer a consent page with these scopes ticked, and none of the details.
    pub async fn decide(&self, page: &Page, decision: &str, ticked: &[&str]) -> Page {
        self.decide_on_details(page, decision, ticked, &[]).await
    }

    /// Answer a consent page with these scopes and these objects ticked.
    pub async fn decide_on_details(
        &self,
        page: &Page,
        decision: &str,
        ticked: &[&str],
        objects: &[String],
    ) -> Page {
        let (csrf, request) = (page.input("csrf"), page.input("request"));
        let mut form = vec![("request", request.as_str()), ("decision", decision)];
        form.extend(ticked.iter().map(|scope| ("scope", *scope)));
        let objects = objects.iter().map(String::as_str);
        form.extend(objects.map(|object| ("authorization_details", object)));
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
