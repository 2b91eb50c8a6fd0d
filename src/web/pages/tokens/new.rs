//! A new token: the form for it.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::at_field;
use super::expiry::{Expiry, exactly, expiries};
use crate::clock::{Timestamp, parse_duration};
use crate::db::Fault;
use crate::domain::grant::Door;
use crate::domain::personal_token::{End, NewPersonalToken, PersonalToken, Problem, grantable};
use crate::domain::resource::Catalogue;
use crate::domain::words::{Audience, Scope};
use crate::oauth::Params;
use crate::web::doors::{Posted, Recent, SignedIn};
use crate::web::errors;
use crate::web::form::Query;
use crate::web::pages::when::from_input;
use crate::web::pages::{Error, Errors, Frame, Leads, ScopeChoice, When, page, plain, with_query};

#[derive(Template)]
#[template(path = "tokens/new.html")]
struct NewToken {
    frame: Frame,
    /// Fields: name, description, scope, expires, form.
    errors: Errors,
    name: String,
    description: String,
    resources: Vec<PickResource>,
    expiries: Vec<Expiry>,
    /// The custom end, as `datetime-local` writes it, in UTC.
    custom: String,
    /// A link chose the values that are shown.
    prefilled: bool,
    /// "Tokens live at most 180 days here (set by your administrator)."
    policy_note: Option<String>,
}

struct PickResource {
    name: String,
    uri: String,
    scopes: Vec<ScopeChoice>,
}

/// The only page that ever shows the secret.
#[derive(Template)]
#[template(path = "tokens/created.html")]
struct CreatedToken {
    frame: Frame,
    name: String,
    secret: String,
    expires: Option<When>,
    scopes: Vec<String>,
    resources: Vec<String>,
    /// A command that works as it stands.
    curl: String,
    /// The file as a `data:` URL, percent-encoded.
    dotenv: String,
}

/// What the form says, whether it can be had or not: it is shown again as it was.
#[derive(Default)]
struct Wish {
    name: String,
    description: String,
    /// Ticked, each as "resource scope".
    ticked: BTreeSet<String>,
    /// The chosen expiry; empty for the one that is preselected.
    expires: String,
    custom: String,
}

impl Wish {
    fn posted(form: &Params) -> Self {
        let text = |name| form.get(name).unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            description: text("description"),
            ticked: form.all("scope").map(str::to_owned).collect(),
            expires: text("expires"),
            custom: text("expires_at"),
        }
    }

    /// What a link asks for: `?name=ci&scopes=notes:read&resources=https://…&expires=30d`. It is only shown, never
    /// sent by itself.
    fn linked(query: &Params, catalogue: &Catalogue) -> Self {
        let list = |name: &str| -> Vec<String> {
            let text = query.get(name).unwrap_or_default();
            text.split([' ', ','])
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let (scopes, resources) = (list("scopes"), list("resources"));
        let meant = catalogue
            .iter()
            .filter(|(resource, _)| resources.is_empty() || resources.contains(&resource.uri));
        let ticked = meant.flat_map(|(resource, definitions)| {
            let asked = definitions
                .iter()
                .filter(|definition| scopes.contains(&definition.name));
            asked.map(|definition| value(&resource.uri, &definition.name))
        });
        Self {
            name: query.get("name").unwrap_or_default().to_owned(),
            description: query.get("description").unwrap_or_default().to_owned(),
            ticked: ticked
                .chain(query.all("scope").map(str::to_owned))
                .collect(),
            expires: query.get("expires").unwrap_or_default().to_owned(),
            custom: query.get("expires_at").unwrap_or_default().to_owned(),
        }
    }

    /// The link that brings the form back as it is, box by box.
    fn as_link(&self) -> String {
        let mut pairs = vec![
            ("name", self.name.as_str()),
            ("description", &self.description),
            ("expires", &self.expires),
            ("expires_at", &self.custom),
        ];
        pairs.extend(self.ticked.iter().map(|ticked| ("scope", ticked.as_str())));
        with_query("/settings/tokens/new", &pairs)
    }

    /// The scope and audience that the ticks add up to. A token holds a scope at each of its resources that defines
    /// it (RFC 8707 §2), so a box that is not ticked must not be what the ticked ones imply.
    fn rights(&self, catalogue: &Catalogue) -> Result<(Scope, Audience), String> {
        let pairs = self
            .ticked
            .iter()
            .filter_map(|ticked| ticked.split_once(' '));
        let (uris, words): (Vec<&str>, Vec<&str>) = pairs.unzip();
        let unreadable = |word| format!("There is no permission {word}.");
        let scope = Scope::of(words).map_err(unreadable)?;
        let audience = Audience::of(uris).map_err(unreadable)?;
        for (resource, definitions) in catalogue.within(&audience).iter() {
            let implied = definitions.iter().find(|definition| {
                let ticked = self
                    .ticked
                    .contains(&value(&resource.uri, &definition.name));
                scope.contains(&definition.name) && !ticked
            });
            if let Some(definition) = implied {
                return Err(format!(
                    "{} is a permission of more than one of the resources you chose, and a token has it at all of them. \
                     Tick it at {} too, or make two tokens.",
                    definition.name, resource.name
                ));
            }
        }
        Ok((scope, audience))
    }

    fn end(&self, now: Timestamp) -> Result<End, &'static str> {
        match self.expires.as_str() {
            "never" => Ok(End::Never),
            "custom" => from_input(&self.custom)
                .map(End::At)
                .ok_or("Choose a day and a time."),
            preset => {
                let life = parse_duration(preset).ok_or("Choose when the token ends.")?;
                Ok(End::At(now.whole_second() + life))
            }
        }
    }
}

fn value(uri: &str, scope: &str) -> String {
    format!("{uri} {scope}")
}

/// The form, filled in by a link if there is one.
pub async fn get(Recent(person): Recent, Query(query): Query) -> Result<HttpResponse, Error> {
    let catalogue = catalogue(&person).await?;
    let wish = Wish::linked(&query, &catalogue);
    let prefilled = query.names().next().is_some();
    form(
        &person,
        StatusCode::OK,
        &catalogue,
        wish,
        Errors::default(),
        prefilled,
    )
}

/// Make the token. Its secret is in this one answer: it is not redirected away from, because nothing that could bring
/// it back is kept.
pub async fn post(posted: Posted<SignedIn>) -> Result<HttpResponse, Error> {
    let Posted {
        by: person,
        form: sent,
    } = posted;
    let wish = Wish::posted(&sent);
    person.recently(|| wish.as_link())?;
    let catalogue = catalogue(&person).await?;
    let new = match asked(&wish, &catalogue, person.app.now()) {
        Ok(new) => new,
        Err(errors) => {
            return form(
                &person,
                StatusCode::UNPROCESSABLE_ENTITY,
                &catalogue,
                wish,
                errors,
                false,
            );
        }
    };
    let owner = person.user.clone();
    let made = person
        .write(move |tx| PersonalToken::create(tx, &owner, new, Via::Page))
        .await?;
    match made {
        Ok((token, secret)) => created::page_for(&person, &token, &secret),
        Err(problem) => {
            let errors = at_field(problem, "expires")?;
            form(
                &person,
                StatusCode::UNPROCESSABLE_ENTITY,
                &catalogue,
                wish,
                errors,
                false,
            )
        }
    }
}

fn asked(wish: &Wish, catalogue: &Catalogue, now: Timestamp) -> Result<NewPersonalToken, Errors> {
    let mut errors = Errors::default();
    // What is simply missing is said together with the rest, not one thing at a time.
    if wish.name.trim().is_empty() {
        errors.add("name", Problem::Name.to_string());
    }
    if wish.ticked.is_empty() {
        errors.add("scope", Problem::NoScope.to_string());
    }
    let rights = wish
        .rights(catalogue)
        .map_err(|message| errors.add("scope", message))
        .ok();
    let end = wish
        .end(now)
        .map_err(|message| errors.add("expires", message))
        .ok();
    match (rights, end) {
        (Some((scope, audience)), Some(end)) if errors.is_empty() => Ok(NewPersonalToken {
            name: wish.name.clone(),
            description: wish.description.clone(),
            scope,
            audience,
            end,
        }),
        _ => Err(errors),
    }
}

async fn catalogue(person: &SignedIn) -> Result<Catalogue, Error> {
    person
        .app
        .read(|conn| Ok::<_, Fault>(Catalogue::load(conn)?))
        .await
        .map_err(Error::from)
}

fn form(
    person: &SignedIn,
    status: StatusCode,
    catalogue: &Catalogue,
    wish: Wish,
    errors: Errors,
    prefilled: bool,
) -> Result<HttpResponse, Error> {
    let policy = &person.app.policy().personal;
    let max = policy.max_life.map(exactly);
    let view = NewToken {
        frame: Frame::of(person, "tokens"),
        errors,
        resources: resources(person, catalogue, &wish),
        expiries: expiries(
            &person.app.policy().personal,
            &wish.expires,
            person.app.now(),
        ),
        name: wish.name,
        description: wish.description,
        custom: wish.custom,
        prefilled,
        policy_note: max
            .map(|max| format!("Tokens live at most {max} here (set by your administrator).")),
    };
    page(errors::answer(status), &person.browser, Leads::Here, &view)
}

fn resources(person: &SignedIn, catalogue: &Catalogue, wish: &Wish) -> Vec<PickResource> {
    let is_admin = person.user.is_admin;
    let mut shown = vec![];
    for (resource, definitions) in catalogue.iter() {
        let choices = definitions.iter().map(|definition| {
            let value = value(&resource.uri, &definition.name);
            let refused =
                grantable(is_admin, resource, &definition.name, definition.reserved).err();
            ScopeChoice {
                ticked: wish.ticked.contains(&value) && refused.is_none(),
                value,
                name: definition.name.clone(),
                sentence: definition.description.clone(),
                admin: definition.reserved,
                disabled: refused.map(str::to_owned),
            }
        });
        let scopes: Vec<ScopeChoice> = choices.collect();
        // Our own management API means nothing to who may not manage.
        if resource.is_ours() && !is_admin || scopes.is_empty() {
            continue;
        }
        shown.push(PickResource {
            name: plain(&resource.name),
            uri: resource.uri.clone(),
            scopes,
        });
    }
    shown
}

fn created(
    person: &SignedIn,
    token: &PersonalToken,
    secret: &Secret,
) -> Result<HttpResponse, Error> {
    let now = person.app.now();
    let words = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    let resources = words(token.grant.audience.as_str());
    let dotenv = format!("JETON_TOKEN={}\n", secret.expose());
    let view = CreatedToken {
        frame: Frame::of(person, "tokens"),
        name: token.name().to_owned(),
        secret: secret.expose().to_owned(),
        expires: token.token.expires_at.map(|end| When::of(end, now)),
        scopes: words(token.grant.scope.as_str()),
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
    };
    page(HttpResponse::Created(), &person.browser, Leads::Here, &view)
}
