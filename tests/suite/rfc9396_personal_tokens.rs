//! Personal access tokens for named things: what RFC 9396 calls authorization details, on a token that people make themselves.

use jeton::domain::authorization_details::DetailsType;
use jeton::domain::personal_token::{PersonalToken, Rotation};
use serde_json::{Value, json};

use crate::support::{ACME, MINE, Server, repository, trail};

fn acme() -> Value {
    serde_json::from_str(ACME).unwrap()
}

/// A token needs a scope or details; with details alone it is for the resource server whose they are.
#[actix_web::test]
async fn a_token_may_have_details_and_no_scope() {
    let server = Server::start().await;
    let (notes, _) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let body = json!({"name": "ci", "authorizationDetails": acme()});
    let (status, made) = browser.api("POST", MINE, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["authorizationDetails"], acme());
    assert_eq!(
        (&made["scopes"], &made["audience"]),
        (&json!([]), &json!(["https://notes.example"]))
    );
    let told = notes.introspect(made["value"].as_str().unwrap()).await;
    assert_eq!(
        (&told["authorization_details"], &told["scope"]),
        (&acme(), &json!(""))
    );
    let (_, all) = browser.api("GET", MINE, None).await;
    assert_eq!(all[0]["authorizationDetails"], acme());
    let (status, refused) = browser
        .api("POST", MINE, Some(json!({"name": "none"})))
        .await;
    assert_eq!(
        (status, &refused["code"]),
        (400, &json!("pat.scope_required"))
    );
    let created = trail(&server, "token.created");
    assert_eq!(created[0].detail(), "ci, with details of repository");
}

/// What does not conform is refused with the place of it; nothing comes twice; and the type's resource has to be among those
/// that were named.
#[actix_web::test]
async fn details_of_a_token_are_checked_like_those_of_an_app() {
    let server = Server::start().await;
    server.repositories();
    server.resource("https://photos.example", &["photos:read"]);
    let browser = server.signed_in(&server.user("alice")).await;
    let wrong = json!([{"type": "repository", "actions": ["burn"], "identifier": "acme/site"}]);
    let (status, refused) = browser
        .api(
            "POST",
            MINE,
            Some(json!({"name": "a", "authorizationDetails": wrong})),
        )
        .await;
    assert_eq!(
        (status, &refused["code"]),
        (400, &json!("pat.authorization_details_invalid"))
    );
    assert_eq!(
        refused["message"],
        "authorization_details[0].actions: the type repository has no action \"burn\""
    );
    let elsewhere = json!({
        "name": "a", "scopes": ["photos:read"], "audience": ["https://photos.example"], "authorizationDetails": acme(),
    });
    let (status, refused) = browser.api("POST", MINE, Some(elsewhere)).await;
    assert_eq!(
        (status, &refused["code"]),
        (400, &json!("pat.authorization_details_outside_audience"))
    );
    let idle = json!({
        "name": "a", "audience": ["https://notes.example", "https://photos.example"], "authorizationDetails": acme(),
    });
    let (status, refused) = browser.api("POST", MINE, Some(idle)).await;
    assert_eq!(
        (status, &refused["code"]),
        (400, &json!("pat.audience_without_scope"))
    );
    let manager = server.manager("pats:write").await;
    let twice = format!(
        r#"{{"name":"a","authorizationDetails":{}}}"#,
        ACME.replace("[{", r#"[{"type":"x","#)
    );
    let alice = server
        .write(|tx| Ok(jeton::domain::user::User::named(tx, "alice")?))
        .unwrap();
    let answer = server
        .request(
            "POST",
            &format!("/api/users/{}/personal-access-tokens", alice.id),
        )
        .bearer_auth(manager.token())
        .body(twice)
        .send()
        .await
        .unwrap();
    let refused = crate::support::json(answer, 400).await;
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("\"type\" came twice"), "{message}");
}

/// The successor has what the old token had: both are under one grant.
#[actix_web::test]
async fn rotation_keeps_the_details() {
    let server = Server::start().await;
    let (notes, _) = server.repositories();
    let alice = server.user("alice");
    let old = server.detailed_token(&alice, "", ACME);
    let new = server.write(|tx| {
        let token = PersonalToken::all_of(tx, alice.id)?.remove(0);
        Ok(token
            .rotate(tx, Rotation::default())
            .expect("it is rotated"))
    });
    for token in [old.as_str(), new.secret.expose()] {
        assert_eq!(
            notes.introspect(token).await["authorization_details"],
            acme()
        );
    }
}

/// A successor is checked like a new token, as its scopes are: of a type that is gone there is none.
#[actix_web::test]
async fn a_token_with_details_that_are_gone_has_no_successor() {
    let server = Server::start().await;
    server.repositories();
    let alice = server.user("alice");
    server.detailed_token(&alice, "", ACME);
    let refused = server.write(|tx| {
        DetailsType::remove(tx, "repository")?;
        let token = PersonalToken::all_of(tx, alice.id)?.remove(0);
        Ok(token.rotate(tx, Rotation::default()).map(drop))
    });
    let said = refused.unwrap_err().to_string();
    assert_eq!(
        said,
        "authorization_details[0].type: there is no type \"repository\" here"
    );
}

/// Taking scopes away leaves the details, and the resource server whose they are; the last scope may go where there are
/// details.
#[actix_web::test]
async fn narrowing_the_scope_leaves_the_details() {
    let server = Server::start().await;
    let (notes, _) = server.repositories();
    let alice = server.user("alice");
    let token = server.detailed_token(&alice, "notes:read", ACME);
    let browser = server.signed_in(&alice).await;
    let (_, all) = browser.api("GET", MINE, None).await;
    let path = format!("{MINE}/{}", all[0]["id"].as_str().unwrap());
    let (status, changed) = browser
        .api("PATCH", &path, Some(json!({"scopes": []})))
        .await;
    assert_eq!(
        (status, &changed["audience"]),
        (200, &json!(["https://notes.example"])),
        "{changed}"
    );
    let told = notes.introspect(&token).await;
    assert_eq!(
        (&told["authorization_details"], &told["scope"]),
        (&acme(), &json!(""))
    );
}

/// Actions and objects can be taken away, and not given; the last object may go where there is a scope.
#[actix_web::test]
async fn details_can_be_narrowed_and_not_widened() {
    let server = Server::start().await;
    let (notes, _) = server.repositories();
    let alice = server.user("alice");
    let both = r#"[{"type":"repository","actions":["push","read"],"identifier":"acme/site"}]"#;
    let token = server.detailed_token(&alice, "notes:read", both);
    let browser = server.signed_in(&alice).await;
    let (_, all) = browser.api("GET", MINE, None).await;
    let path = format!("{MINE}/{}", all[0]["id"].as_str().unwrap());
    let change = |details: Value, scopes: Value| {
        let body = json!({"authorizationDetails": details, "scopes": scopes});
        browser.api("PATCH", &path, Some(body))
    };
    let scopes = json!(["notes:read"]);
    let (status, changed) = change(acme(), scopes.clone()).await;
    assert_eq!((status, &changed["authorizationDetails"]), (200, &acme()));
    let told = notes.introspect(&token).await;
    assert_eq!(told["authorization_details"], acme());

    let mut other = acme();
    other[0]["identifier"] = json!("acme/other");
    let both: Value = serde_json::from_str(both).unwrap();
    for wider in [both, other, json!([acme()[0], acme()[0]])] {
        let (status, refused) = change(wider.clone(), scopes.clone()).await;
        assert_eq!(
            (status, &refused["code"]),
            (422, &json!("pat.widening")),
            "{wider}: {refused}"
        );
    }
    let (status, refused) = change(json!([]), json!([])).await;
    assert_eq!(
        (status, &refused["code"]),
        (400, &json!("pat.scope_required"))
    );
    let (status, changed) = change(json!([]), scopes.clone()).await;
    assert_eq!(
        (status, &changed["authorizationDetails"]),
        (200, &json!([]))
    );
    let told = notes.introspect(&token).await;
    assert_eq!(
        (&told["scope"], told.get("authorization_details")),
        (&json!("notes:read"), None)
    );
    let (status, refused) = change(acme(), scopes).await;
    assert_eq!((status, &refused["code"]), (422, &json!("pat.widening")));
}

/// A resource server whose objects are all taken away is no longer in the audience.
#[actix_web::test]
async fn the_audience_goes_with_its_last_object() {
    let server = Server::start().await;
    let (notes, _) = server.repositories();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let alice = server.user("alice");
    let token = server.detailed_token(&alice, "photos:read", ACME);
    assert!(notes.accepts(&token).await);
    let browser = server.signed_in(&alice).await;
    let (_, all) = browser.api("GET", MINE, None).await;
    let path = format!("{MINE}/{}", all[0]["id"].as_str().unwrap());
    let none = json!({"authorizationDetails": []});
    let (_, changed) = browser.api("PATCH", &path, Some(none)).await;
    assert_eq!(changed["audience"], json!(["https://photos.example"]));
    assert!(!notes.accepts(&token).await);
    assert!(photos.accepts(&token).await);
}

/// A front end draws the form from the options: each resource with its types.
#[actix_web::test]
async fn the_options_have_the_types() {
    let server = Server::start().await;
    server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let (_, options) = browser.api("GET", &format!("{MINE}/options"), None).await;
    let notes = options["resources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|each| each["uri"] == "https://notes.example");
    assert_eq!(
        notes.unwrap()["authorizationDetailsTypes"],
        json!([repository()])
    );
}

/// Changing something else than the scope leaves where the token is good, even while its type is gone: if that comes back, so
/// does what the token may do.
#[actix_web::test]
async fn a_change_while_the_type_is_gone_loses_nothing() {
    let server = Server::start().await;
    let (notes, _) = server.repositories();
    let alice = server.user("alice");
    let token = server.detailed_token(&alice, "notes:read", ACME);
    let browser = server.signed_in(&alice).await;
    let (_, all) = browser.api("GET", MINE, None).await;
    let path = format!("{MINE}/{}", all[0]["id"].as_str().unwrap());
    server.write(|tx| Ok(DetailsType::remove(tx, "repository")?));
    for change in [json!({"scopes": []}), json!({"name": "renamed"})] {
        let (status, changed) = browser.api("PATCH", &path, Some(change)).await;
        assert_eq!(
            (status, &changed["audience"]),
            (200, &json!(["https://notes.example"])),
            "{changed}"
        );
    }
    server.details_type(repository());
    assert_eq!(
        notes.introspect(&token).await["authorization_details"],
        acme()
    );
}

/// What names a thing has no character that nobody sees, and none that turns or breaks text (RFC 9396 §11.2): of two values
/// that read alike one would be allowed for the other.
#[actix_web::test]
async fn details_have_no_characters_that_nobody_sees() {
    let server = Server::start().await;
    let mut open = repository();
    open["schema"]["properties"] = json!({"identifier": {}});
    server.notes();
    server.details_type(open);
    let browser = server.signed_in(&server.user("alice")).await;
    for hidden in [
        json!("acme/\u{200b}site"),
        json!("acme/\u{202e}etis"),
        json!("acme/\nsite"),
        json!([["acme/\u{feff}site"]]),
        json!({"acme\u{ad}": 1}),
    ] {
        let details = json!([{"type": "repository", "actions": ["read"], "identifier": hidden}]);
        let body = json!({"name": "ci", "authorizationDetails": details});
        let (status, refused) = browser.api("POST", MINE, Some(body)).await;
        assert_eq!(
            (status, &refused["code"]),
            (400, &json!("pat.authorization_details_invalid")),
            "{hidden}"
        );
        assert_eq!(
            refused["message"],
            "authorization_details[0].identifier: it has a character that can't be seen"
        );
    }
}
