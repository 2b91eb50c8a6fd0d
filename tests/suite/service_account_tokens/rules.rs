//! The rules for new tokens, as they are for those of service accounts: asked of the keeper who makes one.

use jeton::domain::grant::Via;
use jeton::domain::limits::Limits;
use jeton::domain::personal_token::{End, NewPersonalToken, PersonalToken, Problem};
use jeton::domain::resource::Catalogue;
use jeton::domain::tx::Caller;
use jeton::domain::words::Scope;
use serde_json::{Value, json};

use super::{DAY, House, ci};
use crate::support::{MINE, START, seconds};

/// The account is looked at again where the token is made: one that was found enabled, and disabled since, gets none.
#[actix_web::test]
async fn nothing_is_made_for_an_account_that_was_just_disabled() {
    let house = House::build().await;
    let found_enabled = house.account().user;
    house.server.write(|tx| Ok(house.bot.disable(tx)?));
    let scope = Scope::parse("notes:read").unwrap();
    let made = house
        .server
        .app
        .write_blocking(&Caller::command_line(), |tx| {
            let new = NewPersonalToken {
                name: "ci".to_owned(),
                description: String::new(),
                audience: Catalogue::load(tx)?.audience_of(&scope),
                scope,
                authorization_details: None,
                end: End::Never,
                limits: Limits::default(),
                reason: String::new(),
            };
            PersonalToken::create(tx, &found_enabled, new, Via::CommandLine)
        });
    assert!(matches!(made, Err(Problem::OwnerDisabled)), "{made:?}");
}

/// What is kept for administrators is never a service account's, whoever keeps it.
#[actix_web::test]
async fn a_reserved_scope_is_refused_even_to_an_administrator_who_keeps_it() {
    let house = House::build().await;
    let account = house.account();
    house.server.write(|tx| {
        let added = account.add_keeper(tx, &house.root);
        added.expect("root is a keeper");
        Ok(())
    });
    let browser = house.server.signed_in(&house.root).await;
    let wish = json!({"name": "ci", "scopes": ["notes:admin"]});
    let (status, refused) = browser.api("POST", &house.path, Some(wish)).await;
    assert_eq!(
        (status, &refused["code"]),
        (403, &json!("pat.scope_not_grantable"))
    );
    let (_, options) = browser
        .api("GET", &format!("{}/options", house.path), None)
        .await;
    assert!(!options.to_string().contains("notes:admin"), "{options}");
}

/// Where only administrators make tokens, only those of the keepers do who are some.
#[actix_web::test]
async fn who_may_make_tokens_is_asked_of_the_keeper() {
    let house = House::with(&[("pat_creators", "administrators")]).await;
    let (status, refused) = house.browser.api("POST", &house.path, Some(ci())).await;
    assert_eq!(
        (status, &refused["code"]),
        (403, &json!("pat.creation_not_allowed"))
    );
    house.server.set_admin(&house.alice, true);
    let (status, made) = house.browser.api("POST", &house.path, Some(ci())).await;
    assert_eq!(status, 201, "{made}");
}

/// Where named people alone make tokens, keepers do who are among them.
#[actix_web::test]
async fn a_keeper_has_to_be_named_where_makers_are() {
    let house = House::build().await;
    let refused = (403, json!("pat.creation_not_allowed"));
    for (named, outcome) in [("root", refused), ("alice", (201, Value::Null))] {
        house.decide(json!({"creators": {"users": [named]}})).await;
        let (status, made) = house.browser.api("POST", &house.path, Some(ci())).await;
        assert_eq!((status, made["code"].clone()), outcome, "{made}");
    }
}

/// Who may make tokens is asked of people: what an account's own token may do to itself, no role takes from it.
#[actix_web::test]
async fn it_rotates_itself_where_few_may_make_tokens() {
    let house = House::build().await;
    house.server.set_admin(&house.alice, true);
    let api = format!("{}/api", house.server.url);
    let wish = json!({"name": "ci", "scopes": ["notes:read", "pat:rotate_self"], "audience": ["https://notes.example", api]});
    let (_, made) = house.browser.api("POST", &house.path, Some(wish)).await;
    let mut token = made["value"].as_str().unwrap().to_owned();
    for creators in [json!("administrators"), json!({"users": ["alice"]})] {
        house.decide(json!({"creators": creators})).await;
        let script = house.server.script(&token);
        let (status, next) = script
            .call("POST", "/api/personal-access-tokens/self/rotate", json!({}))
            .await;
        assert_eq!(status, 201, "{next}");
        token = next["value"].as_str().unwrap().to_owned();
        assert!(house.notes.accepts(&token).await);
    }
}

/// Where tokens wait for approval, so do those that a keeper makes, and not those of an administrator.
#[actix_web::test]
async fn a_keepers_token_waits_for_approval() {
    let house = House::build().await;
    house.decide(json!({"approvalRequired": true})).await;
    let (status, refused) = house.browser.api("POST", &house.path, Some(ci())).await;
    assert_eq!(
        (status, &refused["code"]),
        (400, &json!("pat.reason_required"))
    );
    let wish = json!({"name": "ci", "scopes": ["notes:read"], "reason": "deploys"});
    let (_, made) = house.browser.api("POST", &house.path, Some(wish)).await;
    assert_eq!(made["status"], "pending");
    assert!(!house.notes.accepts(made["value"].as_str().unwrap()).await);
    let for_bot = format!("/api/users/{}/personal-access-tokens", house.bot.id);
    let wish = json!({"name": "other", "scopes": ["notes:read"]});
    let root = house.server.signed_in(&house.root).await;
    let (_, made) = root.api("POST", &for_bot, Some(wish)).await;
    assert_eq!(made["status"], "active");
}

/// The rules for lives, names and numbers are those of everybody's tokens.
#[actix_web::test]
async fn the_rules_hold_for_it_too() {
    let house = House::with(&[("pat_max_life", "30d"), ("pat_per_user", "1")]).await;
    let long = (START + seconds(31 * DAY)).millis();
    let wish = json!({"name": "ci", "scopes": ["notes:read"], "expiresAt": long});
    let (status, refused) = house.browser.api("POST", &house.path, Some(wish)).await;
    assert_eq!(
        (status, &refused["code"]),
        (422, &json!("pat.expiry_beyond_policy"))
    );
    house.made().await;
    let more = json!({"name": "more", "scopes": ["notes:read"]});
    let (_, refused) = house.browser.api("POST", &house.path, Some(more)).await;
    assert_eq!(refused["code"], "pat.limit_reached");
    let (status, own) = house.browser.api("POST", MINE, Some(ci())).await;
    assert_eq!(
        status, 201,
        "the account's tokens are none of alice's: {own}"
    );
}
