//! The service accounts that I keep; all of them, with a form for a new one, for administrators.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::{Error, Errors, Frame, Leads, at_field, page, see_other, with_query};
use crate::domain::service_account::ServiceAccount;
use crate::domain::tx::Tx;
use crate::oauth::Params;
use crate::web::doors::{Administrator, Posted, SignedIn};
use crate::web::form::Query;
use crate::web::{errors, routes};

#[derive(Template)]
#[template(path = "service_accounts/list.html")]
struct List {
    frame: Frame,
    rows: Vec<Row>,
    /// Whether this is for an administrator, who may make one.
    may_create: bool,
    /// Fields: name, description, keepers, form.
    errors: Errors,
    name: String,
    description: String,
    keepers: String,
}

struct Row {
    name: String,
    description: String,
    /// "alice, bob"
    keepers: String,
    has_keeper: bool,
    disabled: bool,
    /// Whether the person who looks is a keeper.
    mine: bool,
}

const FIELDS: [&str; 3] = ["name", "description", "keepers"];

/// The list.
pub async fn get(person: SignedIn, Query(query): Query) -> Result<HttpResponse, Error> {
    list(&person, StatusCode::OK, &query, Errors::default()).await
}

/// Make a service account.
pub async fn post(posted: Posted<Administrator>) -> Result<HttpResponse, Error> {
    let Posted {
        by: Administrator(person),
        form: sent,
    } = posted;
    let text = |name| sent.get(name).unwrap_or_default().to_owned();
    person.recently(|| {
        let filled = FIELDS.map(|name| (name, text(name)));
        let filled: Vec<_> = filled.iter().map(|(name, text)| (*name, &**text)).collect();
        with_query(routes::SERVICE_ACCOUNTS, &filled)
    })?;
    let [name, description, keepers] = FIELDS.map(text);
    let create = move |tx: &mut Tx| {
        let named = keepers.split([' ', ',']).filter(|name| !name.is_empty());
        let keepers = named.map(|name| ServiceAccount::keeper(tx, name));
        let keepers = keepers.collect::<Result<Vec<_>, _>>()?;
        ServiceAccount::create(tx, &name, &description, &keepers)
    };
    match person.write(create).await? {
        Ok(made) => Ok(see_other(&format!(
            "{}/{}?done=created",
            routes::SERVICE_ACCOUNTS,
            made.user.username
        ))),
        Err(unfit) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            list(&person, status, &sent, at_field(unfit)?).await
        }
    }
}

async fn list(
    person: &SignedIn,
    status: StatusCode,
    filled: &Params,
    errors: Errors,
) -> Result<HttpResponse, Error> {
    let (viewer, is_admin) = (person.user.id, person.user.is_admin);
    let shown = person.app.query(move |rx| match is_admin {
        true => ServiceAccount::all(rx),
        false => ServiceAccount::kept_by(rx, viewer),
    });
    let rows = shown.await?.into_iter().map(|account| {
        let keepers: Vec<&str> = account
            .keepers
            .iter()
            .map(|k| k.username.as_str())
            .collect();
        Row {
            keepers: keepers.join(", "),
            has_keeper: account.has_keeper(),
            mine: account.is_kept_by(viewer),
            disabled: !account.user.is_enabled(),
            name: account.user.username,
            description: account.user.description.unwrap_or_default(),
        }
    });
    let notice =
        (filled.get("done") == Some("left")).then_some("You are no keeper of it any more.");
    let text = |name| filled.get(name).unwrap_or_default().to_owned();
    let [name, description, keepers] = FIELDS.map(text);
    let view = List {
        frame: Frame::of(person, "service-accounts").with_notice(notice),
        rows: rows.collect(),
        may_create: is_admin,
        errors,
        name,
        description,
        keepers,
    };
    page(errors::answer(status), &person.browser, Leads::Here, &view)
}
