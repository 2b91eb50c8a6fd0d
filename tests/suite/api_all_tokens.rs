//! `/api/personal-access-tokens`: everybody's tokens, for managers, by a filter.

mod by_id;

use jeton::domain::grant::Via;
use jeton::domain::limits::Limits;
use jeton::domain::personal_token::{End, NewPersonalToken, PersonalToken};
use jeton::domain::resource::Catalogue;
use jeton::domain::tx::Caller;
use jeton::domain::user::User;
use jeton::domain::words::Scope;
use serde_json::{Value, json};

use crate::support::{ResourceServer, Script, Server, leave_personal, seconds};

const ALL: &str = "/api/personal-access-tokens";

const DAY: u64 = 86_400;

/// A person's token of this name; its secret.
fn make(server: &Server, owner: &User, name: &str, scope: &str, end: End) -> String {
    let scope = Scope::parse(scope).unwrap();
    let made = server.app.write_blocking(&Caller::command_line(), |tx| {
        let audience = Catalogue::load(tx)?.audience_of(&scope);
        let new = NewPersonalToken {
            name: name.to_owned(),
            description: String::new(),
            scope,
            audience,
            authorization_details: None,
            end,
            limits: Limits::default(),
            reason: String::new(),
        };
        PersonalToken::create(tx, owner, new, Via::CommandLine)
    });
    made.unwrap().1.expose().to_owned()
}

fn days(server: &Server, count: u64) -> End {
    End::At(server.clock.now() + seconds(count * DAY))
}

/// Two people with tokens of all sorts, each made a day after the one before.
struct House {
    server: Server,
    notes: ResourceServer,
    alice: User,
    manager: Script,
}

impl House {
    async fn open() -> Self {
        let server = Server::start().await;
        let notes = server.notes();
        server.resource(
            "https://photos.example",
            &["photos:read", "notes:read:more"],
        );
        let (alice, bob) = (server.user("alice"), server.user("bob"));
        make(&server, &alice, "expired", "notes:read", days(&server, 1));
        server.clock.advance(seconds(DAY));
        make(&server, &alice, "soon", "notes:read", days(&server, 7));
        server.clock.advance(seconds(DAY));
        let used = make(
            &server,
            &alice,
            "used",
            "notes:read notes:write",
            days(&server, 30),
        );
        assert!(notes.accepts(&used).await);
        server.note_uses().await;
        server.clock.advance(seconds(DAY));
        make(&server, &bob, "endless", "photos:read", End::Never);
        server.clock.advance(seconds(DAY));
        let revoked = make(
            &server,
            &bob,
            "revoked",
            "notes:read:more",
            days(&server, 90),
        );
        let given_back = server.post("/oauth/revoke", &[("token", &revoked)]).send();
        assert_eq!(given_back.await.unwrap().status(), 200);
        let manager = server.manager("pats:read pats:write pats:revoke").await;
        Self {
            server,
            notes,
            alice,
            manager,
        }
    }

    async fn list(&self, query: &str) -> Value {
        let (status, answer) = self.manager.get(&format!("{ALL}?{query}")).await;
        assert_eq!(status, 200, "{query}: {answer}");
        answer
    }

    async fn names(&self, query: &str) -> Vec<String> {
        names(&self.list(query).await)
    }
}

fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array();
    let items = items.unwrap_or_else(|| panic!("no list: {list}"));
    items
        .iter()
        .map(|item| item["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// Each filter finds its own, alone and with others.
#[actix_web::test]
async fn each_filter_finds_its_own() {
    let house = House::open().await;
    let now = house.server.clock.now().millis();
    let ago = |days: i64| now - days * DAY as i64 * 1000;
    let (alice, used) = (house.alice.id, ago(2));
    for (query, expected) in [
        ("", "revoked endless used soon expired"),
        (&format!("userId={alice}"), "used soon expired"),
        ("ownerKind=person", "revoked endless used soon expired"),
        ("ownerKind=service", ""),
        ("status=active", "endless used soon"),
        ("status=expired", "expired"),
        ("status=revoked", "revoked"),
        ("scope=notes:read", "used soon expired"),
        ("scope=notes:read:more", "revoked"),
        ("scope=notes", ""),
        ("scope=Notes:read", ""),
        ("audience=https://photos.example", "revoked endless"),
        ("audience=https://photos.exampl", ""),
        (&format!("createdBefore={used}"), "soon expired"),
        (&format!("createdAfter={used}"), "revoked endless used"),
        ("createdAfter=2027-01-18", "revoked endless"),
        ("createdAfter=2027-01-18T12:00:00%2B01:00", "revoked"),
        ("neverExpires=true", "endless"),
        ("neverExpires=false&status=active", "used soon"),
        (&format!("expiresBefore={now}"), "expired"),
        (&format!("expiresAfter={now}"), "soon used revoked"),
        (&format!("expiresAfter={now}&status=active"), "soon used"),
        (
            &format!("expiresAfter={now}&expiresBefore={}", ago(-10)),
            "soon",
        ),
        ("neverUsed=false", "used"),
        ("neverUsed=true&status=active", "endless soon"),
        (&format!("lastUsedBefore={now}"), "used"),
        (&format!("lastUsedBefore={used}"), ""),
        (
            "createdBy=command%20line",
            "revoked endless used soon expired",
        ),
        (&format!("createdBy=user:{alice}"), ""),
        ("search=SO", "soon"),
        ("search=ALICE", "used soon expired"),
        ("search=e&status=active&scope=photos:read", "endless"),
        ("search=bob&neverUsed=true&neverExpires=true", "endless"),
    ] {
        let list = house.list(query).await;
        assert_eq!(names(&list).join(" "), expected, "{query}");
        let count = expected.split_whitespace().count();
        assert_eq!(list["total"], count, "{query}");
        assert_eq!(list["totalIsExact"], true, "{query}");
        assert_eq!(list["nextCursor"], Value::Null, "{query}");
    }
    let list = house.list("search=used").await;
    assert_eq!(list["items"][0]["username"], "alice");
    assert_eq!(list["items"][0]["userId"], alice.to_string());
    assert_eq!(list["items"][0].get("value"), None);
}

/// Every order, either way. What never ends comes after all that does, and what was never used before all that was.
#[actix_web::test]
async fn a_list_has_the_order_that_is_asked_for() {
    let house = House::open().await;
    for (query, expected) in [
        ("sort=created", "expired soon used endless revoked"),
        ("sort=-created", "revoked endless used soon expired"),
        ("sort=expires", "expired soon used revoked endless"),
        ("sort=-expires", "endless revoked used soon expired"),
        ("sort=-lastUsed&limit=1", "used"),
        ("sort=expires&status=active", "soon used endless"),
    ] {
        assert_eq!(house.names(query).await.join(" "), expected, "{query}");
    }
    let last = house.names("sort=lastUsed").await;
    assert_eq!(last.last().map(String::as_str), Some("used"));
}

/// What can't be asked so is told what can.
#[actix_web::test]
async fn what_is_unknown_is_400_with_a_sentence() {
    let house = House::open().await;
    let cursor = house.list("limit=1").await["nextCursor"].clone();
    let cursor = cursor.as_str().unwrap();
    for (query, part) in [
        (
            "surprise=1",
            "There is no \"surprise\" here. There are: userId, ownerKind,",
        ),
        ("userid=1", "There is no \"userid\" here."),
        ("userId=alice", "userId is the id of a user, not \"alice\"."),
        (
            "ownerKind=bot",
            "ownerKind is person or service, not \"bot\".",
        ),
        (
            "status=live",
            "status is active, pending, expired or revoked, not \"live\".",
        ),
        ("scope=a%20b", "scope is one scope"),
        (
            "createdBefore=yesterday",
            "createdBefore is milliseconds since 1970",
        ),
        ("expiresAfter=2027-02-30", "expiresAfter is milliseconds"),
        ("neverUsed=1", "neverUsed is true or false"),
        ("neverExpires=yes", "neverExpires is true or false"),
        ("sort=name", "sort is created, expires or lastUsed"),
        ("sort=--created", "sort is created"),
        ("limit=0", "limit is a number from 1 to 200"),
        ("limit=201", "limit is a number from 1 to 200"),
        ("limit=-1", "limit is"),
        ("limit=1e2", "limit is"),
        (
            "cursor=x",
            "cursor is what an answer in the same order gave",
        ),
        (&format!("sort=created&cursor={cursor}"), "cursor is what"),
        (&format!("cursor={cursor}x"), "cursor is what"),
        ("status=active&status=expired", "status"),
        ("search=%00", ""),
        ("search=%ff", ""),
        ("search=a%0ab", "search is"),
        (&format!("search={}", "x".repeat(257)), "search is"),
    ] {
        let (status, answer) = house.manager.get(&format!("{ALL}?{query}")).await;
        assert_eq!(status, 400, "{query}: {answer}");
        assert_eq!(answer["code"], "request.malformed", "{query}");
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(part), "{query}: {message}");
    }
}

/// Letters that mean something to a database mean themselves.
#[actix_web::test]
async fn a_search_is_for_letters() {
    let house = House::open().await;
    for name in ["100% sure", "snake_case", "back\\slash", "'quoted'", "Ünï"] {
        make(&house.server, &house.alice, name, "notes:read", End::Never);
    }
    for (words, expected) in [
        ("%25", "100% sure"),
        ("_", "snake_case"),
        ("%5C", "back\\slash"),
        ("'", "'quoted'"),
        ("%C3%9Cn", "Ünï"),
        ("k.s", ""),
        ("*", ""),
    ] {
        let found = house.names(&format!("search={words}")).await;
        assert_eq!(found.join(" "), expected, "{words}");
    }
}

/// A token is expired from the second on that `exp` names, in the filter as everywhere.
#[actix_web::test]
async fn a_token_that_ends_in_this_second_is_expired() {
    let server = Server::start().await;
    server.notes();
    let end = server.clock.now().whole_second() + std::time::Duration::from_millis(10_900);
    let alice = server.user("alice");
    make(&server, &alice, "brief", "notes:read", End::At(end));
    let manager = server.manager("pats:read").await;
    for (wait, active) in [(0, 1), (9, 1), (1, 0)] {
        server.clock.advance(seconds(wait));
        for (status, expected) in [("active", active), ("expired", 1 - active)] {
            for sort in ["created", "expires"] {
                let path = format!("{ALL}?status={status}&sort={sort}");
                let (_, list) = manager.get(&path).await;
                assert_eq!(list["total"], expected, "{status} after {wait}, by {sort}");
                assert_eq!(names(&list).len(), expected, "{status} after {wait}");
            }
        }
    }
}

/// Paging shows every token that was there all the time once, whatever comes and goes meanwhile.
#[actix_web::test]
async fn paging_is_stable_while_rows_come_and_go() {
    for sort in [
        "created",
        "-created",
        "expires",
        "-expires",
        "lastUsed",
        "-lastUsed",
    ] {
        let house = House::open().await;
        let (server, alice) = (&house.server, &house.alice);
        for name in ["one", "two", "three", "four"] {
            // Some at the same moment, with the same end.
            make(server, alice, name, "notes:read", days(server, 5));
        }
        let mut seen = vec![];
        let mut query = format!("sort={sort}&limit=2");
        loop {
            let list = house.list(&query).await;
            seen.extend(names(&list));
            let Some(cursor) = list["nextCursor"].as_str() else {
                break;
            };
            query = format!("sort={sort}&limit=2&cursor={cursor}");
            if seen.len() < 6 {
                let name = format!("new {}", seen.len());
                make(server, alice, &name, "notes:read", days(server, 1));
                make(
                    server,
                    alice,
                    &format!("{name} too"),
                    "notes:read",
                    End::Never,
                );
            }
            // What was shown goes, and with it the row that the cursor names.
            let gone = list["items"][1]["id"].as_str().unwrap().to_owned();
            server.write(|tx| {
                use diesel::prelude::*;
                use jeton::db::schema::{grants, tokens};
                let id: jeton::domain::id::Id = gone.parse().unwrap();
                let grant: Vec<u8> = tokens::table
                    .filter(tokens::id.eq(id))
                    .select(tokens::grant_id)
                    .get_result(&mut **tx)?;
                diesel::delete(grants::table.find(grant)).execute(&mut **tx)?;
                Ok(())
            });
        }
        seen.retain(|name| !name.starts_with("new"));
        assert_eq!(seen.len(), 9, "{sort}: {seen:?}");
        let mut once = seen.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), 9, "{sort}: {seen:?}");
    }
}

/// However many there are, a question looks at some of them: counting stops, a page may be short, sorting by what has no
/// index is for one person's tokens.
#[actix_web::test]
async fn many_thousands_of_tokens_are_looked_through_piece_by_piece() {
    let server = Server::start().await;
    server.notes();
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    make(&server, &bob, "needle", "notes:read", End::Never);
    server.clock.advance(seconds(DAY));
    leave_personal(&server, &alice, 50_010);
    let manager = server.manager("pats:read").await;
    let (status, list) = manager.get(&format!("{ALL}?limit=200")).await;
    assert_eq!((status, names(&list).len()), (200, 200), "{list}");
    assert_eq!(names(&list)[0], "many 50010");
    assert_eq!(
        (&list["total"], &list["totalIsExact"]),
        (&json!(10_000), &json!(false))
    );

    let (_, list) = manager.get(&format!("{ALL}?search=needle")).await;
    assert_eq!(
        (names(&list).len(), &list["totalIsExact"]),
        (0, &json!(false))
    );
    let next = list["nextCursor"].as_str().expect("there is more");
    let (_, list) = manager
        .get(&format!("{ALL}?search=needle&cursor={next}"))
        .await;
    assert_eq!(
        (names(&list), &list["nextCursor"]),
        (vec!["needle".to_owned()], &Value::Null)
    );
    for quick in [
        "neverExpires=true&sort=-expires",
        "createdBefore=2027-01-16",
        "search=needle&sort=created",
    ] {
        let (_, list) = manager.get(&format!("{ALL}?{quick}&limit=1")).await;
        assert_eq!(names(&list), ["needle"], "{quick}");
    }

    let (status, refused) = manager.get(&format!("{ALL}?sort=lastUsed")).await;
    assert_eq!(
        (status, &refused["code"]),
        (422, &json!("search.too_many_to_sort"))
    );
    let (status, list) = manager
        .get(&format!("{ALL}?sort=lastUsed&userId={}", bob.id))
        .await;
    assert_eq!((status, names(&list)), (200, vec!["needle".to_owned()]));
}
