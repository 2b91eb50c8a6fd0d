//! The audit trail: every grant is in it when it begins and when it ends, with who did it and why.

use diesel::prelude::*;
use jeton::db::schema::{audit_events, grants};
use jeton::domain::audit::What;
use jeton::domain::id::Id;
use jeton::domain::user::User;
use serde_json::json;

use crate::support::{App, AppOptions, Browser, MINE, PASSWORD, Server, refused, seconds};

/// What the trail says of a grant: who, whose, whose client, and a few words more.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_events)]
struct Entry {
    actor: String,
    user_id: Option<Id>,
    client_id: Option<String>,
    grant_id: Option<Id>,
    detail: Option<String>,
}

/// The entries of this event, in the order of their writing.
fn trail(server: &Server, event: &str) -> Vec<Entry> {
    server.write(|tx| {
        let entries = audit_events::table
            .filter(audit_events::event.eq(event))
            .order(audit_events::id)
            .select(Entry::as_select());
        Ok(entries.load(&mut **tx)?)
    })
}

/// The only entry of this event that there is.
fn only(server: &Server, event: &str, case: &str) -> Entry {
    let mut entries = trail(server, event);
    assert_eq!(entries.len(), 1, "{case}: {entries:?}");
    entries.remove(0)
}

fn grant_ids(server: &Server) -> Vec<Id> {
    server.write(|tx| Ok(grants::table.select(grants::id).load(&mut **tx)?))
}

struct Scene {
    server: Server,
    alice: User,
    browser: Browser,
    app: App,
}

impl Scene {
    async fn set() -> Self {
        let server = Server::start().await;
        server.notes();
        let alice = server.user("alice");
        Self {
            browser: server.signed_in(&alice).await,
            app: server.app(AppOptions::default()),
            alice,
            server,
        }
    }

    fn as_alice(&self) -> String {
        format!("user:{}", self.alice.id)
    }

    fn as_app(&self) -> String {
        format!("client:{}", self.app.client_id)
    }

    async fn make_on_page(&self) {
        let csrf = self.browser.get("/settings/tokens/new").await.input("csrf");
        let fields = [
            ("name", "ci"),
            ("scope", "https://notes.example notes:read"),
            ("expires", "30d"),
        ];
        let page = self.browser.submit_with(&csrf, "/settings/tokens", &fields);
        assert_eq!(page.await.status, 201);
    }

    /// A personal access token: its id and its secret.
    async fn make_by_api(&self) -> (String, String) {
        let body = json!({"name": "ci", "scopes": ["notes:read"]});
        let (status, made) = self.browser.api("POST", MINE, Some(body)).await;
        assert_eq!(status, 201, "{made}");
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("id"), text("value"))
    }

    /// An administrator, to act for alice at a browser.
    async fn root(&self) -> (String, Browser) {
        let root = self.server.admin("root");
        (
            format!("user:{}", root.id),
            self.server.signed_in(&root).await,
        )
    }
}

/// However a grant is made, one entry says so.
#[actix_web::test]
async fn every_grant_that_is_made_is_in_the_trail() {
    for case in [
        "page",
        "api",
        "command line",
        "administrator",
        "code",
        "itself",
    ] {
        let scene = Scene::set().await;
        let (server, app) = (&scene.server, &scene.app);
        let personal = "personal-access-token";
        let actor = match case {
            "page" => {
                scene.make_on_page().await;
                scene.as_alice()
            }
            "api" => {
                scene.make_by_api().await;
                scene.as_alice()
            }
            "command line" => {
                server.personal_token(&scene.alice, "notes:read");
                case.to_owned()
            }
            "administrator" => {
                let (root, browser) = scene.root().await;
                let path = format!("/api/users/{}/personal-access-tokens", scene.alice.id);
                let body = json!({"name": "ci", "scopes": ["notes:read"]});
                assert_eq!(browser.api("POST", &path, Some(body)).await.0, 201);
                root
            }
            "code" => {
                app.let_in(&scene.browser, "notes:read").await;
                scene.as_app()
            }
            _ => {
                app.own_token("notes:read").await;
                scene.as_app()
            }
        };
        let (event, other) = match case {
            "code" | "itself" => ("grant", "token"),
            _ => ("token", "grant"),
        };
        let entry = only(server, &format!("{event}.created"), case);
        assert_eq!(trail(server, &format!("{other}.created")), [], "{case}");
        assert_eq!(vec![entry.grant_id.unwrap()], grant_ids(server), "{case}");
        assert_eq!(entry.actor, actor, "{case}");
        let owner = (case != "itself").then_some(scene.alice.id);
        assert_eq!(entry.user_id, owner, "{case}");
        let client = match case {
            "code" | "itself" => &app.client_id,
            _ => personal,
        };
        assert_eq!(entry.client_id.as_deref(), Some(client), "{case}");
        assert_eq!(trail(server, &format!("{event}.revoked")), [], "{case}");
    }
}

/// What is refused makes no grant and no entry; what is used again makes no second one.
#[actix_web::test]
async fn what_makes_no_grant_is_not_in_the_trail() {
    let scene = Scene::set().await;
    let twice = json!({"name": "ci", "scopes": ["notes:fly"]});
    let (status, _) = scene.browser.api("POST", MINE, Some(twice)).await;
    assert_eq!(status, 400);
    assert_eq!(trail(&scene.server, "token.created"), []);
    let got = scene.app.let_in(&scene.browser, "notes:read").await;
    assert_eq!(scene.app.refresh(got.refresh()).await.status(), 200);
    only(&scene.server, "grant.created", "a refresh");
}

/// However a grant ends, one entry says who ended it and why.
#[actix_web::test]
async fn every_grant_that_is_ended_is_in_the_trail() {
    for case in [
        "owner",
        "owner, with a reason",
        "administrator",
        "holder",
        "app",
        "disconnected",
        "password changed",
        "code replayed",
        "refresh token replayed",
    ] {
        let scene = Scene::set().await;
        let (server, app, browser) = (&scene.server, &scene.app, &scene.browser);
        let (actor, why) = match case {
            "owner" => {
                let (id, _) = scene.make_by_api().await;
                let path = format!("{MINE}/{id}");
                assert_eq!(browser.api("DELETE", &path, None).await.0, 204);
                (scene.as_alice(), None)
            }
            "owner, with a reason" => {
                let (id, _) = scene.make_by_api().await;
                let path = format!("/settings/tokens/{id}/revoke");
                let done = browser.submit(&path, &[("reason", "it leaked")]).await;
                assert_eq!(done.status, 303, "{}", done.text());
                (scene.as_alice(), Some("it leaked"))
            }
            "administrator" => {
                let (id, _) = scene.make_by_api().await;
                let (root, browser) = scene.root().await;
                let path = format!("/api/users/{}/personal-access-tokens/{id}", scene.alice.id);
                assert_eq!(browser.api("DELETE", &path, None).await.0, 204);
                (root, None)
            }
            "holder" => {
                let (_, secret) = scene.make_by_api().await;
                let done = server.post("/oauth/revoke", &[("token", &secret)]);
                assert_eq!(done.send().await.unwrap().status(), 200);
                ("anyone".to_owned(), Some("revoked by its holder"))
            }
            "app" => {
                let got = app.let_in(browser, "notes:read").await;
                assert_eq!(app.revoke(got.refresh()).await.status(), 200);
                (scene.as_app(), Some("revoked by the app"))
            }
            "disconnected" => {
                app.let_in(browser, "notes:read").await;
                let path = format!("/settings/apps/{}/disconnect", app.client_id);
                assert_eq!(browser.submit(&path, &[]).await.status, 303);
                (scene.as_alice(), Some("app disconnected"))
            }
            "password changed" => {
                app.let_in(browser, "notes:read").await;
                let new = "an entirely different sentence";
                let fields = [
                    ("current_password", PASSWORD),
                    ("new_password", new),
                    ("repeat_password", new),
                ];
                let done = browser.submit("/settings/password", &fields).await;
                assert_eq!(done.status, 303, "{}", done.text());
                (scene.as_alice(), Some("password changed"))
            }
            "code replayed" => {
                let flow = app.asks("notes:read");
                let code = app.code(browser, &flow).await;
                assert_eq!(app.redeem(&flow, &code).await.status(), 200);
                refused(app.redeem(&flow, &code).await, 400, "invalid_grant", case).await;
                only(server, "code.replayed", case);
                (scene.as_app(), Some("authorization code replayed"))
            }
            _ => {
                let got = app.let_in(browser, "notes:read").await;
                assert_eq!(app.refresh(got.refresh()).await.status(), 200);
                server.clock.advance(seconds(60));
                let late = app.refresh(got.refresh()).await;
                refused(late, 400, "invalid_grant", case).await;
                only(server, "refresh_token.replayed", case);
                (scene.as_app(), Some("refresh token replayed"))
            }
        };
        let event = match case {
            "owner" | "owner, with a reason" | "administrator" | "holder" => "token.revoked",
            _ => "grant.revoked",
        };
        let entry = only(server, event, case);
        assert_eq!(
            (entry.actor, entry.detail.as_deref()),
            (actor, why),
            "{case}"
        );
        assert_eq!(vec![entry.grant_id.unwrap()], grant_ids(server), "{case}");
        assert_eq!(entry.user_id, Some(scene.alice.id), "{case}");
    }
}

/// An access token that ends alone is no end of a grant, and the trail says which one it was.
#[actix_web::test]
async fn an_access_token_that_is_ended_is_in_the_trail() {
    let scene = Scene::set().await;
    let got = scene.app.let_in(&scene.browser, "notes:read").await;
    for _ in 0..2 {
        assert_eq!(scene.app.revoke(&got.access).await.status(), 200);
    }
    let entry = only(&scene.server, "access_token.revoked", "alone");
    assert_eq!(entry.actor, scene.as_app());
    assert!(entry.detail.is_some_and(|jti| jti.parse::<Id>().is_ok()));
    assert_eq!(trail(&scene.server, "grant.revoked"), []);
}

/// docs/audit.md has every event that there is, as the program has it.
#[test]
fn the_document_has_every_event() {
    let rows = What::ALL.iter().map(|what| {
        let (name, meaning) = (what.as_str(), what.meaning());
        format!("| `{name}` | {meaning} |\n")
    });
    let table: String = rows.collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/audit.md");
    let document = std::fs::read_to_string(path).expect("there is a docs/audit.md");
    let table = format!("| event | what it means |\n| --- | --- |\n{table}");
    assert!(
        document.ends_with(&table),
        "docs/audit.md has to end so:\n{table}"
    );
}
