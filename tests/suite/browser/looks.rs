//! What holds on every page: nothing is blocked, nothing is wider than a phone.

use jeton::domain::personal_token::{End, PersonalToken};
use jeton::domain::user::User;
use serde_json::json;

use super::Chromium;
use crate::support::{App, AppOptions, PASSWORD, ResourceServer, Server, seconds};

const DAY: u64 = 86_400;

/// A house with a little of everything, and long words in it.
struct House {
    server: Server,
    app: App,
    /// Of a token that was used lately.
    path: String,
}

impl House {
    async fn build() -> Self {
        let server = Server::start().await;
        let notes = server.notes();
        let far =
            "https://a-rather-long-name-of-a-department.internal.company.example/api/version4";
        server.resource(
            far,
            &["repositories:pull-requests:comment", "repositories:read"],
        );
        let alice = server.user("alice.with.a.rather.long.name.for.a.login@company.example");
        let app = server.app(AppOptions {
            name: "Quarterly_Report_Builder_without_a_space_for_the_research_department",
            scope: "notes:read notes:write repositories:read",
            ..AppOptions::default()
        });
        let browser = server.signed_in(&alice).await;
        app.let_in(&browser, "notes:read repositories:read").await;
        let path = furnish(&server, &notes, &alice).await;
        Self { server, app, path }
    }
}

/// A token of each kind; the path of one that was used lately.
async fn furnish(server: &Server, notes: &ResourceServer, alice: &User) -> String {
    let now = server.clock.now();
    server.personal_token_until(alice, "notes:read", End::At(now + seconds(DAY)));
    server.clock.advance(seconds(2 * DAY));
    let all = "notes:read notes:write repositories:pull-requests:comment repositories:read";
    server.personal_token_until(alice, all, End::Never);
    let used = server.personal_token(alice, all);
    let form = [
        ("token", used.as_str()),
        ("client_ip", "2001:db8:85a3:8d3:1319:8a2e:370:7348"),
    ];
    assert_eq!(notes.ask(&form).await.status(), 200);
    server.note_uses().await;
    let mine = server.write(|tx| Ok(PersonalToken::all_of(tx, alice.id)?));
    let used = mine.iter().find(|token| token.grant.last_used_at.is_some());
    format!("/settings/tokens/{}", used.expect("one was used").token.id)
}

/// See every page there is and look at each with `look`.
async fn tour(house: &House, browser: &Chromium, look: impl AsyncFn(&str)) {
    let House { app, path, .. } = house;
    browser.goto("/sign-in").await;
    look("sign in").await;
    browser.goto(&app.asks("notes:write").path()).await;
    look("sign in for an app").await;
    browser.fill("#username", "nobody").await;
    browser.fill("#password", "nothing").await;
    browser.press("Sign in").await;
    browser.see("#sign-in-error").await;
    look("a failed sign-in").await;
    let name = "alice.with.a.rather.long.name.for.a.login@company.example";
    browser.sign_in(name).await;
    look("tokens").await;

    let (revoke, rotate) = (format!("{path}/revoke"), format!("{path}/rotate"));
    let disconnect = format!("/settings/apps/{}/disconnect", app.client_id);
    let consent = app.asks("notes:read notes:write repositories:read").path();
    let wrong_app = app.asks("notes:read").set("client_id", "nobody").path();
    for page in [
        "/settings/tokens?show=expiring",
        "/settings/tokens?show=never-used",
        "/settings/tokens?show=ended",
        "/settings/tokens?done=changed",
        "/settings/tokens/new",
        "/settings/tokens/new?name=a_name_without_a_space_that_is_sixty_four_characters_long_in_all&expires=never",
        path,
        &revoke,
        &rotate,
        "/settings/tokens/new?networks=2001:db8:85a3::/48,2001:db8:85a4::/48,203.0.113.0/24",
        "/settings/apps",
        &disconnect,
        "/settings/password",
        "/step-up?next=/settings/apps",
        &consent,
        &wrong_app,
        "/nothing",
    ] {
        browser.goto(page).await;
        look(page).await;
    }

    browser.goto(&consent).await;
    for scope in ["notes:read", "notes:write", "repositories:read"] {
        browser.click(&format!("[value='{scope}']")).await;
    }
    browser.press("Allow").await;
    browser.see(".notice.bad").await;
    look("consent with nothing ticked").await;
    browser.goto(&revoke).await;
    browser.fill("#confirm", "another").await;
    browser.press("Revoke token").await;
    browser.see("#confirm-error").await;
    look("a refused revocation").await;
    browser.goto(&rotate).await;
    browser.press("Make the new token").await;
    browser.see("#secret").await;
    look("the secret of a successor").await;
    browser.click("[data-stored] input").await;
    browser.goto("/settings/tokens").await;
    look("tokens of which one is rotating").await;
    browser.goto("/settings/password").await;
    browser.fill("#current_password", "not this one").await;
    browser.fill("#new_password", PASSWORD).await;
    browser.fill("#repeat_password", PASSWORD).await;
    browser.press("Change password").await;
    browser.see("#current_password-error").await;
    look("a refused password").await;

    browser.goto("/settings/tokens/new").await;
    let long = "a_name_without_a_space_that_is_sixty_four_characters_long_in_all";
    browser.fill("#name", &long[..60]).await;
    browser.click("[name='expires'][value='custom']").await;
    browser.press("Create token").await;
    browser.see("#scope-error").await;
    look("a refused token").await;
    browser
        .click("[value='https://notes.example notes:read']")
        .await;
    browser.click("[name='expires'][value='7d']").await;
    browser.press("Create token").await;
    browser.see("#secret").await;
    look("the secret").await;
    browser.click("[data-stored] input").await;

    browser.goto("/settings/tokens").await;
    browser.press("Sign out").await;
    browser.see(".notice.good").await;
    look("signed out").await;
}

/// The pages obey their own policy: the console says nothing but that an error page is one.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn the_console_has_no_complaint_on_any_page() {
    let house = House::build().await;
    let browser = Chromium::open(&house.server).await;
    tour(&house, &browser, async |page| {
        let mut said = browser.console().await;
        said.retain(|line| !line.contains("the server responded with a status of 4"));
        assert_eq!(said, [""; 0], "{page}");
        let styled = browser
            .value("getComputedStyle(document.body).display")
            .await;
        assert_eq!(styled, "flex", "{page} has its stylesheet");
        let scripted = browser.value("typeof write").await;
        assert_eq!(scripted, "function", "{page} has its script");
    })
    .await;
}

/// No page has to be pushed sideways on a phone.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn no_page_is_wider_than_a_phone() {
    let house = House::build().await;
    let browser = Chromium::open(&house.server).await;
    let screen = json!({"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": false});
    browser
        .devtools("Emulation.setDeviceMetricsOverride", screen)
        .await;
    tour(&house, &browser, async |page| {
        assert_eq!(browser.value("innerWidth").await, 390, "{page}");
        let over = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.value(over).await, 0, "{page}");
    })
    .await;
}
