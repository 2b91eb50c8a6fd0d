//! My connected apps.

use std::collections::HashSet;

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Error, Frame, Leads, When, page, plain, see_other, with_query};
use crate::clock::Timestamp;
use crate::db::Fault;
use crate::domain::authorization_details::Said;
use crate::domain::consent::ConnectedApp;
use crate::domain::resource::Catalogue;
use crate::web::doors::{Posted, SignedIn};
use crate::web::form::Query;
use crate::web::routes;

#[derive(Template)]
#[template(path = "apps/list.html")]
struct Apps {
    frame: Frame,
    rows: Vec<AppRow>,
}

#[derive(Template)]
#[template(path = "apps/disconnect.html")]
struct Disconnect {
    frame: Frame,
    row: AppRow,
}

struct AppRow {
    client_id: String,
    name: String,
    resources: Vec<AppResource>,
    since: When,
    last_used: Option<When>,
}

struct AppResource {
    name: String,
    uri: String,
    /// Each scope with its sentence.
    scopes: Vec<(String, String)>,
    details: Vec<Said>,
}

impl AppRow {
    fn of(app: &ConnectedApp, catalogue: &Catalogue, now: Timestamp) -> Self {
        let resources = app.consents.iter().filter_map(|consent| {
            let theirs = catalogue.within(&[consent.resource.as_str()].into_iter().collect());
            let details = app.details.iter().flat_map(|each| each.said(&theirs));
            let mut details: Vec<Said> = details.collect();
            let mut seen = HashSet::new();
            details.retain(|said| seen.insert(said.clone()));
            let (resource, definitions) = catalogue
                .iter()
                .find(|(resource, _)| resource.uri == consent.resource)?;
            let allowed = definitions
                .iter()
                .filter(|each| consent.scope.contains(&each.name));
            Some(AppResource {
                name: plain(&resource.name),
                uri: resource.uri.clone(),
                scopes: allowed
                    .map(|each| (each.name.clone(), each.description.clone()))
                    .collect(),
                details,
            })
        });
        let since = app.consents.iter().map(|consent| consent.created_at).min();
        Self {
            client_id: app.client.id.clone(),
            name: plain(&app.client.name),
            resources: resources.collect(),
            since: When::of(since.unwrap_or(now), now),
            last_used: app.last_used_at.map(|at| When::of(at, now)),
        }
    }
}

/// What my apps may do, and when they last did.
pub async fn list(person: SignedIn, Query(query): Query) -> Result<HttpResponse, Error> {
    let rows = rows(&person).await?;
    let notice = query
        .get("done")
        .map(|_| "The app is disconnected. It can't do anything here any more.");
    let view = Apps {
        frame: Frame::of(&person, "apps").with_notice(notice),
        rows,
    };
    page(HttpResponse::Ok(), &person.browser, Leads::Here, &view)
}

/// What disconnecting would mean.
pub async fn confirm(person: SignedIn, client: web::Path<String>) -> Result<HttpResponse, Error> {
    let row = rows(&person)
        .await?
        .into_iter()
        .find(|row| row.client_id == *client);
    let view = Disconnect {
        frame: Frame::of(&person, "apps"),
        row: row.ok_or(Error::NotFound)?,
    };
    page(HttpResponse::Ok(), &person.browser, Leads::Here, &view)
}

/// Disconnect: its tokens end now, and it has to ask again.
pub async fn disconnect(
    posted: Posted<SignedIn>,
    client: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let person = posted.by;
    if rows(&person)
        .await?
        .iter()
        .all(|row| row.client_id != *client)
    {
        return Err(Error::NotFound);
    }
    let (user, client) = (person.user.id, client.into_inner());
    person
        .app
        .write(person.caller.clone(), move |tx| {
            Ok::<_, Fault>(ConnectedApp::disconnect(tx, user, &client)?)
        })
        .await?;
    Ok(see_other(&with_query(routes::APPS, &[("done", "1")])))
}

async fn rows(person: &SignedIn) -> Result<Vec<AppRow>, Error> {
    let user = person.user.id;
    let (apps, catalogue) = person
        .app
        .query(move |rx| Ok((ConnectedApp::all_of(rx, user)?, Catalogue::load(rx)?)))
        .await?;
    let now = person.app.now();
    Ok(apps
        .iter()
        .map(|app| AppRow::of(app, &catalogue, now))
        .collect())
}
