//! The command line as scripts use it: one JSON document with these keys, nothing on standard error, exit code 0; or
//! nothing on standard output, one sentence on standard error, exit code 1; or 2 for what can't be a command.

mod for_people;

use serde_json::{Value, json};

use crate::support::tables::migrations;
use crate::support::{Browser, Jeton, PASSWORD, ResourceServer};

const CLIENT: [&str; 10] = [
    "client_id",
    "name",
    "public",
    "auth_method",
    "redirect_uris",
    "grants",
    "scopes",
    "authorization_details_types",
    "access_token_ttl",
    "disabled",
];

const USER: [&str; 7] = [
    "id",
    "username",
    "email",
    "kind",
    "admin",
    "created_at",
    "disabled",
];

const TOKEN: [&str; 9] = [
    "id",
    "name",
    "hint",
    "scopes",
    "resources",
    "created_at",
    "expires_at",
    "last_used_at",
    "state",
];

fn has_keys(document: &Value, keys: &[&str], and: &[&str]) {
    let mut expected: Vec<&str> = keys.iter().chain(and).copied().collect();
    expected.sort();
    let mut found: Vec<&String> = document.as_object().expect("an object").keys().collect();
    found.sort();
    assert_eq!(found, expected);
}

fn text<'a>(document: &'a Value, key: &str) -> &'a str {
    document[key].as_str().expect("a text")
}

#[test]
fn migrate_says_how_much_there_was_to_do() {
    let jeton = Jeton::new();
    assert_eq!(
        jeton.json(&["migrate"]),
        json!({"migrations": migrations()})
    );
    assert_eq!(jeton.json(&["migrate"]), json!({"migrations": 0}));
    let ran = jeton.run(&["migrate"]);
    assert_eq!(ran.stdout, "The tables are up to date already.\n");
}

#[test]
fn user_commands_answer_with_the_account_as_it_is_now() {
    let jeton = Jeton::new();
    let args = ["user", "create", "Alice", "--email=alice@example.com"];
    let args = [&args[..], &["--admin", "--password-stdin"]].concat();
    let made = jeton.json_with(&args, &format!("{PASSWORD}\r\n"));
    has_keys(&made, &USER, &[]);
    assert_eq!(made["username"], "alice");
    assert_eq!(made["email"], "alice@example.com");
    assert_eq!(
        (&made["admin"], &made["disabled"]),
        (&json!(true), &json!(false))
    );
    let bob = jeton.user("bob", PASSWORD);
    assert_eq!(
        (&bob["admin"], &bob["email"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(jeton.json(&["user", "list"]), json!([made, bob]));
    let off = jeton.json(&["user", "disable", "bob"]);
    assert_eq!(off["disabled"], true);
    assert_eq!(jeton.json(&["user", "enable", "bob"]), bob);
    let new = jeton.json_with(
        &["user", "set-password", "bob", "--password-stdin"],
        "another password",
    );
    assert_eq!(new["username"], "bob");
    has_keys(&new, &USER, &[]);
}

#[actix_web::test]
async fn a_password_from_standard_input_is_one_line_without_its_end() {
    let jeton = Jeton::new();
    jeton.user("alice", PASSWORD);
    let args = ["user", "set-password", "alice", "--password-stdin"];
    jeton.json_with(&args, " two  spaces and a tail \r\nnot this\n");
    let server = jeton.serve();
    let browser = Browser::new(&server.url);
    assert_eq!(browser.sign_in("alice", PASSWORD).await.status, 401);
    let page = browser.sign_in("alice", " two  spaces and a tail ").await;
    assert_eq!(page.status, 303, "{}", page.body);
}

#[test]
fn resource_commands_answer_with_the_api_and_its_secret_once() {
    let jeton = Jeton::new();
    let made = jeton.json(&[
        "resource",
        "create",
        "https://notes.example",
        "--name=Notes",
        "--scope=notes:read=Read your notes",
        "--admin-scope=notes:admin=Manage all = every note",
    ]);
    let keys = ["uri", "name", "scopes", "client_id"];
    has_keys(&made, &keys, &["client_secret"]);
    assert_eq!(
        made["scopes"],
        json!([
            {"name": "notes:admin", "description": "Manage all = every note", "reserved": true},
            {"name": "notes:read", "description": "Read your notes", "reserved": false},
        ])
    );
    let secret = text(&made, "client_secret");
    assert!(secret.starts_with("jeton_cs_"), "{secret}");
    let listed = jeton.json(&["resource", "list"]);
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 2, "this server's own API is one too");
    for resource in listed {
        has_keys(resource, &keys, &[]);
    }
    let client = &made["client_id"];
    let notes = listed.iter().find(|each| each["client_id"] == *client);
    assert_eq!(notes.unwrap()["uri"], "https://notes.example");
}

#[test]
fn client_commands_answer_with_the_client_and_its_secret_once() {
    let jeton = Jeton::new();
    jeton.notes("");
    let made = jeton.json(&[
        "client",
        "create",
        "--name=Backup Tool",
        "--redirect-uri=https://app.example/cb",
        "--redirect-uri=http://127.0.0.1/cb",
        "--scope=notes:read notes:write",
        "--auth-method=client_secret_post",
        "--access-token-ttl=15m",
    ]);
    has_keys(&made, &CLIENT, &["client_secret"]);
    assert!(text(&made, "client_secret").starts_with("jeton_cs_"));
    let mut kept = made.clone();
    kept.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(
        kept,
        json!({
            "client_id": made["client_id"],
            "name": "Backup Tool",
            "public": false,
            "auth_method": "client_secret_post",
            "redirect_uris": ["https://app.example/cb", "http://127.0.0.1/cb"],
            "grants": ["authorization_code", "refresh_token"],
            "scopes": ["notes:read", "notes:write"],
            "access_token_ttl": 900,
            "authorization_details_types": [],
            "disabled": false,
        })
    );
    let listed = jeton.json(&["client", "list"]);
    let listed = listed.as_array().unwrap();
    listed.iter().for_each(|each| has_keys(each, &CLIENT, &[]));
    assert!(listed.contains(&kept));

    let id = text(&made, "client_id");
    let rotated = jeton.json(&["client", "rotate-secret", id]);
    has_keys(
        &rotated,
        &CLIENT,
        &["client_secret", "old_secret_works_until"],
    );
    assert_ne!(rotated["client_secret"], made["client_secret"]);
    let off = jeton.json(&["client", "disable", id]);
    has_keys(&off, &CLIENT, &[]);
    assert_eq!(off["disabled"], true);
    let on = jeton.json(&["client", "enable", id]);
    assert_eq!(on, kept, "as it was before");
    assert_eq!(jeton.json(&["client", "enable", id]), kept, "a second time");
}

/// A client that is switched off is nobody, and somebody again once it is switched on.
#[actix_web::test]
async fn a_client_is_switched_off_and_on_under_a_running_server() {
    let jeton = Jeton::new();
    let server = jeton.serve();
    jeton.notes(&server.url);
    jeton.user("alice", PASSWORD);
    let app = jeton.app(&server.url);
    let browser = Browser::new(&server.url);
    browser.sign_in("alice", PASSWORD).await;
    let got = app.let_in(&browser, "notes:read").await;
    jeton.json(&["client", "disable", &app.client_id]);
    assert_eq!(app.refresh(got.refresh()).await.status(), 401);
    jeton.json(&["client", "enable", &app.client_id]);
    assert_eq!(app.refresh(got.refresh()).await.status(), 200);
}

/// Unless it was given the right, a client is told of its own tokens alone; with it of every token that is shown at a
/// resource server, and so of no refresh token of others (RFC 7662 §4).
#[actix_web::test]
async fn a_client_may_be_let_ask_about_every_token() {
    let jeton = Jeton::new();
    let server = jeton.serve();
    jeton.notes(&server.url);
    jeton.user("alice", PASSWORD);
    let app = jeton.app(&server.url);
    let browser = Browser::new(&server.url);
    browser.sign_in("alice", PASSWORD).await;
    let got = app.let_in(&browser, "notes:read").await;
    let made = jeton.token("alice", "ci");
    let personal = text(&made, "token");
    for (right, all) in [(&["--introspect-any"][..], true), (&[], false)] {
        let create = [&["client", "create", "--name=Gateway"], right].concat();
        let made = jeton.json(&create);
        let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
        let gateway = ResourceServer::new(&server.url, String::new(), id.to_owned(), secret);
        for token in [got.access.as_str(), personal] {
            assert_eq!(gateway.accepts(token).await, all, "{right:?}");
        }
        assert!(!gateway.accepts(got.refresh()).await, "{right:?}");
    }
}

#[test]
fn a_client_gets_the_grants_that_fit_how_it_was_described() {
    let jeton = Jeton::new();
    let public = jeton.json(&[
        "client",
        "create",
        "--name=Phone",
        "--public",
        "--redirect-uri=com.example.app:/cb",
    ]);
    has_keys(&public, &CLIENT, &[]);
    assert_eq!(public["auth_method"], "none");
    assert_eq!(
        public["grants"],
        json!(["authorization_code", "refresh_token"])
    );
    let service = jeton.json(&["client", "create", "--name=Nightly"]);
    assert_eq!(service["grants"], json!(["client_credentials"]));
    assert_eq!(service["access_token_ttl"], Value::Null);
}

#[test]
fn token_commands_answer_with_the_token_and_its_secret_once() {
    let jeton = Jeton::new();
    jeton.notes("");
    jeton.user("alice", PASSWORD);
    let made = jeton.token("alice", "laptop");
    has_keys(&made, &TOKEN, &["token"]);
    let token = text(&made, "token");
    assert!(token.starts_with(text(&made, "hint")), "{token}");
    assert!(token.starts_with("jeton_pat_"), "{token}");
    assert_eq!(made["scopes"], json!(["notes:read"]));
    assert_eq!(made["resources"], json!(["https://notes.example"]));
    assert_eq!(
        (&made["state"], &made["last_used_at"]),
        (&json!("active"), &Value::Null)
    );
    let listed = jeton.json(&["token", "list", "--user=alice"]);
    has_keys(&listed[0], &TOKEN, &[]);
    assert_eq!(listed[0]["id"], made["id"]);

    let revoked = jeton.json(&["token", "revoke", text(&made, "id")]);
    has_keys(&revoked, &TOKEN, &[]);
    assert_eq!(revoked["state"], "revoked");
    let again = jeton.json(&["token", "revoke", text(&made, "id")]);
    assert_eq!(again, revoked, "a second time changes nothing");
}

/// A rotation hands over the new secret once, and is finished or cancelled by either id.
#[test]
fn a_token_is_rotated_finished_and_cancelled() {
    let jeton = Jeton::new();
    jeton.notes("");
    jeton.user("alice", PASSWORD);
    let made = jeton.token("alice", "laptop");
    let id = text(&made, "id");
    let rotated = jeton.json(&["token", "rotate", id]);
    has_keys(&rotated, &TOKEN, &["token"]);
    assert_ne!(rotated["token"], made["token"]);
    assert_eq!(rotated["state"], "active");
    let listed = jeton.json(&["token", "list", "--user=alice"]);
    let states: Vec<&Value> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|t| &t["state"])
        .collect();
    assert_eq!(states, ["active", "rotating"]);
    let cancelled = jeton.json(&["token", "cancel-rotation", text(&rotated, "id")]);
    assert_eq!(
        (&cancelled["id"], &cancelled["state"]),
        (&made["id"], &json!("active"))
    );
    let args = ["token", "rotate", id, "--overlap=1h", "--expires=never"];
    let rotated = jeton.json(&args);
    assert_eq!(rotated["expires_at"], Value::Null);
    let finished = jeton.json(&["token", "finish-rotation", id]);
    assert_eq!(finished["id"], rotated["id"]);
    let args = ["token", "rotate", text(&rotated, "id"), "--overlap=0s"];
    let ran = jeton.run(&args);
    assert!(
        ran.stdout.contains("the old one has ended"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_token_ends_when_it_was_said() {
    let jeton = Jeton::new();
    jeton.notes("");
    jeton.user("alice", PASSWORD);
    let until = |name: &str, expires: &str| {
        let args = ["token", "create", "--user=alice", "--scope=notes:read"];
        let made = [format!("--name={name}"), format!("--expires={expires}")];
        let resource = "--resource=https://notes.example";
        let args = [&args[..], &[&made[0], &made[1], resource]].concat();
        jeton.json(&args)["expires_at"].clone()
    };
    assert_eq!(until("a", "never"), Value::Null);
    assert_eq!(
        until("b", "2199-01-31T01:00:00+01:00"),
        "2199-01-31T00:00:00Z"
    );
    assert_ne!(until("c", "30s"), Value::Null);
}
