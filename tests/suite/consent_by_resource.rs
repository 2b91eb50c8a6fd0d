//! Consent where several resource servers define the same scopes: what is asked, kept and given at each (RFC 8707 §2).

use jeton::domain::resource::{NewScope, Resource};
use jeton::domain::tx::Caller;
use serde_json::json;

use crate::support::{App, AppOptions, Browser, CodeFlow, MINE, ResourceServer, Server, tokens};

const CB: &str = "https://app.example/cb";
const A: &str = "https://a.example";
const B: &str = "https://b.example";

/// Two resource servers, of different names so that their order is sure, and an app that alice and root know.
struct Scene {
    server: Server,
    a: ResourceServer,
    b: ResourceServer,
    app: App,
}

impl Scene {
    /// A scope that begins with `!` is kept for administrators.
    async fn with(a: &[&str], b: &[&str]) -> Self {
        let server = Server::start().await;
        Self {
            a: resource(&server, A, "Albums", a),
            b: resource(&server, B, "Books", b),
            app: server.app(AppOptions {
                scope: "read write",
                ..AppOptions::default()
            }),
            server,
        }
    }

    fn asks(&self, scope: &str, resources: &[&str]) -> CodeFlow {
        let flow = self.app.asks(scope);
        let add = |flow: CodeFlow, uri: &&str| flow.and("resource", uri);
        resources.iter().fold(flow, add)
    }

    async fn alice(&self) -> Browser {
        self.server.signed_in(&self.server.user("alice")).await
    }
}

fn resource(server: &Server, uri: &str, name: &str, scopes: &[&str]) -> ResourceServer {
    let scopes: Vec<NewScope> = scopes
        .iter()
        .map(|scope| NewScope {
            name: scope.trim_start_matches('!').to_owned(),
            description: format!("Do what {scope} is for"),
            reserved: scope.starts_with('!'),
        })
        .collect();
    let made = server.app.write_blocking(&Caller::command_line(), |tx| {
        Resource::create(tx, uri, name, &scopes)
    });
    let (resource, client, secret) = made.expect("the resource server is registered");
    ResourceServer::new(&server.url, resource.uri, client.id, secret.expose())
}

/// Whether the app gets its code without a question, and with `prompt=none` too. Otherwise it is told that the person
/// has to be asked, and they are.
async fn is_remembered(alice: &Browser, flow: CodeFlow) -> bool {
    let page = alice.get(&flow.path()).await;
    let silent = alice.get(&flow.set("prompt", "none").path()).await;
    if page.asks_for_consent() {
        assert_eq!(silent.error_at(CB), "consent_required");
        return false;
    }
    assert!(silent.brings(CB).contains_key("code"), "{silent:?}");
    page.brings(CB).contains_key("code")
}

/// What was allowed at one resource server says nothing of the next, even where the words are the same.
#[actix_web::test]
async fn consent_is_remembered_for_each_resource() {
    let scene = Scene::with(&["read", "write"], &["read", "write"]).await;
    let alice = scene.alice().await;
    for (scope, resource) in [("read", A), ("write", B)] {
        let flow = scene.asks(scope, &[resource]);
        scene.app.code(&alice, &flow).await;
        assert!(is_remembered(&alice, flow).await, "{scope} at {resource}");
    }
    for (scope, resources) in [
        ("write", &[A][..]),
        ("read", &[B]),
        ("read write", &[A]),
        ("read", &[A, B]),
        ("read write", &[A, B]),
        ("read", &[]),
    ] {
        let flow = scene.asks(scope, resources);
        let case = format!("{scope} at {resources:?}");
        assert!(!is_remembered(&alice, flow).await, "{case}");
    }
}

/// A second yes adds to the first, at its own resource server alone.
#[actix_web::test]
async fn a_later_yes_adds_to_what_is_remembered_there() {
    let scene = Scene::with(&["read", "write"], &["read", "write"]).await;
    let alice = scene.alice().await;
    let both = scene.asks("read", &[A, B]);
    scene.app.code(&alice, &both).await;
    scene.app.code(&alice, &scene.asks("write", &[A])).await;
    for (scope, resources, remembered) in [
        ("read", &[A, B][..], true),
        ("read", &[B], true),
        ("read write", &[A], true),
        ("write", &[B], false),
        ("read write", &[A, B], false),
    ] {
        let flow = scene.asks(scope, resources);
        let case = format!("{scope} at {resources:?}");
        assert_eq!(is_remembered(&alice, flow).await, remembered, "{case}");
    }
}

/// A token has a scope at each of its resource servers that defines it, so there is one box for it, under all names.
#[actix_web::test]
async fn a_scope_of_several_resources_is_asked_once_under_all_their_names() {
    let scene = Scene::with(&["read", "write"], &["read"]).await;
    let alice = scene.alice().await;
    let page = alice.get(&scene.asks("read write", &[A, B]).path()).await;
    assert_eq!(page.offered(), ["read", "write"]);
    let text = page.text();
    let place = |words: &str| {
        text.find(words)
            .unwrap_or_else(|| panic!("{words} is not on the page: {text}"))
    };
    let shared = place("Albums and Books https://a.example, https://b.example");
    let shared_box = place("Do what read is for");
    let own_box = place("Do what write is for");
    assert!(shared < shared_box && shared_box < own_box, "{text}");
    let own = text[shared_box..own_box].contains("Albums https://a.example ");
    assert!(own, "its own has a place of its own: {text}");
}

/// Unticked, it is taken from all of them; ticked, it is given at all of them.
#[actix_web::test]
async fn a_scope_of_several_resources_is_given_or_taken_at_all() {
    let scene = Scene::with(&["read", "write"], &["read"]).await;
    let alice = scene.alice().await;
    let flow = scene.asks("read write", &[A, B]);
    let page = alice.get(&flow.path()).await;
    let code = &alice.decide(&page, "allow", &["write"]).await.brings(CB)["code"];
    let without = tokens(scene.app.redeem(&flow, code).await).await;
    let told = scene.a.introspect(&without.access).await;
    assert_eq!(
        (&told["scope"], &told["aud"]),
        (&json!("write"), &json!([A]))
    );
    assert!(!scene.b.accepts(&without.access).await);
    assert!(!is_remembered(&alice, scene.asks("read", &[A])).await);
    assert!(!is_remembered(&alice, scene.asks("read", &[B])).await);

    let page = alice.get(&flow.path()).await;
    let code = &alice.decide(&page, "allow", &["read"]).await.brings(CB)["code"];
    let with = tokens(scene.app.redeem(&flow, code).await).await;
    for place in [&scene.a, &scene.b] {
        let told = place.introspect(&with.access).await;
        assert_eq!(
            (&told["scope"], &told["aud"]),
            (&json!("read"), &json!([A, B]))
        );
    }
    assert!(is_remembered(&alice, scene.asks("read", &[B])).await);
}

/// A scope that one resource server keeps for administrators can be given by anybody at another that does not.
#[actix_web::test]
async fn a_scope_reserved_elsewhere_is_offered() {
    let scene = Scene::with(&["read", "write"], &["!read"]).await;
    let alice = scene.alice().await;
    let page = alice.get(&scene.asks("read write", &[A]).path()).await;
    assert_eq!(page.offered(), ["read", "write"]);
    let both = alice.get(&scene.asks("read write", &[A, B]).path()).await;
    assert_eq!(both.offered(), ["write"], "it would be given at both");
    let reserved = alice.get(&scene.asks("read", &[B]).path()).await;
    assert_eq!(reserved.error_at(CB), "invalid_scope");

    let ask = |name: &str, audience: &[&str]| {
        let body = json!({"name": name, "scopes": ["read"], "audience": audience});
        alice.api("POST", MINE, Some(body))
    };
    let (status, made) = ask("at a", &[A]).await;
    assert_eq!(status, 201, "{made}");
    let value = made["value"].as_str().unwrap();
    assert_eq!(scene.a.introspect(value).await["scope"], "read");
    assert_eq!(ask("at both", &[A, B]).await.0, 403);
}

/// Who is no administrator any more loses what is kept for them where the token has it, and nothing elsewhere.
#[actix_web::test]
async fn a_scope_reserved_elsewhere_stays_with_a_demoted_owner() {
    let scene = Scene::with(&["read", "write"], &["!read", "write"]).await;
    let root = scene.server.admin("root");
    let browser = scene.server.signed_in(&root).await;
    let mut got = vec![];
    for resources in [&[A][..], &[A, B]] {
        let flow = scene.asks("read write", resources);
        let code = scene.app.code(&browser, &flow).await;
        got.push(tokens(scene.app.redeem(&flow, &code).await).await.access);
    }
    scene.server.set_admin(&root, false);
    let (at_a, at_both) = (&got[0], &got[1]);
    assert_eq!(scene.a.introspect(at_a).await["scope"], "read write");
    assert_eq!(scene.b.introspect(at_both).await["scope"], "write");
    assert_eq!(scene.a.introspect(at_both).await["scope"], "write");
}
