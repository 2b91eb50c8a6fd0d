//! What scanners are told of our secrets: by a running server, and by the rules for gitleaks and TruffleHog in `docs`.

use std::fs;
use std::path::Path;

use jeton::domain::scan::{ANY_BRAND, pattern};
use jeton::domain::secret::{Brands, SecretKind};
use regex::bytes::{Regex, RegexBuilder};
use serde_json::{Value, json};

use crate::support::{Server, json as answered};

const RULES: &str = "/.well-known/secret-scanning";

async fn rules(server: &Server) -> Value {
    answered(server.get(RULES).send().await.unwrap(), 200).await
}

/// An expression as Go's engine and RE2 read it: a word is one of ASCII.
fn regex(pattern: &str) -> Regex {
    let built = RegexBuilder::new(pattern).unicode(false).build();
    built.unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

fn minted(brand: &str, kind: SecretKind) -> String {
    let brands = Brands::new(vec![brand.to_owned()]).expect("a brand");
    brands.mint(kind).expose().to_owned()
}

fn is_found(regex: &Regex, secret: &str) -> bool {
    let text = format!("KEY=\"{secret}\"\n");
    let found = regex.find(text.as_bytes());
    found.is_some_and(|found| found.as_bytes() == secret.as_bytes())
}

/// What can't be a secret, made of one that is.
fn mangled(secret: &str) -> Vec<String> {
    let (head, rest) = secret.split_at(secret.rfind('_').unwrap() + 1);
    vec![
        secret[..secret.len() - 1].to_owned(),
        format!("{secret}0"),
        format!("{secret}_"),
        format!("_{secret}"),
        secret.to_uppercase(),
        secret.replace('_', "-"),
        format!("{head}{}-{}", &rest[..20], &rest[21..]),
        rest.to_owned(),
        format!("x{rest}"),
    ]
}

/// The served expressions find what this server mints, with each brand it takes, and nothing else.
#[actix_web::test]
async fn the_expressions_find_what_is_minted_and_nothing_else() {
    let server = Server::with(&[("brands", "acme, jeton")]).await;
    let told = rules(&server).await;
    assert_eq!(told["brands"], json!(["acme", "jeton"]));
    let of = |name: &str| regex(told["patterns"][name].as_str().expect("a pattern"));
    let [all, long] = [of("all"), of("long_lived")];
    let [any, any_long] = [of("any_brand"), of("any_brand_long_lived")];
    for kind in SecretKind::ALL {
        let lives_long = kind.is_long_lived();
        for (brand, ours) in [("acme", true), ("jeton", true), ("nova9", false)] {
            let secret = minted(brand, kind);
            assert_eq!(is_found(&all, &secret), ours, "{secret}");
            assert_eq!(is_found(&long, &secret), ours && lives_long, "{secret}");
            assert!(is_found(&any, &secret), "{secret}");
            assert_eq!(is_found(&any_long, &secret), lives_long, "{secret}");
            for other in mangled(&secret) {
                let text = format!(" {other} ");
                assert!(!all.is_match(text.as_bytes()), "{other}");
                assert!(!any.is_match(text.as_bytes()), "{other}");
            }
        }
    }
}

/// Each type is named, and whether it is worth something for long.
#[actix_web::test]
async fn the_types_are_those_that_there_are() {
    let told = rules(&Server::start().await).await;
    let types = told["types"].as_array().expect("types");
    let named: Vec<&str> = types.iter().map(|t| t["type"].as_str().unwrap()).collect();
    assert_eq!(named, SecretKind::ALL.map(SecretKind::as_str));
    let long: Vec<&Value> = types.iter().filter(|t| t["long_lived"] == true).collect();
    let long: Vec<&str> = long.iter().map(|t| t["type"].as_str().unwrap()).collect();
    assert_eq!(long, ["pat", "sat", "rt", "cs"]);
}

/// CRC-32/ISO-HDLC, bit by bit, as its parameters are published.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc = (crc >> 1) ^ (0xedb8_8320 * carry);
        }
    }
    !crc
}

/// What is said of the checksum is enough to check one, without any code of ours.
#[actix_web::test]
async fn the_checksum_can_be_checked_by_what_is_said_of_it() {
    assert_eq!(
        crc32(b"123456789"),
        0xcbf4_3926,
        "the published check value"
    );
    let told = rules(&Server::start().await).await;
    let told = &told["checksum"];
    assert_eq!(told["algorithm"], "CRC-32/ISO-HDLC");
    assert_eq!(told["order"], "most significant digit first");
    let alphabet: Vec<char> = told["alphabet"].as_str().unwrap().chars().collect();
    let digits = told["digits"].as_u64().unwrap() as usize;
    for _ in 0..100 {
        let secret = minted("jeton", SecretKind::PersonalAccessToken);
        let (covered, check) = secret.split_at(secret.len() - digits);
        let mut rest = crc32(covered.as_bytes()) as usize;
        let mut computed = vec![];
        for _ in 0..digits {
            computed.insert(0, alphabet[rest % alphabet.len()]);
            rest /= alphabet.len();
        }
        assert_eq!(computed.iter().collect::<String>(), check);
    }
}

/// Anybody's script may read it, and keep it for a while.
#[actix_web::test]
async fn the_answer_may_be_kept_and_read_from_anywhere() {
    let server = Server::start().await;
    let request = server.get(RULES).header("Origin", "https://page.example");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert_eq!(answer.headers()["cache-control"], "public, max-age=3600");
    assert_eq!(answer.headers()["content-type"], "application/json");
}

/// Where to report is said, and a report is taken there.
#[actix_web::test]
async fn a_report_goes_where_it_is_said() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let told = rules(&server).await;
    assert_eq!(told["issuer"], server.url.as_str());
    let report = server.http.post(told["report"]["url"].as_str().unwrap());
    let answer = report.json(&json!({"tokens": [token]})).send().await;
    assert_eq!(answer.unwrap().status(), 202);
    assert!(!notes.accepts(&token).await);
}

/// A rule of a scanner: its expression, and the words without which it is not even tried.
struct Rule {
    pattern: String,
    keywords: Vec<String>,
}

fn file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/secret-scanning");
    fs::read_to_string(folder.join(name)).expect("the rules are there")
}

fn gitleaks() -> Vec<Rule> {
    let document: toml::Table = file("gitleaks.toml").parse().expect("TOML");
    let rules = document["rules"].as_array().expect("rules");
    let rules = rules.iter().map(|rule| {
        let words = rule["keywords"].as_array().expect("keywords");
        let words = words.iter().map(|word| word.as_str().unwrap().to_owned());
        Rule {
            pattern: rule["regex"].as_str().expect("an expression").to_owned(),
            keywords: words.collect(),
        }
    });
    rules.collect()
}

/// Of YAML as much as the file uses.
fn trufflehog() -> Vec<Rule> {
    let text = file("trufflehog.yaml");
    let values = |name: &str| -> Vec<String> {
        let lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(name));
        lines.map(|value| value.trim().to_owned()).collect()
    };
    let keywords = values("keywords:").into_iter().map(|list| {
        let words: Vec<String> = serde_json::from_str(&list).expect("a list");
        words
    });
    let patterns = values("secret:").into_iter().map(|quoted| {
        let bare = quoted
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''));
        bare.expect("a quoted text").to_owned()
    });
    let rules = patterns.zip(keywords);
    rules
        .map(|(pattern, keywords)| Rule { pattern, keywords })
        .collect()
}

/// The rules find every kind of secret once, by the expression that a server serves, and no look-alike of another length.
#[test]
fn the_rules_for_scanners_find_what_is_minted_and_nothing_else() {
    for (scanner, rules) in [("gitleaks", gitleaks()), ("TruffleHog", trufflehog())] {
        assert_eq!(rules.len(), 2, "{scanner}");
        for (rule, long) in rules.iter().zip([true, false]) {
            let kinds = || SecretKind::ALL.into_iter();
            let served = pattern(
                ANY_BRAND,
                kinds().filter(|kind| kind.is_long_lived() == long),
            );
            // TruffleHog takes what is in a group.
            let bare = rule.pattern.replace(r"\b(", r"\b").replace(r")\b", r"\b");
            assert_eq!(bare, served, "{scanner}");
            let regex = regex(&rule.pattern);
            for kind in kinds() {
                let secret = minted("acme", kind);
                let meant = kind.is_long_lived() == long;
                assert_eq!(is_found(&regex, &secret), meant, "{scanner}: {secret}");
                let tried = rule
                    .keywords
                    .iter()
                    .any(|word| secret.contains(word.as_str()));
                assert_eq!(tried, meant, "{scanner}: {secret}");
                for other in mangled(&secret) {
                    let text = format!(" {other} ");
                    assert!(!regex.is_match(text.as_bytes()), "{scanner}: {other}");
                }
            }
        }
    }
}

/// The page shows two secrets with their checksums, and both are right.
#[test]
fn the_examples_of_the_page_are_right() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/secret-scanning.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let acme = Brands::new(vec!["acme".to_owned()]).expect("a brand");
    let found: Vec<&str> = page
        .split('`')
        .filter(|word| acme.read(word).is_some())
        .collect();
    assert_eq!(found.len(), 2);
    for secret in found {
        let (covered, check) = secret.split_at(secret.len() - 6);
        let row = format!("| `{:08x}` | `{check}` |", crc32(covered.as_bytes()));
        assert!(page.contains(&row), "{row}");
    }
}
