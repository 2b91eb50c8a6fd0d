//! Changing a token: its name and description, less scope, a shorter life.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::history::{HistoryRow, SHOWN};
use super::wish::networks;
use super::{TokenRow, at_field, own};
use crate::domain::audit::{Entry, Filter};
use crate::domain::personal_token::{Changes, PersonalToken};
use crate::domain::resource::Catalogue;
use crate::domain::seen_network::SeenNetwork;
use crate::domain::words::Scope;
use crate::oauth::Params;
use crate::web::doors::{Posted, SignedIn};
use crate::web::errors;
use crate::web::pages::when::{from_input, to_input};
use crate::web::pages::{
    DetailsChoice, Error, Errors, Frame, Leads, ScopeChoice, When, page, see_other, with_query,
};
use crate::web::whose::{Meant, Whose};

#[derive(Template)]
#[template(path = "tokens/edit.html")]
struct EditToken<'a> {
    frame: Frame,
    whose: &'a Whose,
    /// Fields: name, description, scope, expires_at, networks, form.
    errors: Errors,
    /// The token as it is.
    row: TokenRow,
    name: String,
    description: String,
    /// What the token holds now.
    scopes: Vec<ScopeChoice>,
    /// What it may do with named things.
    details: Vec<DetailsChoice>,
    /// As `datetime-local` writes it, in UTC.
    expires_at: String,
    /// The latest end that can be chosen; `None` when the token never expires.
    latest: Option<String>,
    networks: String,
    /// From where it was used.
    places: Vec<Place>,
    /// The last things that happened to it, newest first.
    history: Vec<HistoryRow>,
}

impl EditToken<'_> {
    /// Whether nothing of what it has is defined any more.
    fn is_undefined(&self) -> bool {
        self.scopes.is_empty() && self.details.iter().all(|choice| choice.said.is_none())
    }
}

/// From where a token was used.
struct Place {
    address: String,
    first: When,
    last: When,
}

/// How many places of its use are shown.
const PLACES: usize = 5;

/// What stands in the form's fields.
struct Fields {
    name: String,
    description: String,
    ticked: Vec<String>,
    /// The objects that stay; `None` for all of them.
    details: Option<Vec<String>>,
    expires_at: String,
    networks: String,
}

/// The form, as the token is.
pub async fn get(person: SignedIn, meant: web::Path<Meant>) -> Result<HttpResponse, Error> {
    let (whose, token) = own(&person, &meant).await?;
    let fields = Fields {
        name: token.name().to_owned(),
        description: token.grant.description.clone().unwrap_or_default(),
        ticked: token.grant.scope.iter().map(str::to_owned).collect(),
        details: None,
        expires_at: token.token.expires_at.map(to_input).unwrap_or_default(),
        networks: shown_networks(&token),
    };
    let errors = Errors::default();
    form(&person, StatusCode::OK, &whose, &token, fields, errors).await
}

/// Change the token, or say at which field it can't be changed so.
pub async fn post(
    posted: Posted<SignedIn>,
    meant: web::Path<Meant>,
) -> Result<HttpResponse, Error> {
    let Posted {
        by: person,
        form: sent,
    } = posted;
    let (whose, token) = own(&person, &meant).await?;
    let text = |name| sent.get(name).unwrap_or_default().to_owned();
    let fields = Fields {
        name: text("name"),
        description: text("description"),
        ticked: sent.all("scope").map(str::to_owned).collect(),
        details: Some(sent.all(DetailsChoice::FIELD).map(str::to_owned).collect()),
        expires_at: text("expires_at"),
        networks: text("networks"),
    };
    let changes = match changes(&token, &fields, &sent) {
        Ok(changes) => changes,
        Err(errors) => {
            return form(
                &person,
                StatusCode::UNPROCESSABLE_ENTITY,
                &whose,
                &token,
                fields,
                errors,
            )
            .await;
        }
    };
    if changes.networks.is_some() {
        person.recently(|| format!("{}/{}", whose.home, meant.token()))?;
    }
    let before = token.clone();
    let changed = whose
        .write(&person, move |tx| before.change(tx, changes))
        .await?;
    match changed {
        Ok(_) => Ok(see_other(&with_query(&whose.home, &[("done", "changed")]))),
        Err(problem) => {
            let errors = at_field(problem, "expires_at")?;
            form(
                &person,
                StatusCode::UNPROCESSABLE_ENTITY,
                &whose,
                &token,
                fields,
                errors,
            )
            .await
        }
    }
}

/// What the form changes. The field for the end shows whole minutes: what it showed is no change.
fn changes(token: &PersonalToken, fields: &Fields, sent: &Params) -> Result<Changes, Errors> {
    let scope = Scope::of(sent.all("scope"))
        .map_err(|word| Errors::one("scope", format!("There is no permission {word}.")))?;
    let details =
        DetailsChoice::ticked(sent).map_err(|invalid| Errors::one("scope", invalid.to_string()))?;
    let shown = token.token.expires_at.map(to_input).unwrap_or_default();
    let end = match fields.expires_at.as_str() {
        same if same == shown => None,
        "" => {
            return Err(Errors::one(
                "expires_at",
                "A token's life can be made shorter, not longer.",
            ));
        }
        new => {
            let end = from_input(new)
                .ok_or_else(|| Errors::one("expires_at", "Choose a day and a time."))?;
            Some(end)
        }
    };
    let networks = match fields.networks == shown_networks(token) {
        true => None,
        false => {
            let read = networks(&fields.networks);
            Some(read.map_err(|problem| Errors::one("networks", problem.to_string()))?)
        }
    };
    Ok(Changes {
        networks,
        name: Some(fields.name.clone()),
        description: Some(fields.description.clone()),
        scope: Some(scope),
        authorization_details: Some(details),
        end,
    })
}

/// The networks of a token as its form shows them.
fn shown_networks(token: &PersonalToken) -> String {
    let networks = token.grant.limits.networks.as_ref();
    networks
        .map(|networks| networks.to_string())
        .unwrap_or_default()
}

async fn form(
    person: &SignedIn,
    status: StatusCode,
    whose: &Whose,
    token: &PersonalToken,
    fields: Fields,
    errors: Errors,
) -> Result<HttpResponse, Error> {
    let audience = token.grant.audience.clone();
    let grant = token.grant.id;
    let filter = Filter {
        grant: Some(grant),
        ..Filter::default()
    };
    let (catalogue, places, history) = person
        .app
        .query(move |rx| {
            let catalogue = Catalogue::load(rx)?.within(&audience);
            let history = Entry::page(rx, &filter, None, SHOWN)?;
            Ok((catalogue, SeenNetwork::of(rx, grant)?, history))
        })
        .await?;
    let now = person.app.now();
    let places = places.into_iter().take(PLACES).map(|place| Place {
        address: place.address,
        first: When::of(place.first_used_at, now),
        last: When::of(place.last_used_at, now),
    });
    let scopes = token.grant.scope.iter().map(|word| ScopeChoice {
        value: word.to_owned(),
        name: word.to_owned(),
        sentence: catalogue.sentence(word).unwrap_or(word).to_owned(),
        reserved: catalogue.reserves(word),
        ticked: fields.ticked.iter().any(|ticked| ticked == word),
        disabled: None,
    });
    let details = token.grant.authorization_details.as_ref();
    let mut details = DetailsChoice::all(details, &catalogue);
    if let Some(ticked) = &fields.details {
        for choice in &mut details {
            choice.ticked = ticked.contains(&choice.value);
        }
    }
    let view = EditToken {
        frame: Frame::of(person, whose.here),
        whose,
        errors,
        row: TokenRow::of(token, whose, now),
        name: fields.name,
        description: fields.description,
        scopes: scopes.collect(),
        details,
        expires_at: fields.expires_at,
        latest: token.token.expires_at.map(to_input),
        networks: fields.networks,
        places: places.collect(),
        history: history
            .iter()
            .map(|entry| HistoryRow::of(entry, whose, now))
            .collect(),
    };
    page(errors::answer(status), &person.browser, Leads::Here, &view)
}
