//! The table of settings: what each is called, what it is unless set, what it means, and the check it has to pass.

use std::time::Duration;

use super::parse::{address, collector, count, duration, issuer, list, network, set, source};
use super::{Config, LogFormat};
use crate::clock::parse_duration;
use crate::domain::foreign::Foreign;
use crate::domain::personal_token::LONGEST_OVERLAP;
use crate::domain::policy::{Creators, OnReuse};
use crate::domain::secret::Brands;

/// One setting.
pub struct Setting {
    pub name: &'static str,
    pub default: &'static str,
    pub meaning: &'static str,
    pub(super) take: fn(&mut Config, &str) -> Result<(), String>,
}

/// The settings, in the order the README lists them.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "database_url",
        default: "sqlite://jeton.db",
        meaning: "Where the data lives: `sqlite://path` or `postgres://…` (with libpq's parameters, such as `sslmode=verify-full`).",
        take: |config, value| {
            config.database = value.parse()?;
            Ok(())
        },
    },
    Setting {
        name: "listen",
        default: "127.0.0.1:8080",
        meaning: "The address and port to listen on.",
        take: |config, value| {
            config.listen = address(value)?;
            Ok(())
        },
    },
    Setting {
        name: "issuer",
        default: "",
        meaning: "The URL under which people and apps reach this server. Unless set, `http://` and the address listened on.",
        take: |config, value| {
            config.issuer = issuer(value)?;
            Ok(())
        },
    },
    Setting {
        name: "trusted_proxies",
        default: "",
        meaning: "Networks of proxies whose `X-Forwarded-For` is believed, with commas between them: `10.0.0.0/8, ::1/128`.",
        take: |config, value| {
            config.trusted_proxies = list(value).map(network).collect::<Result<_, _>>()?;
            Ok(())
        },
    },
    Setting {
        name: "brands",
        default: "jeton",
        meaning: "What tokens begin with, 2 to 9 small letters or digits. New ones get the first; all are accepted.",
        take: |config, value| {
            config.policy.brands = Brands::new(list(value).map(str::to_owned).collect())?;
            Ok(())
        },
    },
    Setting {
        name: "foreign_tokens",
        default: "",
        meaning: "Formats of tokens imported from other systems, with commas between them: what they begin with (`pat_`), `|` for an id, a bar and the secret (Laravel Sanctum), or `*` for anything.",
        take: |config, value| {
            let foreign = list(value).map(Foreign::parse).collect::<Result<_, _>>()?;
            config.policy.brands = config.policy.brands.clone().with_foreign(foreign);
            Ok(())
        },
    },
    Setting {
        name: "access_token_ttl",
        default: "1h",
        meaning: "How long access tokens live, unless their client has a time of its own.",
        take: |config, value| set(&mut config.policy.lifetimes.access_token, value),
    },
    Setting {
        name: "refresh_token_ttl",
        default: "30d",
        meaning: "How long a refresh token lives unused.",
        take: |config, value| set(&mut config.policy.lifetimes.refresh_token, value),
    },
    Setting {
        name: "refresh_grace",
        default: "30s",
        meaning: "How long a rotated refresh token still gets its successor again, so that a lost answer or a race ends well.",
        take: |config, value| set(&mut config.policy.lifetimes.refresh_grace, value),
    },
    Setting {
        name: "authorization_code_ttl",
        default: "60s",
        meaning: "How long an authorization code can be redeemed (at most 10m).",
        take: |config, value| {
            set(&mut config.policy.lifetimes.authorization_code, value)?;
            let too_long = config.policy.lifetimes.authorization_code > Duration::from_secs(600);
            if too_long {
                Err("at most 10m (RFC 6749 §4.1.2)".into())
            } else {
                Ok(())
            }
        },
    },
    Setting {
        name: "session_ttl",
        default: "14d",
        meaning: "How long somebody stays signed in.",
        take: |config, value| set(&mut config.policy.lifetimes.session, value),
    },
    Setting {
        name: "step_up",
        default: "10m",
        meaning: "How long after entering the password a person may make tokens without entering it again.",
        take: |config, value| set(&mut config.policy.lifetimes.step_up, value),
    },
    Setting {
        name: "secret_overlap",
        default: "1d",
        meaning: "How long a client's old secret goes on working after `rotate-secret`.",
        take: |config, value| set(&mut config.policy.lifetimes.secret_overlap, value),
    },
    Setting {
        name: "pat_max_life",
        default: "none",
        meaning: "The longest life a personal access token may be given, or `none` for no limit.",
        take: |config, value| {
            let none = value == "none";
            config.policy.personal.max_life = if none { None } else { Some(duration(value)?) };
            Ok(())
        },
    },
    Setting {
        name: "pat_default_life",
        default: "90d",
        meaning: "The life that is preselected for a personal access token, and given where none is named.",
        take: |config, value| set(&mut config.policy.personal.default_life, value),
    },
    Setting {
        name: "pat_may_never_expire",
        default: "true",
        meaning: "Whether a personal access token may have no end.",
        take: |config, value| {
            config.policy.personal.may_never_expire =
                value.parse().map_err(|_| "neither true nor false")?;
            Ok(())
        },
    },
    Setting {
        name: "pat_per_user",
        default: "100",
        meaning: "How many live personal access tokens one account may have.",
        take: |config, value| {
            config.policy.personal.per_user = value.parse().map_err(|_| "not a number")?;
            Ok(())
        },
    },
    Setting {
        name: "pat_creators",
        default: "everyone",
        meaning: "Who may make personal access tokens: `everyone` or `administrators`.",
        take: |config, value| {
            config.policy.personal.creators = match value {
                "everyone" => Creators::Everyone,
                "administrators" => Creators::Administrators,
                _ => return Err("neither everyone nor administrators".into()),
            };
            Ok(())
        },
    },
    Setting {
        name: "pat_overlap",
        default: "24h",
        meaning: "How long a rotated personal access token goes on working, if its successor is not used sooner (at most 7d).",
        take: |config, value| {
            let overlap = duration(value)?;
            if overlap > LONGEST_OVERLAP {
                return Err("at most 7d".into());
            }
            config.policy.personal.overlap = overlap;
            Ok(())
        },
    },
    Setting {
        name: "pat_drain",
        default: "15m",
        meaning: "How long it still works once its successor was used, so that every machine can switch.",
        take: |config, value| {
            config.policy.personal.drain =
                parse_duration(value).ok_or("not a length of time, such as 0s or 15m")?;
            Ok(())
        },
    },
    Setting {
        name: "pat_on_reuse",
        default: "report",
        meaning: "What happens when a token is used after that: `report` refuses and records it, `revoke` ends its successor too.",
        take: |config, value| {
            config.policy.personal.on_reuse = match value {
                "report" => OnReuse::Report,
                "revoke" => OnReuse::Revoke,
                _ => return Err("neither report nor revoke".into()),
            };
            Ok(())
        },
    },
    Setting {
        name: "database_connections",
        default: "4",
        meaning: "How many connections to read with, and on PostgreSQL as many again to write. Looking tokens up has its own, one a core on SQLite and two on PostgreSQL.",
        take: |config, value| {
            config.database_connections = count(value)?;
            Ok(())
        },
    },
    Setting {
        name: "password_threads",
        default: "2",
        meaning: "How many passwords are hashed at a time (each takes about 20 ms of a core and 19 MiB).",
        take: |config, value| {
            config.password_threads = count(value)? as usize;
            Ok(())
        },
    },
    Setting {
        name: "metrics_listen",
        default: "",
        meaning: "The address and port at which Prometheus finds `/metrics`, such as `127.0.0.1:9090`. Unless set, nowhere.",
        take: |config, value| {
            config.metrics_listen = match value {
                "" => None,
                value => Some(address(value)?),
            };
            Ok(())
        },
    },
    Setting {
        name: "otlp_endpoint",
        default: "",
        meaning: "The OpenTelemetry collector to send traces to by OTLP over HTTP, such as `http://127.0.0.1:4318`. Unless set, none.",
        take: |config, value| {
            config.otlp_endpoint = collector(value)?;
            Ok(())
        },
    },
    Setting {
        name: "stop_delay",
        default: "2s",
        meaning: "How long requests are still answered after `SIGTERM` while `/readyz` says 503: time for a load balancer to send them elsewhere, or `0s`.",
        take: |config, value| {
            config.stop_delay =
                parse_duration(value).ok_or("not a length of time, such as 0s or 5s")?;
            Ok(())
        },
    },
    Setting {
        name: "log",
        default: "info",
        meaning: "What is logged: `error`, `warn`, `info`, `debug`, or a filter such as `jeton=debug,actix=warn`.",
        take: |config, value| {
            value
                .parse::<tracing_subscriber::EnvFilter>()
                .map_err(|error| error.to_string())?;
            config.log = value.to_owned();
            Ok(())
        },
    },
    Setting {
        name: "log_format",
        default: "text",
        meaning: "How it is logged: `text` or `json`, to standard error.",
        take: |config, value| {
            config.log_format = match value {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return Err("neither text nor json".into()),
            };
            Ok(())
        },
    },
    Setting {
        name: "audit_retention",
        default: "400d",
        meaning: "How long the audit trail keeps an event, by whole days, or `none` for ever.",
        take: |config, value| {
            let none = value == "none";
            config.policy.lifetimes.audit = if none { None } else { Some(duration(value)?) };
            Ok(())
        },
    },
    Setting {
        name: "smtp_url",
        default: "",
        meaning: "The mail server to hand mails to: `smtps://user:password@host:465` (TLS), `smtp://user:password@host:587` (STARTTLS) or `smtp://localhost:25` (neither, on this machine alone). Unless set, and `mail_from` with it, no mail is sent.",
        take: |config, value| {
            config.smtp = match value {
                "" => None,
                value => Some(value.parse()?),
            };
            Ok(())
        },
    },
    Setting {
        name: "mail_from",
        default: "",
        meaning: "Whom mails are from, such as `Jeton <jeton@auth.example>`.",
        take: |config, value| {
            config.mail_from = match value {
                "" => None,
                value => Some(value.parse().map_err(|_| "not an e-mail address")?),
            };
            Ok(())
        },
    },
    Setting {
        name: "github_secret_scanning_keys",
        default: "",
        meaning: "GitHub's keys for `POST /api/secret-scanning/github`: a file, or the URL `https://api.github.com/meta/public_keys/secret_scanning`. Unless set, there is no such endpoint.",
        take: |config, value| {
            config.github_keys = source(value)?;
            Ok(())
        },
    },
];

impl Setting {
    /// Its name in the environment.
    pub fn variable(&self) -> String {
        format!("JETON_{}", self.name.to_ascii_uppercase())
    }
}
