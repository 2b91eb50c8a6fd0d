//! Authorization requests with `authorization_details` (RFC 9396 §2, §3, §5): what is refused, what people are asked, and
//! where the token is good.

use serde_json::json;

use crate::support::{ACME, AppOptions, Page, Server, client, query, repository, tokens};

const CB: &str = "https://app.example/cb";

/// What an app is told of details that can't be had: the code of §5, and which member of which object is wrong.
fn refusal(page: &Page) -> String {
    let answer = page.brings(CB);
    assert_eq!(
        answer["error"], "invalid_authorization_details",
        "{answer:?}"
    );
    answer["error_description"].clone()
}

/// "The AS MUST refuse to process any unknown authorization details type or authorization details not conforming to the
/// respective type definition" (§5): by redirect, and it says which member of which object.
#[actix_web::test]
async fn s5_what_does_not_conform_is_refused_by_object_and_member() {
    let server = Server::start().await;
    let (_, app) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let good = &ACME[1..ACME.len() - 1];
    for (details, said) in [
        (
            r#"[{"type":"mountain"}]"#,
            "authorization_details[0].type: there is no type 'mountain' here",
        ),
        (
            r#"[{"actions":["read"]}]"#,
            "authorization_details[0].type: there is no type '' here",
        ),
        (
            r#"[{"type":"repository","actions":["read"]}]"#,
            "authorization_details[0].identifier: this is missing",
        ),
        (
            r#"[{"type":"repository","identifier":"a/b"}]"#,
            "authorization_details[0].actions: at least one is needed",
        ),
        (
            r#"[{"type":"repository","identifier":"a/b","actions":[]}]"#,
            "[0].actions: this is an array of at least one action",
        ),
        (
            r#"[{"type":"repository","identifier":"a/b","actions":"read"}]"#,
            "[0].actions: this is an array",
        ),
        (
            r#"[{"type":"repository","identifier":"a/b","actions":["read","burn"]}]"#,
            "[0].actions: the type repository has no action 'burn'",
        ),
        (
            r#"[{"type":"repository","identifier":"A","actions":["read"]}]"#,
            "[0].identifier: 'A' does not match",
        ),
        (
            r#"[{"type":"repository","identifier":"a/b","actions":["read"],"depth":0}]"#,
            "[0].depth: 0 is less than",
        ),
        (
            r#"[{"type":"repository","identifier":"a/b","actions":["read"],"limits":{"mb":"x"}}]"#,
            "[0].limits: 'x' is not of type",
        ),
        (
            r#"[{"type":"repository","identifier":"a/b","actions":["read"],"colour":1}]"#,
            "[0].colour: the type repository has no such member",
        ),
        (
            r#"[{"type":"repository","identifier":"a/b","actions":["read"],"privileges":["admin"]}]"#,
            "[0].privileges: the type repository has no such member",
        ),
        (
            r#"[{"type":"repository","identifier":"a/b","actions":["read"],"locations":["https://photos.example"]}]"#,
            "[0].locations: this type is for ['https://notes.example'] alone",
        ),
        (
            &format!(r#"[{good},{{"type":"nothing"}}]"#),
            "authorization_details[1].type",
        ),
    ] {
        let page = browser
            .get(&app.asks("notes:read").details(details).path())
            .await;
        let told = refusal(&page);
        assert!(told.contains(said), "{details}: {told}");
    }
}

/// Details are "an array of JSON objects" (§2), in which nothing is there twice; of a bounded size (§12).
#[actix_web::test]
async fn s2_details_are_an_array_of_objects_of_a_bounded_size() {
    let server = Server::start().await;
    let (_, app) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let good = &ACME[1..ACME.len() - 1];
    let eleven = format!("[{}]", [good; 11].join(","));
    let long = format!(
        r#"[{{"type":"repository","identifier":"a/{}","actions":["read"]}}]"#,
        "b".repeat(4096)
    );
    let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
    for (details, said) in [
        ("repository", "is a JSON array of objects"),
        ("{}", "is a JSON array of objects"),
        ("[1]", "is a JSON array of objects"),
        ("[{\"type\":\"repository\"", "is a JSON array of objects"),
        (&deep, "is a JSON array of objects"),
        ("[]", "has at least one object"),
        (&eleven, "has at most 10 objects"),
        (&long, "has at most 4096 bytes"),
        (
            r#"[{"type":"repository","type":"repository","identifier":"a/b","actions":["read"]}]"#,
            "the member 'type' came twice",
        ),
        (
            r#"[{"type":"repository","identifier":"a/b","actions":["read"],"limits":{"mb":1,"mb":2}}]"#,
            "the member 'mb' came twice",
        ),
    ] {
        let page = browser
            .get(&app.asks("notes:read").details(details).path())
            .await;
        let told = refusal(&page);
        assert!(told.contains(said), "{details}: {told}");
    }
    let ten = format!("[{}]", [good; 10].join(","));
    let page = browser
        .get(&app.asks("notes:read").details(&ten).path())
        .await;
    assert!(page.asks_for_consent(), "{}", page.body);
}

/// What an app asks for that is no text at all costs it an answer, never the server.
#[actix_web::test]
async fn hostile_details_are_refused_and_nothing_breaks() {
    let server = Server::start().await;
    let (_, app) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    for details in [
        "[{\"type\":\"repository\",\"identifier\":\"a\\u0000b\",\"actions\":[\"read\"]}]",
        "[{\"type\":\"\\ud800\"}]",
        "[{\"type\":{}}]",
        "[{\"type\":\"repository\",\"identifier\":1e999,\"actions\":[null]}]",
        "[{\"type\":\"repository\",\"identifier\":\"a/b\",\"actions\":[[[[\"read\"]]]]}]",
        "[null]",
        "[{\"\":0}]",
    ] {
        let page = browser.get(&app.asks("").details(details).path()).await;
        refusal(&page);
    }
}

/// "authorization_details_types: … the client uses" (§10): a client gets no type that it is not registered for, and that is
/// none unless somebody says so.
#[actix_web::test]
async fn s10_a_client_asks_only_for_the_types_it_is_registered_for() {
    let server = Server::start().await;
    server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let other = server.app(AppOptions::default());
    let page = browser
        .get(&other.asks("notes:read").details(ACME).path())
        .await;
    let told = refusal(&page);
    assert_eq!(
        told,
        "this client may not ask for authorization details of the type repository"
    );
    // Nor is it told more of a type that is not for it.
    let wrong = r#"[{"type":"repository"}]"#;
    let page = browser
        .get(&other.asks("notes:read").details(wrong).path())
        .await;
    assert_eq!(refusal(&page), told);
}

/// People read what they allow (§11.2): the sentence of the type and of each action, and the value of every other member under
/// the name the schema has for it; nothing of it is markup.
#[actix_web::test]
async fn s11_consent_says_details_in_words() {
    let server = Server::start().await;
    let (_, app) = server.repositories();
    let mut open = repository();
    open["type"] = json!("place");
    open["description"] = json!("Go to a place");
    open["schema"]["properties"]["identifier"] = json!({"type": "string"});
    server.details_type(open);
    let both = server.app(AppOptions {
        details_types: "place repository",
        ..AppOptions::default()
    });
    let browser = server.signed_in(&server.user("alice")).await;
    let details = r#"[{"type":"repository","actions":["push","read"],"identifier":"acme/site","archived":true,"branches":["main","x"],"limits":{"mb":5}}]"#;
    let page = browser
        .get(&app.asks("notes:read").details(details).path())
        .await;
    for words in [
        "Work on a repository repository",
        "Read its files",
        "Change its files",
        "Repository acme/site",
        "archived yes",
        "branches \"main\", \"x\"",
        "limits {\"mb\":5}",
    ] {
        assert!(page.says(words), "{words}: {}", page.text());
    }
    let strange =
        r#"[{"type":"place","actions":["read"],"identifier":"<script>alert(1)</script>"}]"#;
    let page = browser
        .get(&both.asks("notes:read").details(strange).path())
        .await;
    assert!(
        page.says("identifier <script>alert(1)</script>"),
        "{}",
        page.text()
    );
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
}

/// What was agreed to is agreed to once: the next request with details asks again, and can't be answered without (§11.2).
#[actix_web::test]
async fn consent_to_details_is_never_skipped() {
    let server = Server::start().await;
    let (_, app) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let flow = app.asks("notes:read").details(ACME);
    app.code(&browser, &flow).await;
    let again = browser.get(&flow.path()).await;
    assert!(again.asks_for_consent(), "{again:?}");
    let silent = browser
        .get(&flow.clone().set("prompt", "none").path())
        .await;
    assert_eq!(silent.error_at(CB), "consent_required");
    let without = browser.get(&app.asks("notes:read").path()).await;
    assert_eq!(without.status, 303, "the scope alone was allowed before");
}

/// "authorization_details … can be used … in addition to or instead of scope" (§3.1): alone, it asks for no scope at all,
/// not for all that the app may have.
#[actix_web::test]
async fn s3_1_details_may_be_asked_for_without_a_scope() {
    let server = Server::start().await;
    let (notes, app) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let flow = app.asks("").details(ACME);
    let page = browser.get(&flow.path()).await;
    assert_eq!(page.offered(), [] as [&str; 0]);
    assert!(!page.says("nothing else"), "{}", page.text());
    let code = app.code(&browser, &flow).await;
    let got = tokens(app.redeem(&flow, &code).await).await;
    assert_eq!(got.answer["scope"], "");
    let told = notes.introspect(&got.access).await;
    assert_eq!(told["scope"], "");
    assert_eq!(told["aud"], json!(["https://notes.example"]));
    assert_eq!(told["authorization_details"][0]["identifier"], "acme/site");
}

/// With scopes beside them, details stay when every scope is unticked.
#[actix_web::test]
async fn unticked_scopes_leave_the_details() {
    let server = Server::start().await;
    let (notes, app) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let flow = app.asks("notes:read").details(ACME);
    let page = browser.get(&flow.path()).await;
    let offered = page.offered_details();
    let answer = browser.decide_on_details(&page, "allow", &[], &offered);
    let code = answer.await.brings(CB)["code"].clone();
    let got = tokens(app.redeem(&flow, &code).await).await;
    let told = notes.introspect(&got.access).await;
    assert_eq!(
        (
            &told["scope"],
            &told["authorization_details"][0]["identifier"]
        ),
        (&json!(""), &json!("acme/site"))
    );
}

/// The resource server of the details is in the audience. Where the app names resources itself (RFC 8707 §2), it has to be
/// among them.
#[actix_web::test]
async fn s3_the_resource_of_the_details_is_in_the_audience() {
    let server = Server::start().await;
    server.repositories();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let app = server.app(AppOptions {
        scope: "photos:read",
        details_types: "repository",
        ..AppOptions::default()
    });
    let browser = server.signed_in(&server.user("alice")).await;
    let flow = app.asks("photos:read").details(ACME);
    let code = app.code(&browser, &flow).await;
    let got = tokens(app.redeem(&flow, &code).await).await;
    let told = photos.introspect(&got.access).await;
    assert_eq!(
        told["aud"],
        json!(["https://notes.example", "https://photos.example"])
    );
    let named = flow.clone().and("resource", "https://photos.example");
    let told = refusal(&browser.get(&named.path()).await);
    assert!(
        told.contains("of https://notes.example, which is not among the requested"),
        "{told}"
    );
    let both = named.and("resource", "https://notes.example");
    assert!(browser.get(&both.path()).await.asks_for_consent());
}

/// A client gets none for itself: the token endpoint says so, 400 (§5), rather than leave them out.
#[actix_web::test]
async fn s5_client_credentials_with_details_are_refused() {
    let server = Server::start().await;
    let (_, app) = server.repositories();
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "notes:read"),
        ("authorization_details", ACME),
    ];
    let answer = app.token(&form).await;
    let answer = crate::support::json(answer, 400).await;
    assert_eq!(answer["error"], "invalid_authorization_details");
}

/// The parameter comes once (RFC 6749 §3.1).
#[actix_web::test]
async fn s2_the_parameter_comes_once() {
    let server = Server::start().await;
    let (_, app) = server.repositories();
    let twice = app
        .asks("notes:read")
        .details(ACME)
        .and("authorization_details", ACME);
    let answer = client()
        .get(format!("{}{}", server.url, twice.path()))
        .send()
        .await
        .unwrap();
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(query(&location)["error"], "invalid_request");
}

/// Scopes that the person can't give are left out of what they are asked; the details that stand beside them are not.
#[actix_web::test]
async fn details_are_asked_for_without_the_scopes_that_are_reserved() {
    let server = Server::start().await;
    let (notes, _) = server.repositories();
    let app = server.app(AppOptions {
        scope: "notes:admin",
        details_types: "repository",
        ..AppOptions::default()
    });
    let browser = server.signed_in(&server.user("alice")).await;
    let flow = app.asks("notes:admin").details(ACME);
    let page = browser.get(&flow.path()).await;
    assert!(page.asks_for_consent(), "{page:?}");
    assert_eq!(page.offered(), [] as [&str; 0]);
    let offered = page.offered_details();
    let answer = browser.decide_on_details(&page, "allow", &[], &offered);
    let code = answer.await.brings(CB)["code"].clone();
    let got = tokens(app.redeem(&flow, &code).await).await;
    let told = notes.introspect(&got.access).await;
    assert_eq!(
        (&told["scope"], &told["authorization_details"]),
        (&json!(""), &serde_json::from_str(ACME).unwrap())
    );
}
