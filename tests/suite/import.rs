//! `jeton import`: tokens of another system go on working on the day of the move.

use jeton::domain::secret::{Brands, SecretKind};
use serde_json::{Value, json};

use crate::support::{Jeton, PASSWORD, ResourceServer};

/// What a Logto, a crates.io-like and a Sanctum table would hold, and what their users present.
const LOGTO: &str = "pat_0123456789abcdefghijklmnopqrstuv";
const CRATES: &str = "cioABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
const SANCTUM: &str = "17|abcdefghijklmnopqrstuvwxyz0123456789ABCD";

const FORMATS: [(&str, &str); 1] = [("foreign_tokens", "pat_, cio, |")];

/// The SHA-256 of `text` as exports write it.
fn sha256(text: &str) -> String {
    let digest = jeton::domain::secret::Digest::of(text);
    jeton::domain::secret::hex(digest.as_bytes())
}

struct House {
    jeton: Jeton,
    notes: (String, String),
}

impl House {
    fn build(settings: &[(&str, &str)]) -> Self {
        let jeton = Jeton::with(settings);
        jeton.user("alice", PASSWORD);
        let made = jeton.json(&[
            "resource",
            "create",
            "https://notes.example",
            "--name=Notes",
            "--scope=notes:read=Read your notes",
        ]);
        let text = |key: &str| made[key].as_str().expect("a text").to_owned();
        Self {
            notes: (text("client_id"), text("client_secret")),
            jeton,
        }
    }

    fn import(&self, args: &[&str], lines: &[Value]) -> (bool, Value) {
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        let args = [&["--json", "import", "-"], args].concat();
        let ran = self.jeton.run_with(&args, &lines.join("\n"));
        let tally = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
        (ran.code == 0, tally)
    }

    fn resource_server(&self, url: &str) -> ResourceServer {
        let (id, secret) = &self.notes;
        ResourceServer::new(url, "https://notes.example".to_owned(), id.clone(), secret)
    }
}

/// A line of an export, with these members besides.
fn line(members: Value) -> Value {
    let mut line = json!({"owner": "alice", "name": "old", "scopes": ["notes:read"]});
    let members = members.as_object().expect("an object").clone();
    line.as_object_mut().expect("an object").extend(members);
    line
}

/// What was imported works as it was presented before, is listed with where it came from, and can be revoked and rotated.
#[actix_web::test]
async fn imported_tokens_go_on_working() {
    let house = House::build(&FORMATS);
    let end = 4_102_444_800_000_i64;
    let (_, secret) = SANCTUM.split_once('|').expect("a bar");
    let (good, tally) = house.import(
        &[],
        &[
            line(json!({"name": "logto", "plaintext": LOGTO, "expiresAt": end})),
            line(json!({"name": "crates", "sha256": sha256(CRATES), "expiresAt": null})),
            line(json!({"name": "sanctum", "sha256": sha256(secret)})),
        ],
    );
    assert!(good, "{tally}");
    assert_eq!(tally["imported"], 3);
    let server = house.jeton.serve();
    let notes = house.resource_server(&server.url);
    let answer = notes.introspect(LOGTO).await;
    assert_eq!(
        (&answer["active"], &answer["exp"]),
        (&json!(true), &json!(end / 1000))
    );
    assert_eq!(answer["token_kind"], "pat");
    for token in [CRATES, SANCTUM] {
        assert!(notes.accepts(token).await, "{token}");
    }
    for other in ["pat_unknown", &CRATES[3..], "18|secret", secret] {
        assert!(!notes.accepts(other).await, "{other}");
    }

    let listed = house.jeton.json(&["token", "list", "--user=alice"]);
    let named = |name: &str| {
        let mut listed = listed.as_array().expect("a list").iter();
        listed
            .find(|token| token["name"] == name)
            .expect("it is listed")
    };
    assert_eq!(named("logto")["hint"], "pat_0123");
    assert_eq!(named("crates")["hint"], "imported");
    let id = |name| named(name)["id"].as_str().expect("an id");
    let rotated = house
        .jeton
        .json(&["token", "rotate", id("logto"), "--overlap=0s"]);
    assert!(!notes.accepts(LOGTO).await);
    assert!(
        notes
            .accepts(rotated["token"].as_str().expect("a secret"))
            .await
    );
    house.jeton.json(&["token", "revoke", id("sanctum")]);
    assert!(!notes.accepts(SANCTUM).await);
}

/// A secret of another Jeton goes on too. Whose it is here says what it is, not its beginning: what was a robot's personal
/// token may become a service account's.
#[actix_web::test]
async fn whose_an_imported_token_is_says_what_it_is() {
    let house = House::build(&[]);
    house
        .jeton
        .json(&["service-account", "create", "ci-bot", "--keeper=alice"]);
    let brands = Brands::new(vec!["jeton".to_owned()]).expect("a brand");
    let server = house.jeton.serve();
    let notes = house.resource_server(&server.url);
    for (owner, kind) in [("ci-bot", "service"), ("alice", "pat")] {
        for secret in [
            SecretKind::ServiceAccountToken,
            SecretKind::PersonalAccessToken,
        ] {
            let token = brands.mint(secret);
            let (good, tally) = house.import(
                &[],
                &[line(
                    json!({"owner": owner, "name": format!("{secret:?}"), "plaintext": token.expose()}),
                )],
            );
            assert!(good, "{tally}");
            let told = notes.introspect(token.expose()).await;
            assert_eq!(
                (&told["active"], &told["token_kind"], &told["username"]),
                (&json!(true), &json!(kind), &json!(owner))
            );
        }
    }
}

/// Importing again changes nothing, so that an import that was cut off is simply repeated; what has ended is left out.
#[test]
fn importing_again_changes_nothing() {
    let house = House::build(&FORMATS);
    let lines = [
        line(json!({"plaintext": LOGTO})),
        line(json!({"name": "gone", "sha256": sha256(CRATES), "expiresAt": 1_000})),
    ];
    for (imported, known) in [(1, 0), (0, 1)] {
        let (good, tally) = house.import(&[], &lines);
        assert!(good, "{tally}");
        let counts = ["imported", "known", "expired", "refused"].map(|key| tally[key].clone());
        assert_eq!(counts, [json!(imported), json!(known), json!(1), json!(0)]);
    }
}

/// A trial says what would come of it, and imports nothing.
#[test]
fn a_trial_imports_nothing() {
    let house = House::build(&FORMATS);
    let lines = [
        line(json!({"plaintext": LOGTO})),
        line(json!({"owner": "nobody", "plaintext": LOGTO})),
    ];
    let (good, tally) = house.import(&["--dry-run"], &lines);
    assert!(good, "{tally}");
    assert_eq!(
        (&tally["imported"], &tally["known"], &tally["refused"]),
        (&json!(1), &json!(1), &json!(0))
    );
    assert_eq!(
        house.jeton.json(&["token", "list", "--user=alice"]),
        json!([])
    );
}

/// A line that can't be imported is named with its number and why, never with its token, and the other lines are imported.
#[test]
fn what_cannot_be_imported_is_named() {
    let house = House::build(&FORMATS);
    let bcrypt = "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
    let access_token = Brands::new(vec!["jeton".to_owned()]).expect("a brand");
    let access_token = access_token.mint(SecretKind::AccessToken);
    let lines = [
        (line(json!({"plaintext": LOGTO})), ""),
        (
            line(json!({"name": "a", "sha256": bcrypt})),
            "salted or keyed",
        ),
        (
            line(json!({"name": "b", "sha256": sha256("b"), "salt": "x"})),
            "unknown field `salt`",
        ),
        (line(json!({"name": "c"})), "either sha256 or plaintext"),
        (
            line(json!({"name": "d", "sha256": sha256("d"), "plaintext": "d"})),
            "either sha256 or plaintext",
        ),
        (
            line(json!({"name": "e", "plaintext": "secret-of-another-format"})),
            "no format",
        ),
        (
            line(json!({"name": "f", "sha256": sha256("f"), "owner": "bob"})),
            "no user bob",
        ),
        (
            line(json!({"name": "g", "sha256": sha256("g"), "scopes": []})),
            "at least one permission",
        ),
        (
            line(json!({"name": "h", "sha256": sha256("h"), "scopes": ["x"]})),
            "no permission x",
        ),
        (
            line(json!({"name": "old", "sha256": sha256("i")})),
            "live token of that name",
        ),
        (
            line(json!({"name": "", "sha256": sha256("j")})),
            "needs a name",
        ),
        (
            line(json!({"name": 1, "sha256": sha256("k")})),
            "not of its type",
        ),
        (
            line(json!({"name": "l", "plaintext": access_token.expose()})),
            "no format",
        ),
        (json!("secret-of-another-format"), "not of its type"),
    ];
    let given: Vec<Value> = lines.iter().map(|(line, _)| line.clone()).collect();
    let (good, tally) = house.import(&[], &given);
    assert!(!good);
    assert_eq!(
        (&tally["imported"], &tally["refused"]),
        (&json!(1), &json!(lines.len() - 1))
    );
    let problems = tally["problems"].as_array().expect("a list");
    for (problem, (number, (line, says))) in problems.iter().zip(lines.iter().enumerate().skip(1)) {
        assert_eq!(problem["line"], number + 1, "{line}");
        let sentence = problem["problem"].as_str().expect("a sentence");
        assert!(sentence.contains(says), "{line}: {sentence}");
        assert!(!sentence.contains("secret-of-another-format"), "{sentence}");
    }
    let again = house
        .jeton
        .run_with(&["import", "-"], "{\"plaintext\": \"secret");
    assert!(
        again.stdout.contains("line 1: this is no JSON object"),
        "{again:?}"
    );
    assert!(!again.stderr.contains("secret"), "{again:?}");
}

/// Without a setting that names a format nothing imported would ever be looked up, and so nothing is imported.
#[test]
fn without_a_format_nothing_is_imported() {
    let house = House::build(&[]);
    let lines = [
        line(json!({"sha256": sha256(LOGTO)})),
        line(json!({"plaintext": LOGTO})),
    ];
    let (good, tally) = house.import(&[], &lines);
    assert!(!good);
    assert_eq!(tally["refused"], 2, "{tally}");
    let missing = house.jeton.run(&["import", "no-such-file"]);
    assert!(
        missing.stderr.contains("no-such-file can't be read"),
        "{missing:?}"
    );
}

/// Many are imported in the time of a coffee: a thousand lines, in batches.
#[test]
fn a_thousand_lines_are_imported() {
    let house = House::build(&FORMATS);
    for person in 0..10 {
        house.jeton.user(&format!("person{person}"), PASSWORD);
    }
    let lines: Vec<Value> = (0..1001)
        .map(|n| {
            let owner = format!("person{}", n % 10);
            line(json!({"name": format!("t{n}"), "owner": owner, "sha256": sha256(&n.to_string())}))
        })
        .collect();
    let (good, tally) = house.import(&[], &lines);
    assert!(good, "{tally}");
    assert_eq!(tally["imported"], 1001);
}
