//! For people at a browser: one file a page, with the struct its template is rendered from. Everything works by plain
//! forms; scripts only add comfort.

pub mod admin;
pub mod apps;
pub mod assets;
mod authentication;
mod choices;
pub mod consent;
mod error;
pub mod home;
pub mod password;
pub mod service_accounts;
pub mod sign_in;
pub mod step_up;
pub mod tokens;
mod when;

use std::borrow::Cow;

use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType, LOCATION};
use actix_web::{HttpResponse, HttpResponseBuilder};
use askama::Template;
use url::form_urlencoded;

pub use crate::domain::plain::plain;
pub use choices::{DetailsChoice, ScopeChoice};
pub use error::Error;
pub use when::When;

use super::browser::Browser;
use super::doors::{SignedIn, Visitor};

const PRODUCT: &str = "Jeton";

/// What every page needs besides its own content.
#[derive(Default)]
pub struct Frame {
    pub product: &'static str,
    /// Changes when the stylesheet or the script changes, so that both can be cached for long.
    pub version: &'static str,
    pub csrf: String,
    pub viewer: Option<Viewer>,
    /// The current entry of the navigation: "tokens", "service-accounts", "apps", "password", "admin", "approvals", "policy"
    /// or "".
    pub here: &'static str,
    /// A sentence about an act that has just succeeded.
    pub notice: Option<&'static str>,
}

/// The person who is signed in.
pub struct Viewer {
    pub username: String,
    pub is_admin: bool,
    /// To an administrator: how many tokens wait for approval.
    pub waiting: i64,
    /// Whether they keep a service account.
    pub is_keeper: bool,
}

impl Frame {
    /// For a page that shows nothing of anybody.
    fn bare() -> Self {
        Self {
            product: PRODUCT,
            version: assets::version(),
            ..Self::default()
        }
    }

    pub fn of_visitor(visitor: &Visitor) -> Self {
        Self {
            csrf: visitor.browser.csrf(),
            ..Self::bare()
        }
    }

    pub fn of(person: &SignedIn, here: &'static str) -> Self {
        Self {
            csrf: person.browser.csrf(),
            viewer: Some(Viewer {
                username: person.user.username.clone(),
                is_admin: person.user.is_admin,
                waiting: person.waiting,
                is_keeper: person.is_keeper,
            }),
            here,
            ..Self::bare()
        }
    }

    pub fn with_notice(self, notice: Option<&'static str>) -> Self {
        Self { notice, ..self }
    }
}

/// Why one field was refused; the field "form" stands for the form as a whole.
pub struct FieldError {
    pub field: Cow<'static, str>,
    pub message: String,
}

/// All that was refused in one form.
#[derive(Default)]
pub struct Errors(pub Vec<FieldError>);

impl Errors {
    pub fn one(field: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(field, message);
        errors
    }

    pub fn add(&mut self, field: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        self.0.push(FieldError {
            field: field.into(),
            message: message.into(),
        });
    }

    pub fn on(&self, field: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|error| error.field == field)
            .map(|error| error.message.as_str())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Where the forms of a page may lead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// To this server only.
    Here,
    /// On to an app, by a redirect, which browsers count as the form's target too (CSP `form-action`).
    ToAnApp,
}

/// Send a page, and the cookie that its forms need if the browser has none yet.
pub fn page(
    mut response: HttpResponseBuilder,
    browser: &Browser,
    leads: Leads,
    template: &impl Template,
) -> Result<HttpResponse, Error> {
    if let Some(cookie) = browser.cookie() {
        response.cookie(cookie);
    }
    html(response, leads, template)
}

fn html(
    mut response: HttpResponseBuilder,
    leads: Leads,
    template: &impl Template,
) -> Result<HttpResponse, Error> {
    let form_action = match leads {
        Leads::Here => "; form-action 'self'",
        Leads::ToAnApp => "",
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; \
         frame-ancestors 'none'{form_action}"
    );
    let body = template
        .render()
        .map_err(|_| crate::db::Fault::Broken("a page could not be rendered"))?;
    Ok(response
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header(ContentType::html())
        .body(body))
}

/// Send the browser on, with GET whatever it came with (RFC 9700 §4.12).
pub fn see_other(url: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, url))
        .finish()
}

/// A path of ours with a query.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!("{path}?{query}")
}

/// `next` if it is a path on this server; anything else could lead people astray.
pub fn safe_next(next: Option<&str>) -> String {
    let local = next.filter(|next| {
        next.starts_with('/')
            && !next.starts_with("//")
            && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
    });
    local.unwrap_or("/").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_ours_comes_next() {
        assert_eq!(
            safe_next(Some("/settings/tokens?show=ended")),
            "/settings/tokens?show=ended"
        );
        for bad in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:x",
            "",
            "/a\nb",
            "/é",
        ] {
            assert_eq!(safe_next(Some(bad)), "/", "{bad:?}");
        }
    }
}
