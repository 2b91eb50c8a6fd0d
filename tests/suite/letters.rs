//! Letters, word for word.

mod hostile;

use diesel::prelude::*;
use jeton::db::schema::{audit_events, grants, mails};
use jeton::domain::letter::Letter;
use jeton::domain::mail;
use jeton::domain::personal_token::search::Found;
use jeton::domain::personal_token::{End, PersonalToken};
use jeton::domain::user::{User, UserKind};

use crate::support::{ACME, MailServer, START, Server, repository, seconds};

const DAY: u64 = 86_400;

struct Scene {
    post: MailServer,
    server: Server,
    alice: User,
}

impl Scene {
    /// Alice has a token, and was told so.
    async fn set() -> Self {
        let post = MailServer::start();
        let server = Server::with_mail(&post, &[]).await;
        server.notes();
        let alice = server.user_with_address("alice");
        let end = End::At(START.whole_second() + seconds(90 * DAY));
        server.personal_token_until(&alice, "notes:read notes:write", end);
        Self {
            post,
            server,
            alice,
        }
    }

    fn token(&self) -> PersonalToken {
        let all = self
            .server
            .write(|tx| Ok(PersonalToken::all_of(tx, self.alice.id)?));
        all.into_iter().next().expect("alice's token")
    }

    /// Give her token another name, as nobody could by any door.
    fn rename(&self, name: &str) {
        self.server.write(|tx| {
            let rename = diesel::update(grants::table).set(grants::name.eq(name));
            Ok(rename.execute(&mut **tx)?)
        });
    }

    /// Tell alice this. Subject and body, without what is different each time.
    fn told(&self, letter: &Letter) -> (String, String) {
        let (subject, body): (String, String) = self.server.write(|tx| {
            diesel::delete(mails::table).execute(&mut **tx)?;
            mail::tell(tx, self.alice.id, letter)?;
            let told = mails::table.select((mails::subject, mails::body));
            Ok(told.get_result(&mut **tx)?)
        });
        let token = self.token().token;
        let body = body
            .replace(&self.server.url, "https://auth.example")
            .replace(&token.id.to_string(), "ID")
            .replace(&token.hint, "jeton_pat_HINT");
        (subject, body)
    }
}

const HEAD: &str = "Hello alice,\n\n";

const FOOT: &str = "

--
https://auth.example sends this because it is about your personal access tokens.
All of them: https://auth.example/settings/tokens";

/// The letter between its greeting and its end.
fn middle(body: &str) -> &str {
    let middle = body
        .strip_prefix(HEAD)
        .and_then(|rest| rest.strip_suffix(FOOT));
    middle.unwrap_or_else(|| panic!("{body}"))
}

#[actix_web::test]
async fn a_token_was_added() {
    let scene = Scene::set().await;
    let (subject, body) = scene.told(&Letter::Added(&scene.token()));
    assert_eq!(subject, "New personal access token: token 1");
    assert_eq!(
        middle(&body),
        "a personal access token was made for your account at https://auth.example.

  Name:    token 1
  Token:   jeton_pat_HINT...
  Scopes:  notes:read notes:write
  Ends:    Thu 15 Apr 2027, 08:00:00 UTC
  Made:    Fri 15 Jan 2027, 08:00:00 UTC, by the operator at its command line

If you expected this, there is nothing to do.

Not you? Revoke it, and change your password:
https://auth.example/settings/tokens/ID/revoke"
    );
}

/// What it may do with named things is told with its scopes.
#[actix_web::test]
async fn a_token_with_details_was_added() {
    let scene = Scene::set().await;
    scene.server.details_type(repository());
    let (server, alice) = (&scene.server, &scene.alice);
    server.detailed_token(alice, "notes:read", ACME);
    let all = server.write(|tx| Ok(PersonalToken::all_of(tx, alice.id)?));
    let detailed = all.iter().find(|token| token.name() == "detailed").unwrap();
    for letter in [
        Letter::Added(detailed),
        Letter::Leaked {
            token: detailed,
            url: None,
            note: None,
        },
        Letter::Approved {
            token: detailed,
            words: None,
        },
        Letter::Refused {
            token: detailed,
            words: "no",
        },
    ] {
        let (_, body) = scene.told(&letter);
        let lines = "  Scopes:  notes:read\n  Details: repository: read; identifier acme/site\n";
        assert!(body.contains(lines), "{body}");
    }
    let waits = Found {
        token: detailed.clone(),
        username: alice.username.clone(),
        owner_kind: UserKind::Person,
    };
    let (_, body) = scene.told(&Letter::Waiting {
        first: &[waits],
        count: 1,
    });
    let lines = "  notes:read\n  repository: read; identifier acme/site\n  for:";
    assert!(body.contains(lines), "{body}");
}

#[actix_web::test]
async fn tokens_end() {
    let scene = Scene::set().await;
    scene.server.clock.advance(seconds(83 * DAY + 1800));
    let token = scene.token();
    let (subject, body) = scene.told(&Letter::Expiring(std::slice::from_ref(&token)));
    assert_eq!(subject, "token 1 ends in 7 days");
    assert_eq!(
        middle(&body),
        "personal access tokens of yours at https://auth.example end soon or have ended.
What uses one of them needs another one by then.

  token 1 (jeton_pat_HINT...)
  ends in 7 days: Thu 15 Apr 2027, 08:00:00 UTC
  2 scopes, never used
  https://auth.example/settings/tokens/ID"
    );
    scene.server.clock.advance(seconds(7 * DAY));
    let mut used = token.clone();
    used.grant.last_used_at = Some(START);
    let (subject, body) = scene.told(&Letter::Expiring(&[token, used]));
    assert_eq!(subject, "2 personal access tokens end");
    assert!(middle(&body).ends_with(
        "
  token 1 (jeton_pat_HINT...)
  has ended: Thu 15 Apr 2027, 08:00:00 UTC
  2 scopes, never used
  https://auth.example/settings/tokens/ID

  token 1 (jeton_pat_HINT...)
  has ended: Thu 15 Apr 2027, 08:00:00 UTC
  2 scopes, last used Fri 15 Jan 2027, 08:00:00 UTC
  https://auth.example/settings/tokens/ID"
    ));
}

#[actix_web::test]
async fn a_token_was_approved_or_not() {
    let scene = Scene::set().await;
    let token = scene.token();
    let (subject, body) = scene.told(&Letter::Approved {
        token: &token,
        words: Some("for\nthis \u{202e}week"),
    });
    assert_eq!(subject, "token 1 is approved");
    assert_eq!(
        middle(&body),
        "an administrator has approved your personal access token. It works now.

  Name:    token 1
  Token:   jeton_pat_HINT...
  Scopes:  notes:read notes:write
  Ends:    Thu 15 Apr 2027, 08:00:00 UTC

They wrote:

  forthis week

Its page:
https://auth.example/settings/tokens/ID"
    );
    let (subject, body) = scene.told(&Letter::Refused {
        token: &token,
        words: "use the team's",
    });
    assert_eq!(subject, "token 1 is not approved");
    assert_eq!(
        middle(&body),
        "an administrator has not approved your personal access token. It has ended, and never worked.

  Name:    token 1
  Token:   jeton_pat_HINT...
  Scopes:  notes:read notes:write

They wrote:

  use the team's

You can ask for another one:
https://auth.example/settings/tokens/new"
    );
}

#[actix_web::test]
async fn a_token_leaked() {
    let scene = Scene::set().await;
    let token = scene.token();
    let (subject, body) = scene.told(&Letter::Leaked {
        token: &token,
        url: Some("https://git.example/alice/dotfiles"),
        note: Some("line 12"),
    });
    assert_eq!(subject, "token 1 was found in public and is revoked");
    let all = "your personal access token was found where others can read it. It is revoked, and works no more.

  Name:    token 1
  Token:   jeton_pat_HINT...
  Scopes:  notes:read notes:write
  Used:    never used

Whoever found it wrote this, which nobody has checked:

  Where:   https://git.example/alice/dotfiles

  Note:    line 12

Look at what was done with it, and make another one for what used it:
https://auth.example/settings/tokens/ID";
    assert_eq!(middle(&body), all);
    let (_, body) = scene.told(&Letter::Leaked {
        token: &token,
        url: None,
        note: None,
    });
    let (before, rest) = all.split_once("\n\nWhoever").unwrap();
    let (_, after) = rest.split_once("line 12").unwrap();
    assert_eq!(middle(&body), format!("{before}{after}"));
}

#[actix_web::test]
async fn a_token_was_used_from_a_new_network_or_after_it_was_replaced() {
    let scene = Scene::set().await;
    let token = scene.token();
    let (subject, body) = scene.told(&Letter::NewNetwork {
        token: &token,
        network: "203.0.113.0/24",
    });
    assert_eq!(subject, "token 1 was used from a new network");
    assert_eq!(
        middle(&body),
        "your personal access token was used from a network from which it had not been used before.

  Name:     token 1
  Token:    jeton_pat_HINT...
  Network:  203.0.113.0/24
  Noticed:  Fri 15 Jan 2027, 08:00:00 UTC

If you expected this, there is nothing to do.

Not you? Revoke it:
https://auth.example/settings/tokens/ID/revoke"
    );
    let (subject, body) = scene.told(&Letter::ReuseDetected(&token));
    assert_eq!(subject, "An old secret of token 1 was used");
    assert_eq!(
        middle(&body),
        "an old secret of your personal access token was used after it had been replaced. It was refused.

  Name:     token 1
  Token:    jeton_pat_HINT...
  Noticed:  Fri 15 Jan 2027, 08:00:00 UTC

Either something of yours still has the old secret, or somebody else has it. Look at where it is kept.

If you can't explain it, revoke the token:
https://auth.example/settings/tokens/ID/revoke"
    );
}

#[actix_web::test]
async fn a_token_was_rotated() {
    let scene = Scene::set().await;
    let token = scene.token();
    for (old_until, sentence) in [
        (
            Some(START + seconds(DAY)),
            "The old secret works until Sat 16 Jan 2027, 08:00:00 UTC at the latest.",
        ),
        (None, "The old secret works no more."),
    ] {
        let token = &token;
        let (subject, body) = scene.told(&Letter::Rotated { token, old_until });
        assert_eq!(subject, "token 1 has a new secret");
        assert_eq!(
            middle(&body),
            format!(
                "your personal access token has a new secret.

  Name:     token 1
  Token:    jeton_pat_HINT...
  Changed:  Fri 15 Jan 2027, 08:00:00 UTC

{sentence}

Not you? Revoke the token:
https://auth.example/settings/tokens/ID/revoke"
            )
        );
    }
}

/// Each mail is in the audit trail, by what it is about.
#[actix_web::test]
async fn every_letter_is_in_the_trail() {
    let scene = Scene::set().await;
    let token = scene.token();
    let grant = token.grant.id;
    let network = "a";
    let letters = [
        Letter::Expiring(std::slice::from_ref(&token)),
        Letter::Leaked {
            token: &token,
            url: None,
            note: None,
        },
        Letter::NewNetwork {
            token: &token,
            network,
        },
        Letter::ReuseDetected(&token),
        Letter::Rotated {
            token: &token,
            old_until: None,
        },
    ];
    for letter in &letters {
        // In one millisecond there is no order.
        scene.server.clock.advance(seconds(1));
        scene.told(letter);
    }
    let trail: Vec<Option<String>> = scene.server.write(|tx| {
        let events = audit_events::table
            .filter(audit_events::event.eq("mail.queued"))
            .filter(audit_events::grant_id.eq(grant))
            .order(audit_events::id)
            .select(audit_events::detail);
        Ok(events.load(&mut **tx)?)
    });
    let words: Vec<&str> = trail.iter().flatten().map(String::as_str).collect();
    assert_eq!(words[0], "token.added");
    assert_eq!(words[1..], letters.map(|letter| letter.word()));
}
