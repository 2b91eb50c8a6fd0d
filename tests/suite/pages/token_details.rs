//! The page of a token that has authorization details (RFC 9396): it says them, and objects can be unticked there.

use jeton::domain::authorization_details::DetailsType;
use serde_json::json;

use crate::support::{ACME, MINE, Server, repository};

/// The page of a token says its details in words; a token that has no scope can still be renamed.
#[actix_web::test]
async fn the_page_of_a_token_says_its_details() {
    let server = Server::start().await;
    server.repositories();
    let alice = server.user("alice");
    server.detailed_token(&alice, "", ACME);
    let browser = server.signed_in(&alice).await;
    let list = browser.get("/settings/tokens").await;
    let (_, rest) = list
        .body
        .split_once("href=\"/settings/tokens/0")
        .expect("a link");
    let path = format!("/settings/tokens/0{}", rest.split('"').next().unwrap());
    let page = browser.get(&path).await;
    assert!(
        page.says("Work on a repository repository Read its files Repository acme/site"),
        "{}",
        page.text()
    );
    let (end, object) = (
        page.input("expires_at"),
        page.input("authorization_details"),
    );
    let fields = [
        ("name", "another"),
        ("expires_at", &end),
        ("authorization_details", &object),
    ];
    let renamed = browser.submit(&path, &fields).await;
    assert_eq!(renamed.status, 303, "{}", renamed.text());
}

/// An object that lost its last action allows nothing, and its page does not say that it does.
#[actix_web::test]
async fn the_page_of_a_token_says_nothing_that_is_gone() {
    let server = Server::start().await;
    server.repositories();
    let alice = server.user("alice");
    server.detailed_token(&alice, "", ACME);
    let mut less = repository();
    less["actions"] = json!({"push": "Change its files"});
    server.details_type(less);
    let browser = server.signed_in(&alice).await;
    let (_, all) = browser.api("GET", MINE, None).await;
    let path = format!("/settings/tokens/{}", all[0]["id"].as_str().unwrap());
    let page = browser.get(&path).await;
    assert!(!page.says("Work on a repository"), "{}", page.text());
    assert!(
        page.says("Nothing any more: this is no longer defined here"),
        "{}",
        page.text()
    );
}

/// Each object that a token has can be unticked, and not be widened. One whose type is gone is not shown, and stays.
#[actix_web::test]
async fn an_object_can_be_unticked() {
    let server = Server::start().await;
    let (notes, _) = server.repositories();
    let mut gone = repository();
    gone["type"] = json!("place");
    server.details_type(gone.clone());
    let alice = server.user("alice");
    let three = r#"[{"type":"repository","actions":["read"],"identifier":"acme/site"},
        {"type":"repository","actions":["push"],"identifier":"acme/shop"},
        {"type":"place","actions":["read"],"identifier":"acme/yard"}]"#;
    let token = server.detailed_token(&alice, "notes:read", three);
    server.write(|tx| Ok(DetailsType::remove(tx, "place")?));
    let browser = server.signed_in(&alice).await;
    let (_, all) = browser.api("GET", MINE, None).await;
    let path = format!("/settings/tokens/{}", all[0]["id"].as_str().unwrap());
    let page = browser.get(&path).await;
    assert!(page.says("Repository acme/shop"), "{}", page.text());
    assert!(!page.says("Repository acme/yard"), "{}", page.text());
    let objects = page.offered_details();
    let [site, shop, yard] = &objects[..] else {
        panic!("{objects:?}")
    };
    let end = page.input("expires_at");
    let save = |name: &str, objects: &[&str]| {
        let mut form = vec![("name", name.to_owned()), ("expires_at", end.clone())];
        form.extend(
            objects
                .iter()
                .map(|each| ("authorization_details", (*each).to_owned())),
        );
        form
    };
    let wide = site.replace("\"read\"", "\"read\",\"push\"");
    let refusals = [
        (
            vec![wide.as_str()],
            "that it does not have: repository: read, push",
        ),
        (vec!["["], "is a JSON array of objects"),
        (vec![], "Choose at least one permission"),
    ];
    for (objects, problem) in refusals {
        let page = browser
            .submit(&path, &pairs(&save("detailed", &objects)))
            .await;
        assert_eq!(page.status, 422);
        assert!(page.says(problem), "{}", page.text());
    }
    let refused = browser
        .submit(&path, &pairs(&save("", &[shop, yard])))
        .await;
    assert_eq!(refused.status, 422, "a token needs a name");
    let boxes = refused.body.split("<input");
    let boxes = boxes.filter(|tag| tag.contains("name=\"authorization_details\""));
    let ticked: Vec<bool> = boxes.map(|tag| tag.contains(" checked")).collect();
    assert_eq!(ticked, [false, true, false], "the last one is hidden");

    let done = browser
        .submit(&path, &pairs(&save("detailed", &[shop, yard])))
        .await;
    assert_eq!(done.status, 303, "{}", done.text());
    server.details_type(gone);
    let told = notes.introspect(&token).await;
    let left = json!([
        {"type": "repository", "actions": ["push"], "identifier": "acme/shop"},
        {"type": "place", "actions": ["read"], "identifier": "acme/yard"},
    ]);
    assert_eq!(told["authorization_details"], left);
}

fn pairs<'a>(form: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    form.iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}
