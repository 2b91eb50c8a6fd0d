//! GitHub's secret scanning, by the protocol of its partner program: it signs what it has found in public places, and is told
//! what of that was real.

use jeton::domain::secret::{Brands, SecretKind};
use jeton::jobs::github_keys::refresh;
use openssl::nid::Nid;
use serde_json::{Value, json};

use crate::support::{
    AppOptions, FINDINGS, GithubKey, KEYS, Server, github_keys, send_findings, trail,
};

const BLOB: &str = "https://github.com/octocat/Hello-World/blob/12345/foo/bar.txt";

/// A server that has these keys from a file.
async fn server_with(keys: &[&GithubKey]) -> Server {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), github_keys(keys)).expect("it is written");
    let server = Server::with(&[(KEYS, file.path().to_str().expect("a plain path"))]).await;
    refresh(&server.app).await;
    server
}

fn finding(token: &str) -> Value {
    json!({"token": token, "type": "jeton_token", "url": BLOB, "source": "content"})
}

/// What is real has ended when the answer is out, and the answer says of each finding whether it was.
#[actix_web::test]
async fn what_is_real_is_ended_and_github_is_told() {
    let key = GithubKey::p256("current");
    let server = server_with(&[&key]).await;
    let notes = server.notes();
    let alice = server.user("alice");
    let app = server.app(AppOptions::default());
    let [leaked, kept] = [(); 2].map(|()| server.personal_token(&alice, "notes:read"));
    let service = app.own_token("notes:read").await.access;
    let secret = app.client_secret.clone().expect("a secret");
    let brands = Brands::new(vec!["jeton".to_owned()]).expect("a brand");
    let unknown = brands.mint(SecretKind::RefreshToken).expose().to_owned();
    let mangled = leaked.replace("_pat_", "_at_");
    let tokens = [&leaked, &unknown, &service, &mangled, &secret, &leaked];
    let body = json!(tokens.map(|token| finding(token))).to_string();
    let answer = key.sends(&server, &body).await;
    assert_eq!(answer.status(), 200);
    let told: Value = answer.json().await.unwrap();
    let labels = [true, false, true, false, true, true];
    let expected: Vec<Value> = tokens
        .iter()
        .zip(labels)
        .map(|(token, real)| {
            let label = if real {
                "true_positive"
            } else {
                "false_positive"
            };
            json!({"token_raw": token, "token_type": "jeton_token", "label": label})
        })
        .collect();
    assert_eq!(told, json!(expected));
    assert!(!notes.accepts(&leaked).await && !notes.accepts(&service).await);
    assert!(notes.accepts(&kept).await);
    assert_eq!(
        app.refresh("nothing").await.status(),
        400,
        "the client works on"
    );
    let entries = trail(&server, "token.leaked");
    assert_eq!(entries.len(), 2);
    let words = format!("{} {BLOB} (found by GitHub: content)", &leaked[..14]);
    assert!(
        entries.iter().any(|entry| entry.detail() == words),
        "{entries:?}"
    );
    assert_eq!(trail(&server, "client.secret_leaked").len(), 1);
    // A second time it is still ours, though it has ended.
    let again: Value = key.sends(&server, &body).await.json().await.unwrap();
    assert_eq!(again, told);
    assert_eq!(trail(&server, "token.leaked").len(), 2);
}

/// GitHub may say less of a finding, or more, than it does today.
#[actix_web::test]
async fn a_finding_is_read_however_much_is_said_of_it() {
    let key = GithubKey::p256("current");
    let server = server_with(&[&key]).await;
    let notes = server.notes();
    let alice = server.user("alice");
    for (case, more) in [
        ("nothing", json!({})),
        ("an empty URL", json!({"url": ""})),
        ("null", json!({"url": null, "source": null})),
        ("no URL", json!({"url": "a\u{0}\u{1b}b", "source": "\u{0}"})),
        ("a long URL", json!({"url": "é".repeat(10_000)})),
        ("news", json!({"repository": {"id": 1}, "score": 0.5})),
    ] {
        let token = server.personal_token(&alice, "notes:read");
        let mut finding = json!({"token": token, "type": "pat"});
        for (name, value) in more.as_object().unwrap() {
            finding[name] = value.clone();
        }
        let answer = key.sends(&server, &json!([finding]).to_string()).await;
        let told: Value = answer.json().await.unwrap();
        assert_eq!(told[0]["label"], "true_positive", "{case}");
        assert!(!notes.accepts(&token).await, "{case}");
    }
    assert_eq!(key.sends(&server, "[]").await.status(), 200);
}

/// Nobody else is believed, and not one byte may be another: nothing is done, and the answer does not say what was wrong.
#[actix_web::test]
async fn only_the_signature_over_every_byte_is_believed() {
    let (key, stranger) = (GithubKey::p256("current"), GithubKey::p256("current"));
    let other_curve = GithubKey::new("p384", Nid::SECP384R1);
    let server = server_with(&[&key, &other_curve]).await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let body = json!([finding(&token)]).to_string();
    let signature = key.sign(&body);
    let spaced = format!("{body} ");
    let cut = &signature[..signature.len() - 4];
    for (case, id, signature, body) in [
        ("a stranger's", "current", &*stranger.sign(&body), &*body),
        ("another curve", "p384", &other_curve.sign(&body), &body),
        ("an unknown key", "another", &signature, &body),
        ("no key", "", &signature, &body),
        ("a byte more", "current", &signature, &spaced),
        ("of another body", "current", &key.sign("[]"), &body),
        ("cut short", "current", cut, &body),
        ("no base64", "current", "~~~~", &body),
        ("none", "current", "", &body),
    ] {
        let answer = send_findings(&server, id, signature, body).await;
        assert_eq!(answer.status(), 403, "{case}");
        let refusal: Value = answer.json().await.unwrap();
        assert_eq!(refusal["code"], "signature.invalid", "{case}");
        assert!(notes.accepts(&token).await, "{case}");
    }
    for missing in [
        "Github-Public-Key-Identifier",
        "Github-Public-Key-Signature",
    ] {
        let other = match missing {
            "Github-Public-Key-Signature" => ("Github-Public-Key-Identifier", "current"),
            _ => ("Github-Public-Key-Signature", signature.as_str()),
        };
        let request = server.request("POST", FINDINGS).header(other.0, other.1);
        let answer = request.body(body.clone()).send().await.unwrap();
        assert_eq!(answer.status(), 403, "without {missing}");
        let refusal: Value = answer.json().await.unwrap();
        assert_eq!(refusal["code"], "signature.missing");
    }
    assert!(notes.accepts(&token).await);
    assert_eq!(
        send_findings(&server, "current", &signature, &body)
            .await
            .status(),
        200
    );
    assert!(!notes.accepts(&token).await);
}

/// A body that GitHub would not send is refused, even with a good signature.
#[actix_web::test]
async fn a_signed_body_that_is_none_is_refused() {
    let key = GithubKey::p256("current");
    let server = server_with(&[&key]).await;
    for body in [
        "",
        "{}",
        "[1]",
        "[{\"token\":\"x\"}]",
        "[{\"token\":1,\"type\":\"x\"}]",
        "\0",
    ] {
        assert_eq!(key.sends(&server, body).await.status(), 400, "{body}");
    }
    let large = format!("[{}]", " ".repeat(1024 * 1024));
    assert_eq!(key.sends(&server, &large).await.status(), 413);
}

/// Unless the keys are set there is no such endpoint; until they are there, nobody can be believed.
#[actix_web::test]
async fn without_keys_nobody_is_believed() {
    let key = GithubKey::p256("current");
    let server = Server::start().await;
    assert_eq!(key.sends(&server, "[]").await.status(), 404);
    let nowhere = Server::with(&[(KEYS, "http://127.0.0.1:9/keys")]).await;
    for _ in 0..2 {
        let answer = key.sends(&nowhere, "[]").await;
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key("retry-after"));
        refresh(&nowhere.app).await;
    }
}
