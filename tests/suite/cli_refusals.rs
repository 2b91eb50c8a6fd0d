//! What the command line refuses, and how.

use serde_json::Value;

use crate::support::tables::migrations;
use crate::support::{Jeton, PASSWORD};

/// What is refused changes nothing, prints nothing on standard output and says why in one sentence.
#[test]
fn what_is_refused_is_one_sentence_and_exit_code_1() {
    let jeton = Jeton::new();
    jeton.notes("");
    jeton.user("alice", PASSWORD);
    let public = jeton.json(&[
        "client",
        "create",
        "--name=Phone",
        "--public",
        "--redirect-uri=http://127.0.0.1/cb",
    ]);
    let public = public["client_id"].as_str().unwrap();
    let before = everything(&jeton);
    let client = |args: &[&'static str]| [&["client", "create", "--name=x"], args].concat();
    let token = |scope: &'static str, resource: &'static str, args: &[&'static str]| {
        [
            &[
                "token",
                "create",
                "--user=alice",
                "--name=x",
                scope,
                resource,
            ],
            args,
        ]
        .concat()
    };
    let (read, notes) = ("--scope=notes:read", "--resource=https://notes.example");
    let create =
        |args: &[&'static str]| [&["user", "create"], args, &["--password-stdin"]].concat();
    let resource =
        |uri: &'static str, scope: &'static str| vec!["resource", "create", uri, "--name=x", scope];
    let policy = |name: &'static str, args: &[&'static str]| {
        let resource = "--resource=https://notes.example";
        let resource = match args {
            [given, ..] if given.starts_with("--resource") => None,
            _ => Some(resource),
        };
        let create = ["forward-auth", "create", name].into_iter();
        create.chain(resource).chain(args.iter().copied()).collect()
    };
    for (args, input, sentence) in [
        (
            create(&["alice"]),
            PASSWORD,
            "there is a user named alice already",
        ),
        (
            create(&["a b"]),
            PASSWORD,
            "a username is 1 to 64 letters, digits or . _ - @ +, not \"a b\"",
        ),
        (
            create(&["bob", "--email=bob"]),
            PASSWORD,
            "\"bob\" is not an e-mail address",
        ),
        (create(&["bob"]), "short", "password"),
        (create(&["bob"]), "", "password"),
        (
            vec!["user", "disable", "nobody"],
            "",
            "there is no user nobody",
        ),
        (
            resource("notes", "--scope=a=A"),
            "",
            "a resource is named by an absolute URI without a fragment, not \"notes\"",
        ),
        (
            resource("https://notes.example", "--scope=a=A"),
            "",
            "there is a resource https://notes.example already",
        ),
        (
            resource("https://x.example", "--scope=a"),
            "",
            "a scope is written 'notes:read=Read your notes', not \"a\"",
        ),
        (
            resource("https://x.example", "--scope=a=A=\nB"),
            "",
            "the scope a needs one line that says what it allows",
        ),
        (
            client(&["--scope=nothing"]),
            "",
            "no resource defines the scope nothing",
        ),
        (
            client(&["--redirect-uri=http://app.example/cb"]),
            "",
            "invalid_redirect_uri: http is for this computer only",
        ),
        (
            client(&["--redirect-uri=javascript:alert(1)"]),
            "",
            "invalid_redirect_uri: ",
        ),
        (
            client(&["--grant=authorization_code"]),
            "",
            "authorization_code needs at least one --redirect-uri",
        ),
        (
            client(&["--grant=refresh_token"]),
            "",
            "refresh_token comes with authorization_code",
        ),
        (
            client(&["--public"]),
            "",
            "a public client can't use client_credentials (RFC 6749 §4.4)",
        ),
        (
            client(&["--access-token-ttl=1 hour"]),
            "",
            "\"1 hour\" is not a length of time, such as 15m or 1h",
        ),
        (
            vec!["client", "disable", "nobody"],
            "",
            "there is no client nobody",
        ),
        (
            vec!["client", "rotate-secret", public],
            "",
            "is a public client, which has no secret",
        ),
        (
            token("--scope=nothing", notes, &[]),
            "",
            "There is no permission nothing.",
        ),
        (
            token(read, "--resource=https://x.example", &[]),
            "",
            "There is no resource https://x.example.",
        ),
        (
            token(read, "--resource=x", &[]),
            "",
            "a resource is named by its absolute URI, not \"x\"",
        ),
        (
            token(read, notes, &["--expires=tomorrow"]),
            "",
            "a token ends after 30s, 12h or 90d, at 2027-01-31T00:00:00Z or never, not \"tomorrow\"",
        ),
        (
            token(read, notes, &["--expires=2001-01-01T00:00:00Z"]),
            "",
            "That moment has passed.",
        ),
        (
            policy("Notes", &[]),
            "",
            "a policy's name is 1 to 64 small letters, digits and dashes, and does not begin with a dash, not \"Notes\"",
        ),
        (
            policy("x", &["--rule=GET"]),
            "",
            "a rule is written 'GET,HEAD /notes/* notes:read', not \"GET\"",
        ),
        (
            policy("x", &["--rule=get /"]),
            "",
            "a method is capital letters, such as GET, not \"get\"",
        ),
        (
            policy("x", &["--rule=GET /a/../b"]),
            "",
            "a rule's path is /notes for one",
        ),
        (
            policy("x", &["--rule=GET / photos:read"]),
            "",
            "https://notes.example defines no scope photos:read",
        ),
        (
            policy("x", &["--resource=https://x.example"]),
            "",
            "there is no resource https://x.example",
        ),
        (
            policy("x", &["--otherwise=maybe"]),
            "",
            "what no rule is for gets deny or allow, not \"maybe\"",
        ),
        (
            policy("x", &["--header=username"]),
            "",
            "a header's name is X-… or Remote-…",
        ),
        (
            policy("x", &["--header=email=X-Email"]),
            "",
            "what can be told is subject, username, scopes, tokenId, clientId or expiresAt, not \"email\"",
        ),
        (
            vec!["forward-auth", "remove", "nothing"],
            "",
            "there is no policy nothing",
        ),
        (
            vec!["token", "list", "--user=nobody"],
            "",
            "there is no user nobody",
        ),
        (
            vec!["token", "revoke", "nothing"],
            "",
            "there is no personal access token nothing",
        ),
    ] {
        for as_json in [&[][..], &["--json"]] {
            let ran = jeton.run_with(&[&args[..], as_json].concat(), input);
            assert_eq!(
                (ran.code, ran.stdout.as_str()),
                (1, ""),
                "{args:?}: {}",
                ran.stderr
            );
            assert_eq!(ran.stderr.lines().count(), 1, "{args:?}: {}", ran.stderr);
            assert!(
                ran.stderr.starts_with("jeton: "),
                "{args:?}: {}",
                ran.stderr
            );
            assert!(ran.stderr.contains(sentence), "{args:?}: {}", ran.stderr);
        }
    }
    assert_eq!(everything(&jeton), before);
}

fn everything(jeton: &Jeton) -> Vec<Value> {
    let lists = [
        &["user", "list"][..],
        &["resource", "list"],
        &["client", "list"],
        &["token", "list", "--user=alice"],
        &["forward-auth", "list"],
    ];
    lists.map(|list| jeton.json(list)).to_vec()
}

#[test]
fn what_can_not_be_a_command_is_exit_code_2_and_touches_nothing() {
    let jeton = Jeton::new();
    for args in [
        &[][..],
        &["nonsense"],
        &["user"],
        &["user", "create", "alice"],
        &["user", "create", "alice", "--password=secret"],
        &[
            "resource",
            "create",
            "https://notes.example",
            "--name=Notes",
        ],
        &["client", "create"],
        &["client", "create", "--name=x", "--grant=password"],
        &["token", "create", "--user=alice", "--name=x", "--scope=a"],
        &["token", "list"],
        &["forward-auth", "create", "notes"],
        &["forward-auth", "remove"],
        &["serve", "--port=1"],
    ] {
        let ran = jeton.run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}");
        let said = ran.stderr.starts_with("error: ") || ran.stderr.contains("Usage: jeton");
        assert!(said, "{args:?}: {}", ran.stderr);
    }
    assert_eq!(jeton.json(&["migrate"])["migrations"], migrations());
}
