//! What is told besides an error's code. "Values for the "error_description" parameter MUST NOT include characters
//! outside the set %x20-21 / %x23-5B / %x5D-7E." (RFC 6749 §4.1.2.1, §5.2)

use reqwest::Response;

use crate::support::{AppOptions, Browser, Server, json};

const CB: &str = "https://app.example/cb";

/// What an attacker would like to see in somebody's log or page.
const HOSTILE: [&str; 9] = [
    "\"",
    "\\",
    "\\\"}, \"access_token\": \"x",
    "a\r\nSet-Cookie: x=y",
    "\t\u{0}\u{7f}\u{85}",
    "§é☃\u{202e}\u{feff}",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "\u{1b}[31mred",
];

/// The texts above, and one that is longer than anybody reads.
fn hostile() -> Vec<String> {
    let mut all: Vec<String> = HOSTILE.map(str::to_owned).into();
    all.push("long \"words\" ".repeat(300));
    all
}

/// Of a text what may stand in a word of a scope or in a URI, or nearly so.
fn word(text: &str) -> String {
    let graphic = text.chars().filter(char::is_ascii_graphic);
    std::iter::once('x').chain(graphic).collect()
}

fn is_allowed(description: &str, case: &str) {
    let good =
        |c: char| matches!(c, '\u{20}'..='\u{21}' | '\u{23}'..='\u{5b}' | '\u{5d}'..='\u{7e}');
    assert!(description.chars().all(good), "{case}: {description:?}");
    let length = description.len();
    assert!((1..=200).contains(&length), "{case}: {length} characters");
}

async fn is_allowed_in(answer: Response, case: &str) {
    let told = json(answer, 400).await;
    let description = told["error_description"].as_str();
    is_allowed(description.expect("a description"), case);
}

/// On the way back to an app.
#[actix_web::test]
async fn s4_1_2_1_a_redirect_has_only_the_characters_it_may_have() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = Browser::new(&server.url);
    let good = app.asks("notes:read");
    for text in hostile() {
        let in_word = word(&text);
        for (case, flow) in [
            ("scope", good.clone().set("scope", &text)),
            ("a scope's word", good.clone().set("scope", &in_word)),
            ("resource", good.clone().set("resource", &text)),
            (
                "resource",
                good.clone()
                    .set("resource", &format!("https://x.example/{in_word}")),
            ),
            ("repeated", good.clone().and(&text, "1").and(&text, "2")),
            ("response_type", good.clone().set("response_type", &text)),
            ("method", good.clone().set("code_challenge_method", &text)),
            ("response_mode", good.clone().set("response_mode", &text)),
        ] {
            let case = format!("{case}: {text:?}");
            let page = browser.get(&flow.path()).await;
            if page.is_dead_end() {
                assert!(text.contains('\0'), "{case}: {page:?}");
                continue;
            }
            let answer = page.brings(CB);
            is_allowed(&answer["error_description"], &case);
        }
    }
}

/// And in JSON.
#[actix_web::test]
async fn s5_2_a_refusal_has_only_the_characters_it_may_have() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    for text in hostile() {
        let in_word = word(&text);
        let uri = format!("https://x.example/{in_word}");
        let own = ("grant_type", "client_credentials");
        for (case, form) in [
            ("grant_type", vec![("grant_type", text.as_str())]),
            ("scope", vec![own, ("scope", &text)]),
            ("a scope's word", vec![own, ("scope", &in_word)]),
            ("resource", vec![own, ("resource", &text)]),
            ("an unknown resource", vec![own, ("resource", &uri)]),
            ("repeated", vec![own, (&text, "1"), (&text, "2")]),
        ] {
            let case = format!("{case}: {text:?}");
            is_allowed_in(app.token(&form).await, &case).await;
        }
    }
}

/// A sentence that names a section or repeats a word keeps its sense without the characters it may not have.
#[actix_web::test]
async fn s5_2_what_may_not_be_said_is_said_in_other_words() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let flow = app.asks("notes:read");
    let browser = server.signed_in(&server.user("alice")).await;
    let code = app.code(&browser, &flow).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CB),
        ("code_verifier", &"x".repeat(43)),
    ];
    let told = json(app.token(&form).await, 400).await;
    let said = "code_verifier does not match the code_challenge (RFC 7636 section 4.6)";
    assert_eq!(told["error_description"], said);
    let told = json(app.token(&[("grant_type", "pass\"word")]).await, 400).await;
    let said = told["error_description"].as_str().unwrap();
    assert!(said.contains("pass") && said.contains("word"), "{said}");
}
