//! `jeton token list`: somebody's tokens, or everybody's by a filter.

use clap::Args;
use serde::Serialize;

use super::token::Shown;
use super::{Answer, Error, table, user};
use crate::app::App;
use crate::domain::personal_token::PersonalToken;
use crate::domain::personal_token::filter::{LIMIT_MAX, Search};
use crate::domain::personal_token::search::Found;
use crate::domain::tx::Actor;

#[derive(Debug, Args)]
pub struct List {
    /// Whose
    #[arg(long, value_name = "NAME", required_unless_present = "all")]
    user: Option<String>,
    /// Everybody's, or those of them that the other options leave
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filter: Filter,
}

#[derive(Debug, Args)]
struct Filter {
    /// Of people (person) or of service accounts (service)
    #[arg(long, requires = "all", value_name = "KIND")]
    owner_kind: Option<String>,
    /// active, pending, expired or revoked
    #[arg(long, requires = "all")]
    status: Option<String>,
    /// That have this scope
    #[arg(long, requires = "all")]
    scope: Option<String>,
    /// That are for this API
    #[arg(long, requires = "all", value_name = "URI")]
    resource: Option<String>,
    /// Made earlier than this moment: 2027-01-31T08:00:00Z, a day, or milliseconds since 1970
    #[arg(long, requires = "all", value_name = "INSTANT")]
    created_before: Option<String>,
    /// Made then or later
    #[arg(long, requires = "all", value_name = "INSTANT")]
    created_after: Option<String>,
    /// That end earlier than this moment
    #[arg(long, requires = "all", value_name = "INSTANT")]
    expires_before: Option<String>,
    /// That end then or later
    #[arg(long, requires = "all", value_name = "INSTANT")]
    expires_after: Option<String>,
    /// That have no end
    #[arg(long, requires = "all")]
    never_expires: bool,
    /// Last used earlier than this moment
    #[arg(long, requires = "all", value_name = "INSTANT")]
    last_used_before: Option<String>,
    /// That were never used
    #[arg(long, requires = "all")]
    never_used: bool,
    /// Made by this person, or by client:ID or the command line
    #[arg(long, requires = "all", value_name = "WHO")]
    created_by: Option<String>,
    /// With this in their name or their owner's
    #[arg(long, requires = "all", value_name = "WORDS")]
    search: Option<String>,
    /// created, expires or lastUsed, with a - before it for descending
    #[arg(
        long,
        requires = "all",
        value_name = "ORDER",
        allow_hyphen_values = true
    )]
    sort: Option<String>,
}

/// A token of somebody.
#[derive(Serialize)]
struct Theirs<'a> {
    user: &'a str,
    #[serde(flatten)]
    token: Shown<'a>,
}

impl List {
    pub(super) fn run(self, app: &App) -> Result<Answer, Error> {
        match &self.user {
            Some(name) if !self.all => of_one(app, name),
            _ => self.of_all(app),
        }
    }

    fn of_all(&self, app: &App) -> Result<Answer, Error> {
        let mut search = Some(self.search(app)?);
        let (now, mut found): (_, Vec<Found>) = (app.now(), vec![]);
        while let Some(asked) = search.take() {
            let page = app.read_blocking(|rx| asked.page(rx, now))?;
            found.extend(page.items);
            search = page.next.map(|from| Search {
                from: Some(from),
                ..asked
            });
        }
        let shown: Vec<Theirs> = found
            .iter()
            .map(|found| Theirs {
                user: &found.username,
                token: Shown::of(&found.token, now),
            })
            .collect();
        let head = [
            "USER",
            "ID",
            "NAME",
            "HINT",
            "STATE",
            "EXPIRES",
            "LAST USED",
            "SCOPES",
            "RESOURCES",
        ];
        let rows = shown.iter().map(|theirs| {
            let [id, name, hint, state, expires, used, scopes, resources] = theirs.token.row();
            let user = theirs.user.to_owned();
            [
                user, id, name, hint, state, expires, used, scopes, resources,
            ]
        });
        Ok(Answer::new(&shown, table(head, rows)))
    }

    fn search(&self, app: &App) -> Result<Search, Error> {
        let Filter {
            owner_kind,
            status,
            scope,
            resource,
            created_before,
            created_after,
            expires_before,
            expires_after,
            never_expires,
            last_used_before,
            never_used,
            created_by,
            search,
            sort,
        } = &self.filter;
        let yes = |said: &bool| said.then(|| "true".to_owned());
        let said = [
            (
                "userId",
                self.user.as_deref().map(|name| id(app, name)).transpose()?,
            ),
            ("ownerKind", owner_kind.clone()),
            ("status", status.clone()),
            ("scope", scope.clone()),
            ("audience", resource.clone()),
            ("createdBefore", created_before.clone()),
            ("createdAfter", created_after.clone()),
            ("expiresBefore", expires_before.clone()),
            ("expiresAfter", expires_after.clone()),
            ("neverExpires", yes(never_expires)),
            ("lastUsedBefore", last_used_before.clone()),
            ("neverUsed", yes(never_used)),
            (
                "createdBy",
                created_by
                    .as_deref()
                    .map(|who| actor(app, who))
                    .transpose()?,
            ),
            ("search", search.clone()),
            ("sort", sort.clone()),
        ];
        let said = said
            .iter()
            .filter_map(|(name, text)| Some((*name, text.as_deref()?)));
        let search = Search::read(said).map_err(|error| Error::refused(error.to_string()))?;
        Ok(Search {
            limit: LIMIT_MAX,
            ..search
        })
    }
}

fn of_one(app: &App, name: &str) -> Result<Answer, Error> {
    let tokens = app.read_blocking(|rx| {
        let owner = user::named(rx, name)?;
        Ok::<_, Error>(PersonalToken::all_of(rx, owner.id)?)
    })?;
    let now = app.now();
    let shown: Vec<Shown> = tokens.iter().map(|token| Shown::of(token, now)).collect();
    let head = [
        "ID",
        "NAME",
        "HINT",
        "STATE",
        "EXPIRES",
        "LAST USED",
        "SCOPES",
        "RESOURCES",
    ];
    Ok(Answer::new(
        &shown,
        table(head, shown.iter().map(Shown::row)),
    ))
}

fn id(app: &App, name: &str) -> Result<String, Error> {
    app.read_blocking(|rx| Ok(user::named(rx, name)?.id.to_string()))
}

/// Who made a token, as its row has it: people are named.
fn actor(app: &App, who: &str) -> Result<String, Error> {
    if who.contains([':', ' ']) || who == "system" {
        return Ok(who.to_owned());
    }
    app.read_blocking(|rx| Ok(Actor::User(user::named(rx, who)?.id).to_string()))
}
