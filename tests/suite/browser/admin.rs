//! Everybody's tokens, as an administrator meets them.

use serde_json::json;

use super::Chromium;
use crate::support::{Server, leave_personal, seconds};

async fn house() -> (Server, Chromium) {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice.with.a.rather.long.name.for.a.login@company.example");
    let used = server.personal_token(&alice, "notes:read notes:write");
    let form = [
        ("token", used.as_str()),
        ("client_ip", "2001:db8:85a3:8d3:1319:8a2e:370:7348"),
    ];
    assert_eq!(notes.ask(&form).await.status(), 200);
    server.note_uses().await;
    server.clock.advance(seconds(60));
    leave_personal(&server, &server.user("bob"), 60);
    server.admin("root");
    let browser = Chromium::open(&server).await;
    browser.sign_in("root").await;
    (server, browser)
}

/// Find, tick, type the number, and they are revoked.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn tokens_are_found_ticked_and_revoked() {
    let (_server, browser) = house().await;
    browser.press("All tokens").await;
    browser.heading("All tokens").await;
    browser.fill("#search", "many 6").await;
    browser.press("Show").await;
    // 6 and 60.
    let rows = "String(document.querySelectorAll('.everybody tbody tr').length)";
    browser.until(rows, "2").await;
    browser.click(".everybody tbody tr:first-child input").await;
    browser.press("Revoke the ticked ones…").await;
    browser.heading("Revoke 1 token?").await;
    browser.fill("#reason", "left us").await;
    browser.fill("#count", "7").await;
    browser.press("Revoke it").await;
    browser.see("#count-error").await;
    browser
        .value("document.getElementById('count').value = ''")
        .await;
    browser.fill("#count", "1").await;
    browser.press("Revoke it").await;
    browser.heading("All tokens").await;
    browser.see(".notice.good").await;
    browser.see("tr.ended").await;
}

/// On a phone the pages are as wide as it is; they obey their own policy, and look alike by day and by night.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn the_pages_fit_a_phone_and_a_desk_by_day_and_by_night() {
    let (_server, browser) = house().await;
    let all = "/admin/tokens/revoke?all=yes&search=many";
    for (width, height) in [(390, 844), (1280, 900)] {
        let screen =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        browser
            .devtools("Emulation.setDeviceMetricsOverride", screen)
            .await;
        for scheme in ["light", "dark"] {
            let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            browser
                .devtools("Emulation.setEmulatedMedia", features)
                .await;
            for path in [
                "/admin/tokens",
                "/admin/tokens?search=alice",
                "/admin/tokens?user=x",
                all,
            ] {
                browser.goto(path).await;
                let over =
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth";
                assert_eq!(browser.value(over).await, 0, "{path} at {width}");
                let mut said = browser.console().await;
                said.retain(|line| !line.contains("the server responded with a status of 4"));
                assert_eq!(said, [""; 0], "{path}");
            }
        }
    }
}
