//! Everybody's tokens, on the page for administrators.

use jeton::domain::user::User;
use serde_json::Value;

use crate::support::{Browser, Page, ResourceServer, Server, leave_personal, query, seconds};

const ADMIN: &str = "/admin/tokens";

struct House {
    server: Server,
    notes: ResourceServer,
    alice: User,
    bob: User,
    root: Browser,
    /// One of alice and one of bob.
    tokens: [String; 2],
}

impl House {
    async fn open() -> Self {
        let server = Server::start().await;
        let notes = server.notes();
        let (alice, bob) = (server.user("alice"), server.user("bob"));
        let first = server.personal_token(&alice, "notes:read");
        server.clock.advance(seconds(60));
        let second = server.personal_token(&bob, "notes:write");
        let root = server.signed_in(&server.admin("root")).await;
        Self {
            server,
            notes,
            alice,
            bob,
            root,
            tokens: [first, second],
        }
    }

    async fn page(&self, query: &str) -> Page {
        self.root.get(&format!("{ADMIN}?{query}")).await
    }

    /// A token's row, or nothing where it has no box to tick.
    fn box_of(page: &Page, owner: &str) -> Option<String> {
        let row = page
            .body
            .split("<tr")
            .find(|row| row.contains(&format!("<bdi>{owner}</bdi>")))?;
        let tag = row.split("<input").nth(1)?;
        Some(tag.split("value=\"").nth(1)?.split('"').next()?.to_owned())
    }
}

/// The owners in the list.
fn owners(page: &Page) -> Vec<String> {
    let rows = page.body.split("data-label=\"Owner\"><bdi>").skip(1);
    rows.map(|row| row.split('<').next().unwrap().to_owned())
        .collect()
}

/// Administrators have the page, and are led there; nobody else is.
#[actix_web::test]
async fn the_page_is_for_administrators() {
    let house = House::open().await;
    let alice = house.server.signed_in(&house.alice).await;
    let tokens = alice.get("/settings/tokens").await;
    assert!(!tokens.body.contains("/admin/"), "{}", tokens.body);
    for path in [ADMIN, "/admin/tokens.csv", "/admin/tokens/revoke?all=yes"] {
        let page = alice.get(path).await;
        assert_eq!(page.status, 403, "{path}");
        assert!(page.says("This page is for administrators."), "{path}");
        let stranger = house.server.browser().get(path).await;
        assert_eq!(stranger.status, 303, "{path}");
    }
    let tokens = house.root.get("/settings/tokens").await;
    assert!(tokens.body.contains("href=\"/admin/tokens\""));
    // A right that is taken away is gone with the next request.
    let root = house.server.app.read_blocking(|rx| {
        let root = User::named(rx, "root")?;
        Ok::<_, jeton::db::Fault>(root.expect("root"))
    });
    house.server.set_admin(&root.unwrap(), false);
    assert_eq!(house.page("").await.status, 403);
}

/// A row says whose token it is, who made it, and never its secret.
#[actix_web::test]
async fn a_row_says_whose_it_is_and_who_made_it() {
    let house = House::open().await;
    house.server.clock.advance(seconds(60));
    let path = format!("/api/users/{}/personal-access-tokens", house.alice.id);
    let body = serde_json::json!({"name": "made for her", "scopes": ["notes:read"]});
    let (status, made) = house.root.api("POST", &path, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    let page = house.page("").await;
    assert_eq!(page.status, 200);
    assert_eq!(owners(&page), ["alice", "bob", "alice"]);
    assert!(page.says("by root at 127.0.0.1"), "{}", page.text());
    assert!(page.says("by the operator"), "{}", page.text());
    assert!(page.says("3 tokens"));
    let secrets = house.tokens.iter().map(String::as_str);
    for secret in secrets.chain(made["value"].as_str()) {
        assert!(!page.body.contains(secret));
        let csv = house.root.get("/admin/tokens.csv").await;
        assert!(!csv.body.contains(secret));
    }
}

/// The form finds what it says, and stands there again as it was filled in.
#[actix_web::test]
async fn the_filter_finds_and_stays() {
    let house = House::open().await;
    for (query, expected) in [
        ("search=BOB", vec!["bob"]),
        ("search=&status=&user=", vec!["bob", "alice"]),
        ("user=Alice&status=active", vec!["alice"]),
        ("ownerKind=&user=bob", vec!["bob"]),
        ("ownerKind=person", vec!["bob", "alice"]),
        ("ownerKind=service", vec![]),
        ("scope=notes:write", vec!["bob"]),
        ("createdBy=command+line&sort=created", vec!["alice", "bob"]),
        ("createdBy=root", vec![]),
        ("createdBefore=2027-01-01", vec![]),
        ("createdAfter=2027-01-15", vec!["bob", "alice"]),
        ("neverUsed=true&neverExpires=true", vec![]),
    ] {
        let page = house.page(query).await;
        assert_eq!(page.status, 200, "{query}");
        assert_eq!(owners(&page), expected, "{query}");
    }
    let page = house
        .page("search=%22%3Cb%3E&status=expired&createdAfter=2027-01-15&neverUsed=true&ownerKind=service")
        .await;
    assert_eq!(page.input("search"), "\"<b>");
    assert_eq!(page.input("createdAfter"), "2027-01-15");
    assert!(page.tag(&["value=\"expired\""]).contains("selected"));
    assert!(page.tag(&["value=\"service\""]).contains("selected"));
    assert!(page.tag(&["name=\"neverUsed\""]).contains("checked"));
    assert!(!page.tag(&["name=\"neverExpires\""]).contains("checked"));
}

/// What can't be searched for is told in the page, with the form as it was.
#[actix_web::test]
async fn what_can_not_be_searched_for_is_said() {
    let house = House::open().await;
    for (query, sentence) in [
        ("user=nobody", "There is no user \"nobody\"."),
        ("createdBy=nobody", "There is no user \"nobody\"."),
        (
            "createdBefore=soon",
            "createdBefore is milliseconds since 1970",
        ),
        (
            "status=live",
            "status is active, pending, expired or revoked",
        ),
        (
            "cursor=x",
            "cursor is what an answer in the same order gave",
        ),
    ] {
        let page = house.page(query).await;
        assert_eq!(page.status, 400, "{query}");
        assert!(page.says(sentence), "{query}: {}", page.text());
        let csv = house.root.get(&format!("/admin/tokens.csv?{query}")).await;
        // A file has all pages: where the page began is not asked.
        let status = if query.starts_with("cursor") {
            200
        } else {
            400
        };
        assert_eq!(csv.status, status, "{query}");
        assert_eq!(
            csv.header("content-type").starts_with("text/csv"),
            status == 200
        );
    }
    let page = house.page("user=nobody").await;
    assert_eq!(page.input("user"), "nobody");
}

/// Ticked, shown once more, and revoked when their number is typed.
#[actix_web::test]
async fn what_is_ticked_is_revoked_when_its_number_is_typed() {
    let house = House::open().await;
    let list = house.page("").await;
    let id = House::box_of(&list, "bob").expect("bob's can be ticked");
    let confirm = format!("/admin/tokens/revoke?id={id}");
    let page = house.root.get(&confirm).await;
    assert!(page.says("Revoke 1 token?"), "{}", page.text());
    assert!(page.says("token 1 of bob"), "{}", page.text());
    assert_eq!(page.input("id"), id);
    assert!(
        house.notes.accepts(&house.tokens[1]).await,
        "a look revokes nothing"
    );

    let csrf = page.input("csrf");
    for typed in ["", "2", "one", "-1"] {
        let form = [
            ("id", id.as_str()),
            ("count", typed),
            ("reason", "left \"us\""),
        ];
        let page = house
            .root
            .submit_with(&csrf, "/admin/tokens/revoke", &form)
            .await;
        assert_eq!(page.status, 422, "{typed}");
        assert_eq!(page.error("count"), Some("Type 1 to revoke them all."));
        assert_eq!(page.input("reason"), "left \"us\"");
        assert_eq!(page.input("id"), id);
        assert!(house.notes.accepts(&house.tokens[1]).await, "{typed}");
    }
    let form = [("id", id.as_str()), ("count", " 1 "), ("reason", "left us")];
    let page = house
        .root
        .submit_with(&csrf, "/admin/tokens/revoke", &form)
        .await;
    assert_eq!(
        (page.status, page.location()),
        (303, "/admin/tokens?done=1")
    );
    assert!(!house.notes.accepts(&house.tokens[1]).await);
    assert!(house.notes.accepts(&house.tokens[0]).await);
    let list = house.root.get(page.location()).await;
    assert!(list.says("1 token was revoked."), "{}", list.text());
    assert!(
        list.says("Revoked just now by root: left us"),
        "{}",
        list.text()
    );
    assert_eq!(
        House::box_of(&list, "bob"),
        None,
        "it can't be ticked again"
    );
    // It is gone meanwhile: there is nothing left to confirm.
    let page = house.root.get(&confirm).await;
    assert!(
        page.says("None of them is active any more."),
        "{}",
        page.text()
    );
}

/// All that a filter finds, however many pages that is; what it does not find stays.
#[actix_web::test]
async fn all_that_fit_are_revoked_at_once() {
    let house = House::open().await;
    leave_personal(&house.server, &house.bob, 600);
    let list = house.page("search=many&status=active").await;
    assert!(list.says("600 tokens with this filter"), "{}", list.text());
    let all = list.tag(&["/admin/tokens/revoke?"]).to_owned();
    let all = all
        .split("href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let page = house.root.get(&all.replace("&#38;", "&")).await;
    assert!(page.says("Revoke 600 tokens?"), "{}", page.text());
    assert!(page.says("The first 20"), "{}", page.text());
    let csrf = page.input("csrf");
    let form = [
        ("all", "yes"),
        ("search", &page.input("search")),
        ("status", &page.input("status")),
        ("count", "600"),
    ];
    let done = house
        .root
        .submit_with(&csrf, "/admin/tokens/revoke", &form)
        .await;
    assert_eq!(done.location(), "/admin/tokens?done=600");
    for token in &house.tokens {
        assert!(house.notes.accepts(token).await);
    }
    assert!(
        house
            .page("search=many&status=active")
            .await
            .says("No tokens fit.")
    );
}

/// Nothing ticked leads back; what was never a tick is refused.
#[actix_web::test]
async fn a_form_without_ticks_revokes_nothing() {
    let house = House::open().await;
    let page = house.root.get("/admin/tokens/revoke").await;
    assert_eq!((page.status, page.location()), (303, ADMIN));
    let page = house.root.get("/admin/tokens/revoke?id=x").await;
    assert_eq!(page.status, 400);
    let csrf = house.root.get("/settings/password").await.input("csrf");
    for form in [
        vec![("count", "0")],
        vec![("all", "yes"), ("status", "revoked"), ("count", "0")],
    ] {
        let page = house
            .root
            .submit_with(&csrf, "/admin/tokens/revoke", &form)
            .await;
        assert!([303, 400].contains(&page.status), "{form:?}");
    }
    assert!(house.notes.accepts(&house.tokens[0]).await);
}

/// The list goes on by links, and its pages together are all of it.
#[actix_web::test]
async fn pages_follow_each_other() {
    let house = House::open().await;
    house.server.clock.advance(seconds(60));
    leave_personal(&house.server, &house.bob, 110);
    let mut shown = 0;
    let mut path = format!("{ADMIN}?sort=expires&search=o");
    loop {
        let page = house.root.get(&path).await;
        shown += owners(&page).len();
        assert!(page.says("112 tokens with this filter"), "{}", page.text());
        let next = page
            .body
            .split("href=\"")
            .find(|link| link.contains(">Next page<"));
        let Some(next) = next else { break };
        path = next.split('"').next().unwrap().replace("&#38;", "&");
        let said = query(&format!("http://x{path}"));
        assert_eq!(
            (said["sort"].as_str(), said["search"].as_str()),
            ("expires", "o")
        );
    }
    assert_eq!(shown, 112);
}

/// A file for a spreadsheet has every row that fits, and no cell that a spreadsheet would run.
#[actix_web::test]
async fn the_export_has_all_rows_and_no_formulas() {
    let house = House::open().await;
    house.server.clock.advance(seconds(60));
    leave_personal(&house.server, &house.bob, 1_100);
    let csv = house
        .root
        .get("/admin/tokens.csv?user=bob&sort=created")
        .await;
    assert_eq!(csv.status, 200);
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.header("content-disposition").starts_with("attachment"));
    let lines: Vec<&str> = csv.body.split("\r\n").collect();
    assert_eq!(lines.len(), 1 + 1_101 + 1);
    assert!(
        lines[0].starts_with("\"id\",\"name\",\"description\",\"owner\","),
        "{}",
        lines[0]
    );
    for (line, number) in lines[2..].iter().zip(1..=1_100) {
        assert!(
            line.contains(&format!("\"many {number}\",\"\",\"bob\",")),
            "{line}"
        );
        assert_eq!(line.matches("\",\"").count(), 18, "{line}");
    }
    let mine = "/api/my-account/personal-access-tokens";
    let alice = house.server.signed_in(&house.alice).await;
    for name in [
        "=HYPERLINK(\"https://evil.example\")",
        "+1",
        "-1",
        "@SUM(A1)",
        "a\",=1",
    ] {
        let body =
            serde_json::json!({"name": name, "description": "\t=1", "scopes": ["notes:read"]});
        assert_eq!(alice.api("POST", mine, Some(body)).await.0, 201, "{name}");
    }
    let csv = house.root.get("/admin/tokens.csv?user=alice").await;
    for cell in [
        "\"'=HYPERLINK(\"\"https://evil.example\"\")\"",
        "\"'+1\"",
        "\"'-1\"",
        "\"'@SUM(A1)\"",
        "\"a\"\",=1\"",
    ] {
        assert!(csv.body.contains(cell), "{cell}: {}", csv.body);
    }
    let (_, list) = house
        .root
        .api("GET", "/api/personal-access-tokens?limit=1", None)
        .await;
    assert_eq!(list["items"][0]["value"], Value::Null);
}
