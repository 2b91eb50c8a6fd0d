//! One service account, and who keeps it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use diesel::QueryResult;

use super::{Error, Errors, Frame, Leads, at_field, page, see_other, with_query};
use crate::db::Fault;
use crate::domain::id::Id;
use crate::domain::service_account::{ServiceAccount, Unfit};
use crate::domain::tx::Tx;
use crate::domain::user::User;
use crate::web::doors::{Administrator, Posted, SignedIn};
use crate::web::form::Query;
use crate::web::{errors, routes, whose};

#[derive(Template)]
#[template(path = "service_accounts/account.html")]
struct Account {
    frame: Frame,
    /// Fields: keepers, form.
    errors: Errors,
    name: String,
    description: String,
    disabled: bool,
    has_keeper: bool,
    /// Whether the person who looks is a keeper.
    mine: bool,
    /// Whether this is for an administrator, who may disable it.
    may_disable: bool,
    keepers: Vec<Keeper>,
    /// Who is to become one, as it was written.
    add: String,
}

struct Keeper {
    id: String,
    username: String,
    disabled: bool,
    is_me: bool,
}

/// Who keeps it.
pub async fn get(
    person: SignedIn,
    name: web::Path<String>,
    Query(query): Query,
) -> Result<HttpResponse, Error> {
    let account = found(&person, &name).await?;
    let notice = match query.get("done") {
        Some("created") => {
            Some("The service account is there. Its keepers can make tokens for it.")
        }
        Some("disabled") => Some("The service account is disabled."),
        Some("enabled") => Some("Its tokens work again, but for those that have ended."),
        Some("added") => Some("They can manage its tokens now."),
        Some("removed") => {
            Some("They can't manage its tokens any more. The tokens work as before.")
        }
        _ => None,
    };
    let add = query.get("keepers").unwrap_or_default();
    let (status, errors) = (StatusCode::OK, Errors::default());
    form(&person, status, &account, add, errors, notice)
}

/// Let one more person keep it.
pub async fn add(posted: Posted<SignedIn>, name: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { by: person, form } = posted;
    let account = found(&person, &name).await?;
    let here = here(&account);
    let wanted = form.get("keepers").unwrap_or_default().to_owned();
    person.recently(|| with_query(&here, &[("keepers", &wanted)]))?;
    let changed = change(&person, &account, move |tx, account| {
        let keeper = ServiceAccount::keeper(tx, &wanted)?;
        account.add_keeper(tx, &keeper)
    });
    match changed.await? {
        Ok(()) => Ok(see_other(&format!("{here}?done=added"))),
        Err(unfit) => refused(&person, &account, form.get("keepers"), unfit),
    }
}

/// Let a person keep it no longer. Only an administrator may do that to the last one.
pub async fn remove(
    posted: Posted<SignedIn>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Error> {
    let person = posted.by;
    let (name, keeper) = path.into_inner();
    let account = found(&person, &name).await?;
    let here = here(&account);
    person.recently(|| here.clone())?;
    let keeper: Id = keeper.parse().map_err(|_| Error::NotFound)?;
    let keeper = account.keepers.iter().find(|kept| kept.id == keeper);
    let Some(keeper) = keeper.cloned() else {
        return Ok(see_other(&here));
    };
    let (is_admin, leaves) = (person.user.is_admin, keeper.id == person.user.id);
    let changed = change(&person, &account, move |tx, account| {
        account.remove_keeper(tx, &keeper, is_admin)
    });
    match changed.await? {
        Ok(()) if leaves => Ok(see_other(&format!(
            "{}?done=left",
            routes::SERVICE_ACCOUNTS
        ))),
        Ok(()) => Ok(see_other(&format!("{here}?done=removed"))),
        Err(unfit) => refused(&person, &account, None, unfit),
    }
}

/// Let none of its tokens work any more.
pub async fn disable(
    posted: Posted<Administrator>,
    name: web::Path<String>,
) -> Result<HttpResponse, Error> {
    switch(posted.by.0, &name, "disabled", |tx, user| user.disable(tx)).await
}

/// Let its tokens work again.
pub async fn enable(
    posted: Posted<Administrator>,
    name: web::Path<String>,
) -> Result<HttpResponse, Error> {
    switch(posted.by.0, &name, "enabled", |tx, user| user.enable(tx)).await
}

async fn switch(
    person: SignedIn,
    name: &str,
    done: &str,
    work: impl FnOnce(&mut Tx, &User) -> QueryResult<()> + Send + 'static,
) -> Result<HttpResponse, Error> {
    let account = found(&person, name).await?;
    let here = here(&account);
    person.recently(|| here.clone())?;
    let switched = person.write(move |tx| Ok::<_, Fault>(work(tx, &account.user)?));
    switched.await??;
    Ok(see_other(&with_query(&here, &[("done", done)])))
}

fn here(account: &ServiceAccount) -> String {
    format!("{}/{}", routes::SERVICE_ACCOUNTS, account.user.username)
}

/// The service account of this name, for its keepers and for administrators.
async fn found(person: &SignedIn, name: &str) -> Result<ServiceAccount, Error> {
    whose::service_account(person, name, person.user.is_admin).await
}

/// Change it, if the person still may when it comes to that.
async fn change(
    person: &SignedIn,
    account: &ServiceAccount,
    work: impl FnOnce(&mut Tx, &ServiceAccount) -> Result<(), Unfit> + Send + 'static,
) -> Result<Result<(), Unfit>, Error> {
    let account = account.clone();
    let kept = (!person.user.is_admin).then_some(account.user.id);
    whose::write_as_keeper(person, kept, move |tx| work(tx, &account)).await
}

fn refused(
    person: &SignedIn,
    account: &ServiceAccount,
    add: Option<&str>,
    unfit: Unfit,
) -> Result<HttpResponse, Error> {
    let (status, errors) = (StatusCode::UNPROCESSABLE_ENTITY, at_field(unfit)?);
    form(
        person,
        status,
        account,
        add.unwrap_or_default(),
        errors,
        None,
    )
}

fn form(
    person: &SignedIn,
    status: StatusCode,
    account: &ServiceAccount,
    add: &str,
    errors: Errors,
    notice: Option<&'static str>,
) -> Result<HttpResponse, Error> {
    let ServiceAccount { user, keepers } = account;
    let me = person.user.id;
    let shown = |keeper: &User| Keeper {
        id: keeper.id.to_string(),
        username: keeper.username.clone(),
        disabled: !keeper.is_enabled(),
        is_me: keeper.id == me,
    };
    let view = Account {
        frame: Frame::of(person, "service-accounts").with_notice(notice),
        errors,
        name: user.username.clone(),
        description: user.description.clone().unwrap_or_default(),
        disabled: !user.is_enabled(),
        has_keeper: account.has_keeper(),
        mine: account.is_kept_by(me),
        may_disable: person.user.is_admin,
        keepers: keepers.iter().map(shown).collect(),
        add: add.to_owned(),
    };
    page(errors::answer(status), &person.browser, Leads::Here, &view)
}
