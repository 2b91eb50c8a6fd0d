//! The one page that shows a token's secret.

use super::new_token::{FORM, create};
use crate::support::{Page, Server};

const FIELDS: [(&str, &str); 3] = [
    ("name", "backup"),
    ("scope", "https://notes.example notes:read"),
    ("expires", "30d"),
];

/// The secret on the page that reveals it.
pub fn secret(page: &Page) -> String {
    let (_, rest) = page
        .body
        .split_once("<code id=\"secret\">")
        .expect("a secret");
    rest.split('<').next().unwrap_or_default().to_owned()
}

/// The secret is in the answer to the form, which nobody may keep, and works.
#[actix_web::test]
async fn the_secret_is_shown_and_works() {
    let server = Server::start().await;
    let notes = server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let page = create(&browser, &FIELDS).await;
    assert_eq!(page.status, 201, "{}", page.text());
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let secret = secret(&page);
    assert!(secret.starts_with("jeton_pat_"), "{secret}");
    assert!(notes.accepts(&secret).await);
    let curl = format!("curl -H &#39;Authorization: Bearer {secret}&#39; https://notes.example");
    assert!(page.body.contains(&curl), "{}", page.body);
    let file = format!("JETON_TOKEN={secret}\n").replace('_', "%5F");
    let file = file.replace('=', "%3D").replace('\n', "%0A");
    assert!(page.body.contains(&file), "{file} is not in {}", page.body);
}

/// No page, and no second sending of the form, shows the secret again.
#[actix_web::test]
async fn the_secret_is_never_shown_again() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let secret = secret(&create(&browser, &FIELDS).await);
    let list = browser.get("/settings/tokens").await;
    let id = list.tag(&["href=\"/settings/tokens/", "/revoke"]);
    let path = id.split("href=\"").nth(1).unwrap();
    let path = path.split("/revoke").next().unwrap().to_owned();
    let again = create(&browser, &FIELDS).await;
    assert_eq!(again.status, 422);
    let bare = secret.trim_start_matches("jeton_pat_");
    for page in [
        list,
        again,
        browser.get(&path).await,
        browser.get(&format!("{path}/revoke")).await,
        browser.get(FORM).await,
        browser.get("/settings/tokens?show=never-used").await,
    ] {
        assert!(!page.body.contains(&bare[..5]), "{}", page.body);
    }
    let (status, listed) = browser
        .api("GET", "/api/my-account/personal-access-tokens", None)
        .await;
    assert_eq!(status, 200);
    assert!(!listed.to_string().contains(bare), "{listed}");
}
