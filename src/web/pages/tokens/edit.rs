//! Changing a token: its name and description, less scope, a shorter life.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::history::{HistoryRow, SHOWN};
use super::{TokenRow, at_field, own};
use crate::domain::audit::{Entry, Filter};
use crate::domain::personal_token::{Changes, PersonalToken};
use crate::domain::resource::Catalogue;
use crate::domain::words::Scope;
use crate::oauth::Params;
use crate::web::doors::{Posted, SignedIn};
use crate::web::pages::when::{from_input, to_input};
use crate::web::pages::{Error, Errors, Frame, Leads, ScopeChoice, page, see_other, with_query};
use crate::web::{errors, routes};

#[derive(Template)]
#[template(path = "tokens/edit.html")]
struct EditToken {
    frame: Frame,
    /// Fields: name, description, scope, expires_at, form.
    errors: Errors,
    /// The token as it is.
    row: TokenRow,
    name: String,
    description: String,
    /// What the token holds now.
    scopes: Vec<ScopeChoice>,
    /// As `datetime-local` writes it, in UTC.
    expires_at: String,
    /// The latest end that can be chosen; `None` when the token never expires.
    latest: Option<String>,
    /// The last things that happened to it, newest first.
    history: Vec<HistoryRow>,
}

/// What stands in the form's fields.
struct Fields {
    name: String,
    description: String,
    ticked: Vec<String>,
    expires_at: String,
}

/// The form, as the token is.
pub async fn get(person: SignedIn, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let token = own(&person, &id).await?;
    let fields = Fields {
        name: token.name().to_owned(),
        description: token.grant.description.clone().unwrap_or_default(),
        ticked: token.grant.scope.iter().map(str::to_owned).collect(),
        expires_at: token.token.expires_at.map(to_input).unwrap_or_default(),
    };
    form(&person, StatusCode::OK, &token, fields, Errors::default()).await
}

/// Change the token, or say at which field it can't be changed so.
pub async fn post(posted: Posted<SignedIn>, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted {
        by: person,
        form: sent,
    } = posted;
    let token = own(&person, &id).await?;
    let text = |name| sent.get(name).unwrap_or_default().to_owned();
    let fields = Fields {
        name: text("name"),
        description: text("description"),
        ticked: sent.all("scope").map(str::to_owned).collect(),
        expires_at: text("expires_at"),
    };
    let changes = match changes(&token, &fields, &sent) {
        Ok(changes) => changes,
        Err(errors) => {
            return form(
                &person,
                StatusCode::UNPROCESSABLE_ENTITY,
                &token,
                fields,
                errors,
            )
            .await;
        }
    };
    let before = token.clone();
    let changed = person
        .app
        .write(person.caller.clone(), move |tx| before.change(tx, changes))
        .await;
    match changed {
        Ok(_) => Ok(see_other(&with_query(
            routes::TOKENS,
            &[("done", "changed")],
        ))),
        Err(problem) => {
            let errors = at_field(problem, "expires_at")?;
            form(
                &person,
                StatusCode::UNPROCESSABLE_ENTITY,
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
    Ok(Changes {
        name: Some(fields.name.clone()),
        description: Some(fields.description.clone()),
        scope: Some(scope),
        end,
    })
}

async fn form(
    person: &SignedIn,
    status: StatusCode,
    token: &PersonalToken,
    fields: Fields,
    errors: Errors,
) -> Result<HttpResponse, Error> {
    let audience = token.grant.audience.clone();
    let filter = Filter {
        grant: Some(token.grant.id),
        ..Filter::default()
    };
    let (catalogue, history) = person
        .app
        .query(move |rx| {
            let history = Entry::page(rx, &filter, None, SHOWN)?;
            Ok((Catalogue::load(rx)?.within(&audience), history))
        })
        .await?;
    let (owner, now) = (person.user.id, person.app.now());
    let scopes = token.grant.scope.iter().map(|word| ScopeChoice {
        value: word.to_owned(),
        name: word.to_owned(),
        sentence: catalogue.sentence(word).unwrap_or(word).to_owned(),
        reserved: catalogue.reserves(word),
        ticked: fields.ticked.iter().any(|ticked| ticked == word),
        disabled: None,
    });
    let view = EditToken {
        frame: Frame::of(person, "tokens"),
        errors,
        row: TokenRow::of(token, owner, now),
        name: fields.name,
        description: fields.description,
        scopes: scopes.collect(),
        expires_at: fields.expires_at,
        latest: token.token.expires_at.map(to_input),
        history: history
            .iter()
            .map(|entry| HistoryRow::of(entry, owner, now))
            .collect(),
    };
    page(errors::answer(status), &person.browser, Leads::Here, &view)
}
