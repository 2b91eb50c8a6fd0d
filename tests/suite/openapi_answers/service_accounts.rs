//! Answers about service accounts and their tokens.

use serde_json::{Value, json};

use super::{Call, MANAGE, NOBODY, ci, text};
use crate::support::Server;

const KEPT: &str = "/api/my-account/service-accounts/{account}/tokens";

const KEPT_ONE: &str = "/api/my-account/service-accounts/{account}/tokens/{token}";

const ACCOUNT: &str = "/api/service-accounts/{account}";

#[actix_web::test]
async fn of_service_accounts_and_their_tokens() {
    let server = Server::start().await;
    server.notes();
    let alice = server.signed_in(&server.user("alice")).await;
    let manager = server.manager(MANAGE).await;
    let body = json!({"name": "ci-bot", "description": "builds", "keepers": ["alice"]});
    let all = "/api/service-accounts";
    let made = Call::post(all, &[], body.clone()).by(&manager, 201).await;
    Call::post(all, &[], body).by(&manager, 422).await;
    Call::post(all, &[], json!({"name": "x", "keepers": []}))
        .by(&manager, 422)
        .await;
    Call::get(all, &[]).by(&manager, 200).await;
    let id = text(&made, "id").to_owned();
    let account: &[(&str, &str)] = &[("account", &id)];
    Call::get(ACCOUNT, account).by(&manager, 200).await;
    Call::get(ACCOUNT, &[("account", "nobody")])
        .by(&manager, 404)
        .await;
    let words = json!({"description": "builds and deploys"});
    Call::new("PATCH", ACCOUNT, account)
        .with(words)
        .by(&manager, 200)
        .await;
    let keepers = "/api/service-accounts/{account}/keepers";
    let both = json!({"keepers": ["alice"]});
    Call::new("PUT", keepers, account)
        .with(both)
        .by(&manager, 200)
        .await;

    Call::get("/api/my-account/service-accounts", &[])
        .at(&alice, 200)
        .await;
    let options = "/api/my-account/service-accounts/{account}/tokens/options";
    Call::get(options, account).at(&alice, 200).await;
    let token = Call::post(KEPT, account, ci()).at(&alice, 201).await;
    assert!(text(&token, "value").starts_with("jeton_sat_"));
    Call::get(KEPT, account).at(&alice, 200).await;
    Call::get(KEPT, &[("account", NOBODY)])
        .at(&alice, 404)
        .await;
    let one: &[(&str, &str)] = &[("account", &id), ("token", text(&token, "id"))];
    Call::get(KEPT_ONE, one).at(&alice, 200).await;
    let change = json!({"description": "for tests"});
    Call::new("PATCH", KEPT_ONE, one)
        .with(change)
        .at(&alice, 200)
        .await;
    let events = "/api/my-account/service-accounts/{account}/tokens/{token}/events";
    Call::get(events, one).at(&alice, 200).await;
    let rotate = "/api/my-account/service-accounts/{account}/tokens/{token}/rotate";
    Call::post(rotate, one, json!({})).at(&alice, 201).await;
    let cancel = "/api/my-account/service-accounts/{account}/tokens/{token}/rotate/cancel";
    Call::post(cancel, one, Value::Null).at(&alice, 204).await;
    let finish = "/api/my-account/service-accounts/{account}/tokens/{token}/rotate/finish";
    Call::post(finish, one, Value::Null).at(&alice, 409).await;
    Call::new("DELETE", KEPT_ONE, one).at(&alice, 204).await;
    Call::new("DELETE", ACCOUNT, account)
        .by(&manager, 204)
        .await;
}
