//! My tokens, or those of a service account.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::TokenRow;
use crate::domain::personal_token::{PersonalToken, Problem};
use crate::domain::seen_network::SeenNetwork;
use crate::web::doors::SignedIn;
use crate::web::form::Query;
use crate::web::pages::{Error, Frame, Leads, page};
use crate::web::whose::{Meant, Whose};

#[derive(Template)]
#[template(path = "tokens/list.html")]
struct Tokens {
    frame: Frame,
    whose: Whose,
    /// "active", "ended", "expiring", "never-used" or "no-expiry"
    show: &'static str,
    rows: Vec<TokenRow>,
    /// Why no token can be created, as a sentence; `None` when one can.
    why_not: Option<String>,
    /// Whether there is any token at all, whatever is shown.
    has_any: bool,
}

const SHOWN: [&str; 5] = ["active", "ended", "expiring", "never-used", "no-expiry"];

/// The tokens that `?show=` asks for; the live ones without it.
pub async fn get(
    person: SignedIn,
    meant: web::Path<Meant>,
    Query(query): Query,
) -> Result<HttpResponse, Error> {
    let whose = Whose::of(&person, &meant).await?;
    let asked = query.get("show").unwrap_or_default();
    let show = SHOWN
        .into_iter()
        .find(|show| *show == asked)
        .unwrap_or("active");
    let (owner, maker) = (whose.owner.clone(), person.user.clone());
    let now = person.app.now();
    let (tokens, new_networks, may_create) = person
        .app
        .read(move |rx| {
            let policy = rx.token_policy()?;
            let may_create = PersonalToken::check_may_create(rx, &policy, &owner, Some(&maker));
            let new_networks = SeenNetwork::new_of(rx, owner.id, now)?;
            Ok::<_, Error>((
                PersonalToken::all_of(rx, owner.id)?,
                new_networks,
                may_create,
            ))
        })
        .await?;
    let why_not = match may_create {
        Err(Problem::Fault(fault)) => return Err(fault.into()),
        may_create => may_create.err().map(|problem| problem.to_string()),
    };
    let current = tokens.iter().filter(|token| token.token.spent_at.is_none());
    let rows = current.map(|token| {
        let mut row = TokenRow::of(token, &whose, now).beside(token, &tokens, now);
        let new = new_networks
            .iter()
            .find(|new| new.grant_id == token.grant.id);
        row.new_network = new.map(|new| new.network.clone());
        (token, row)
    });
    let rows = rows.filter(|(token, row)| {
        let live = token.is_live(now);
        match show {
            "ended" => !live,
            "expiring" => live && matches!(row.urgency, "soon" | "urgent"),
            "never-used" => live && row.last_used.is_none(),
            "no-expiry" => live && row.expires.is_none(),
            _ => live,
        }
    });
    let notice = match query.get("done") {
        Some("changed") => Some("The token is changed."),
        Some("finished") => Some("The old token has ended. Only the new one works."),
        Some("cancelled") => Some("The new token has ended. The old one works as before."),
        Some("successor-used") => Some(
            "Nothing has changed: the new token has been used already. End the old one, or revoke both.",
        ),
        Some("not-rotating") => Some("Nothing has changed: there is no old token any more."),
        Some("revoked") => Some("The token is revoked. Nothing can use it any more."),
        _ => None,
    };
    let rows: Vec<TokenRow> = rows.map(|(_, row)| row).collect();
    let view = Tokens {
        frame: Frame::of(&person, whose.here).with_notice(notice),
        show,
        rows,
        why_not,
        has_any: !tokens.is_empty(),
        whose,
    };
    page(HttpResponse::Ok(), &person.browser, Leads::Here, &view)
}
