//! The form for a new token, where resource servers have types of authorization details (RFC 9396): drawn from the schema.

use serde_json::json;

use crate::support::{Browser, Page, Server, repository, seconds};

const FORM: &str = "/settings/tokens/new";

/// All of a repository, as the form sends it.
const FIELDS: [(&str, &str); 10] = [
    ("name", "ci"),
    ("expires", "30d"),
    ("details", "repository"),
    ("details repository actions", "read"),
    ("details repository identifier", "acme/site"),
    ("details repository depth", "3"),
    ("details repository archived", "false"),
    ("details repository branch_kind", "release"),
    ("details repository branches", "main\r\nnext"),
    ("details repository limits", "{\"mb\": 5}"),
];

async fn create(browser: &Browser, fields: &[(&str, &str)]) -> Page {
    let csrf = browser.get(FORM).await.input("csrf");
    browser.submit_with(&csrf, "/settings/tokens", fields).await
}

/// With one field changed, or added.
fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut fields: Vec<_> = FIELDS
        .into_iter()
        .filter(|(each, _)| *each != name)
        .collect();
    fields.push((name, value));
    fields
}

/// That the form shows all of [`FIELDS`] as they were sent, but for the one that was changed.
fn kept(page: &Page, but: &str) {
    for (name, value) in FIELDS.into_iter().skip(2).filter(|(name, _)| *name != but) {
        let shown = match name {
            "details" | "details repository actions" => {
                page.tag(&[
                    &format!("name=\"{name}\""),
                    &format!("value=\"{value}\""),
                    " checked",
                ]);
                continue;
            }
            "details repository archived" | "details repository branch_kind" => {
                page.tag(&["option", &format!("value=\"{value}\""), " selected"]);
                continue;
            }
            "details repository branches" | "details repository limits" => {
                let (_, rest) = page
                    .body
                    .split_once(&format!("<textarea id=\"{}", id_of(name)))
                    .expect("a textarea");
                let text = rest
                    .split_once(">\n")
                    .expect("its text")
                    .1
                    .split("</textarea>")
                    .next()
                    .unwrap();
                text.replace("&#34;", "\"")
            }
            _ => page.input(name),
        };
        assert_eq!(shown, value, "{name}");
    }
}

/// What has to be there stands first; the others by name.
fn id_of(field: &str) -> &'static str {
    match field.trim_start_matches("details repository ") {
        "identifier" => "details-0-0",
        "archived" => "details-0-1",
        "branch_kind" => "details-0-2",
        "branches" => "details-0-3",
        "depth" => "details-0-4",
        "limits" => "details-0-5",
        _ => "details-0",
    }
}

/// Each member has the plainest input that can say it, under the name and with the words that the schema has.
#[actix_web::test]
async fn the_form_is_drawn_from_the_schema() {
    let server = Server::start().await;
    server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let page = browser.get(FORM).await;
    for words in [
        "Work on a repository",
        "Read its files",
        "Change its files",
        "Repository Its owner and its name.",
        "depth (optional)",
    ] {
        assert!(page.says(words), "{words}: {}", page.text());
    }
    page.tag(&[
        "input",
        "id=\"details-0-0\"",
        "name=\"details repository identifier\"",
    ]);
    page.tag(&["select", "id=\"details-0-1\""]);
    page.tag(&["select", "id=\"details-0-2\""]);
    page.tag(&["textarea", "id=\"details-0-3\""]);
    page.tag(&["input", "id=\"details-0-4\""]);
    page.tag(&["textarea", "id=\"details-0-5\""]);
    let ticks = page
        .body
        .split("<input")
        .filter(|tag| tag.contains("name=\"details") && tag.contains(" checked"));
    assert_eq!(ticks.count(), 0, "nothing is ticked for people");
}

/// What is filled in is what the token has, each value as its schema wants it.
#[actix_web::test]
async fn a_filled_in_form_makes_a_token_with_details() {
    let server = Server::start().await;
    let (notes, _) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let made = create(&browser, &FIELDS).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(
        made.says(
            "repository: read; archived no; branch_kind release; branches \"main\", \"next\"; depth 3"
        ),
        "{}",
        made.text()
    );
    let told = notes.introspect(&super::reveal::secret(&made)).await;
    let expected = json!([{
        "type": "repository", "actions": ["read"], "identifier": "acme/site", "depth": 3, "archived": false,
        "branch_kind": "release", "branches": ["main", "next"], "limits": {"mb": 5},
    }]);
    assert_eq!(told["authorization_details"], expected);
    let list = browser.get("/settings/tokens").await;
    assert!(list.says("identifier acme/site"), "{}", list.text());
}

/// Every problem stands at its field, all at once, and nothing that was filled in is lost.
#[actix_web::test]
async fn problems_stand_at_their_fields_and_nothing_is_lost() {
    let server = Server::start().await;
    server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    for (field, value, said) in [
        (
            "details repository actions",
            "",
            "Work on a repository: at least one is needed.",
        ),
        (
            "details repository actions",
            "burn",
            "Work on a repository: the type repository has no action",
        ),
        (
            "details repository identifier",
            "",
            "Repository: this is missing.",
        ),
        ("details repository identifier", "ACME", "Repository: "),
        ("details repository depth", "three", "depth: "),
        (
            "details repository depth",
            "0",
            "depth: 0 is less than the minimum of 1.",
        ),
        ("details repository archived", "perhaps", "archived: "),
        ("details repository branch_kind", "third", "branch_kind: "),
        ("details repository branches", "a\nb\nc\nd", "branches: "),
        (
            "details repository limits",
            "{\"mb\":",
            "limits: This is not JSON: ",
        ),
        ("details repository limits", "{\"gb\": 1}", "limits: "),
    ] {
        let page = create(&browser, &with(field, value)).await;
        assert_eq!(page.status, 422, "{field}={value}: {}", page.text());
        let told = page
            .error(id_of(field))
            .unwrap_or_else(|| panic!("{field}={value}: {}", page.text()));
        assert!(told.starts_with(said), "{field}={value}: {told}");
        kept(&page, field);
    }
    let two = create(
        &browser,
        &[
            ("name", "ci"),
            ("expires", "30d"),
            ("details", "repository"),
        ],
    )
    .await;
    assert!(
        two.error("details-0").is_some() && two.error("details-0-0").is_some(),
        "{}",
        two.text()
    );
}

/// What is filled in below a box that is not ticked is not silently dropped.
#[actix_web::test]
async fn fields_without_their_tick_are_asked_about() {
    let server = Server::start().await;
    server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let fields: Vec<_> = FIELDS
        .into_iter()
        .filter(|(name, _)| *name != "details")
        .collect();
    let page = create(&browser, &fields).await;
    assert_eq!(page.status, 422);
    let said = page.error("details-0").unwrap_or_default();
    assert!(
        said.contains("tick this too, or empty what belongs to it"),
        "{said}"
    );
    kept(&page, "details");
    let nothing = create(&browser, &[("name", "ci"), ("expires", "30d")]).await;
    assert_eq!(
        nothing.error("scope"),
        Some("Choose at least one permission.")
    );
}

/// A form that waited too long comes back with all of it after the password.
#[actix_web::test]
async fn the_step_up_keeps_what_was_filled_in() {
    let server = Server::start().await;
    server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let csrf = browser.get(FORM).await.input("csrf");
    server.clock.advance(seconds(601));
    let sent = browser
        .submit_with(&csrf, "/settings/tokens", &FIELDS)
        .await;
    let asked = browser.get(sent.location()).await;
    let next = asked.input("next");
    let proven = [
        ("password", crate::support::PASSWORD),
        ("next", next.as_str()),
    ];
    let proven = browser
        .submit_with(&asked.input("csrf"), "/step-up", &proven)
        .await;
    kept(&browser.get(proven.location()).await, "");
}

/// A resource server that has types and no scopes is in the form too.
#[actix_web::test]
async fn a_resource_server_without_scopes_is_in_the_form() {
    let server = Server::start().await;
    server.resource("https://bare.example", &[]);
    let mut bare = repository();
    bare["resource"] = json!("https://bare.example");
    server.details_type(bare);
    let browser = server.signed_in(&server.user("alice")).await;
    assert_eq!(create(&browser, &FIELDS).await.status, 201);
}

/// A box that was left empty stays empty where the token is good for its details alone: a scope that their resource server
/// defines too has to be ticked there.
#[actix_web::test]
async fn a_box_left_empty_beside_details_is_not_implied() {
    let server = Server::start().await;
    server.resource("https://files.example", &["read"]);
    let git = server.resource("https://git.example", &["read"]);
    let mut theirs = repository();
    theirs["resource"] = json!("https://git.example");
    server.details_type(theirs);
    let browser = server.signed_in(&server.user("alice")).await;
    let mut fields = FIELDS.to_vec();
    fields.push(("scope", "https://files.example read"));
    let page = create(&browser, &fields).await;
    assert_eq!(page.status, 422, "{}", page.text());
    let said = page.error("scope").unwrap_or_default();
    assert!(
        said.starts_with("read is a permission of more than one of the resources you chose"),
        "{said}"
    );
    fields.push(("scope", "https://git.example read"));
    let made = create(&browser, &fields).await;
    let told = git.introspect(&super::reveal::secret(&made)).await;
    assert_eq!(told["scope"], "read", "{}", made.text());
}
