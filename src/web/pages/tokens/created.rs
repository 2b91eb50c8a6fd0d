//! The token that has just been made: the one page that ever shows its secret.

use actix_web::HttpResponse;
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::personal_token::{PersonalToken, Rotated, State};
use crate::domain::secret::Secret;
use crate::web::doors::SignedIn;
use crate::web::pages::when::length;
use crate::web::pages::{Error, Frame, Leads, When, page};
use crate::web::whose::Whose;

#[derive(Template)]
#[template(path = "tokens/created.html")]
struct CreatedToken<'a> {
    frame: Frame,
    whose: &'a Whose,
    name: String,
    secret: String,
    expires: Option<When>,
    scopes: Vec<String>,
    resources: Vec<String>,
    details: Vec<String>,
    /// A command that works as it stands.
    curl: String,
    /// The file as a `data:` URL, percent-encoded.
    dotenv: String,
    /// The token it takes over from.
    old: Option<Old>,
    /// Whether it waits for approval.
    pending: bool,
}

struct Old {
    hint: String,
    /// The latest end of it; `None` if it has ended.
    until: Option<When>,
    /// "15 minutes"
    drain: String,
}

pub(super) fn page_for(
    person: &SignedIn,
    whose: &Whose,
    token: &PersonalToken,
    secret: &Secret,
) -> Result<HttpResponse, Error> {
    reveal(person, whose, token, secret, None)
}

pub(super) fn page_for_successor(
    person: &SignedIn,
    whose: &Whose,
    rotated: &Rotated,
) -> Result<HttpResponse, Error> {
    let (now, old) = (person.app.now(), &rotated.predecessor);
    let until = old.token.overlap_until;
    let until = until.filter(|_| old.state(now) == State::Rotating);
    let old = Old {
        hint: old.token.hint.clone(),
        until: until.map(|until| When::of(until, now)),
        drain: length(person.app.policy().personal.drain),
    };
    reveal(
        person,
        whose,
        &rotated.successor,
        &rotated.secret,
        Some(old),
    )
}

fn reveal(
    person: &SignedIn,
    whose: &Whose,
    token: &PersonalToken,
    secret: &Secret,
    old: Option<Old>,
) -> Result<HttpResponse, Error> {
    let now = person.app.now();
    let grant = &token.grant;
    let resources: Vec<String> = grant.audience.iter().map(str::to_owned).collect();
    let dotenv = format!("JETON_TOKEN={}\n", secret.expose());
    let view = CreatedToken {
        frame: Frame::of(person, whose.here),
        whose,
        name: token.name().to_owned(),
        secret: secret.expose().to_owned(),
        expires: token.token.expires_at.map(|end| When::of(end, now)),
        scopes: grant.scope.iter().map(str::to_owned).collect(),
        details: grant.details_in_lines(),
        curl: format!(
            "curl -H 'Authorization: Bearer {}' {}",
            secret.expose(),
            resources.first().map(String::as_str).unwrap_or_default()
        ),
        dotenv: format!(
            "data:text/plain;charset=utf-8,{}",
            utf8_percent_encode(&dotenv, NON_ALPHANUMERIC)
        ),
        resources,
        old,
        pending: token.grant.pending_since.is_some(),
    };
    page(HttpResponse::Created(), &person.browser, Leads::Here, &view)
}
