//! Every setting: what it is called, what it means, what it is unless set, and the check it has to pass.
//!
//! A setting `some_key` is read from the environment as `JETON_SOME_KEY`, else from the TOML file that `--config` or
//! `JETON_CONFIG` names, else it has its default.

mod parse;
mod settings;
pub mod smtp;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use lettre::message::Mailbox;
use url::Url;

pub use settings::{SETTINGS, Setting};
use smtp::Smtp;

use crate::db::Location;
use crate::domain::policy::{Lifetimes, PersonalTokenPolicy, Policy};
use crate::domain::secret::Brands;

/// Where a document is to be had that somebody else publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    File(PathBuf),
    Url(Url),
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub database: Location,
    /// Connections of each purpose, reading and writing.
    pub database_connections: u32,
    pub listen: SocketAddr,
    /// Where Prometheus may ask, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// The base URL of the collector of traces, if there is one.
    pub otlp_endpoint: Option<String>,
    /// The issuer identifier (RFC 8414 §2), without a final slash. `None` until the address is known.
    issuer: Option<String>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Threads that hash passwords; everything else never waits for them.
    pub password_threads: usize,
    /// How long requests are still answered after the server was told to stop.
    pub stop_delay: Duration,
    pub log: String,
    pub log_format: LogFormat,
    /// The mail server that takes our mails, if there is one.
    pub smtp: Option<Smtp>,
    /// Whom our mails are from.
    pub mail_from: Option<Mailbox>,
    /// The keys of GitHub's secret scanning. Without them nobody is believed to be it.
    pub github_keys: Option<Source>,
    pub policy: Policy,
}

/// A setting that can't be used, named.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Misconfigured {
    // The value is not repeated: a database URL has a password in it.
    #[error("the setting {name} (from {source_name}) can't be used: {problem}")]
    Value {
        name: &'static str,
        source_name: String,
        problem: String,
    },
    #[error("the file {0} can't be read: {1}")]
    File(String, String),
    #[error("the file {file} has a setting {name:?}, which there is not")]
    Unknown { file: String, name: String },
}

impl Default for Config {
    fn default() -> Self {
        let mut config = Config {
            database: Location::Sqlite("jeton.db".into()),
            database_connections: 1,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics_listen: None,
            otlp_endpoint: None,
            issuer: None,
            trusted_proxies: vec![],
            password_threads: 1,
            stop_delay: Duration::ZERO,
            log: String::new(),
            log_format: LogFormat::Text,
            smtp: None,
            mail_from: None,
            github_keys: None,
            policy: Policy {
                issuer: String::new(),
                brands: Brands::new(vec!["jeton".into()]).expect("jeton is a brand"),
                lifetimes: Lifetimes::default(),
                personal: PersonalTokenPolicy::default(),
                mails: false,
            },
        };
        for setting in SETTINGS {
            (setting.take)(&mut config, setting.default).expect("every default is a good value");
        }
        config
    }
}

impl Config {
    /// Read the settings of this process: its environment, and this file if there is one.
    pub fn load(path: Option<&str>) -> Result<Self, Misconfigured> {
        let file = match path {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| Misconfigured::File(path.to_owned(), error.to_string()))?;
                Some((path.to_owned(), text))
            }
            None => None,
        };
        Self::read(file, |variable| std::env::var(variable).ok())
    }

    /// Read the settings from a file's name and text, and an environment that overrules it.
    pub fn read(
        file: Option<(String, String)>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Misconfigured> {
        let mut in_file = match &file {
            Some((path, text)) => table(path, text)?,
            None => BTreeMap::new(),
        };
        let mut config = Config::default();
        for setting in SETTINGS {
            let from_file = in_file.remove(setting.name);
            let variable = setting.variable();
            let (source_name, value) = match (environment(&variable), from_file) {
                (Some(value), _) => (variable, value),
                (None, Some(value)) => (
                    file.as_ref()
                        .map(|(path, _)| path.clone())
                        .unwrap_or_default(),
                    value,
                ),
                (None, None) => continue,
            };
            (setting.take)(&mut config, value.trim()).map_err(|problem| Misconfigured::Value {
                name: setting.name,
                source_name,
                problem,
            })?;
        }
        match (file, in_file.into_keys().next()) {
            (Some((file, _)), Some(name)) => Err(Misconfigured::Unknown { file, name }),
            _ => Ok(config),
        }
    }

    /// The issuer identifier: what is set, else the address listened on, as this machine itself reaches it.
    pub fn issuer(&self) -> String {
        let mut reached = self.listen;
        if reached.ip().is_unspecified() {
            reached.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        self.issuer
            .clone()
            .unwrap_or_else(|| format!("http://{reached}"))
    }

    /// Where mails go and whom they are from, if both are set.
    pub fn mail(&self) -> Option<(&Smtp, &Mailbox)> {
        self.smtp.as_ref().zip(self.mail_from.as_ref())
    }

    /// The same settings on this address, for when the port was chosen by the system.
    pub fn listening_on(self, listen: SocketAddr) -> Self {
        Self { listen, ..self }
    }
}

fn table(path: &str, text: &str) -> Result<BTreeMap<String, String>, Misconfigured> {
    let broken = |problem: String| Misconfigured::File(path.to_owned(), problem);
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| broken(error.to_string()))?;
    let as_text = |value: toml::Value| match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(yes) => Some(yes.to_string()),
        _ => None,
    };
    let flat = table.into_iter().map(|(key, value)| {
        let text = match value {
            toml::Value::Array(items) => {
                let items: Option<Vec<String>> = items.into_iter().map(as_text).collect();
                items.map(|items| items.join(","))
            }
            other => as_text(other),
        };
        let text = text
            .ok_or_else(|| broken(format!("{key} is not a text, number, truth value or list")))?;
        Ok((key, text))
    });
    flat.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(text: &str) -> Result<Config, Misconfigured> {
        Config::read(Some(("jeton.toml".into(), text.into())), |_| None)
    }

    #[test]
    fn the_environment_overrules_the_file_and_the_file_the_default() {
        let file = Some((
            "jeton.toml".into(),
            "access_token_ttl = '2h'\nstep_up = '5m'".into(),
        ));
        let config = Config::read(file, |variable| {
            (variable == "JETON_STEP_UP").then(|| "1m".to_owned())
        });
        let lifetimes = config.unwrap().policy.lifetimes;
        assert_eq!(lifetimes.access_token, Duration::from_secs(7200));
        assert_eq!(lifetimes.step_up, Duration::from_secs(60));
        assert_eq!(lifetimes.refresh_grace, Duration::from_secs(30));
    }

    #[test]
    fn a_bad_value_is_refused_by_name() {
        for (setting, value) in [
            ("database_url", "mysql://x"),
            ("listen", "8080"),
            ("metrics_listen", "9090"),
            ("otlp_endpoint", "collector:4318"),
            ("otlp_endpoint", "http://user:word@collector"),
            ("otlp_endpoint", "http://collector/?key=word"),
            ("issuer", "jeton.example"),
            ("issuer", "https://jeton.example/?x"),
            ("issuer", "https://jeton.example/auth"),
            ("issuer", "HTTPS://Jeton.example"),
            ("trusted_proxies", "10.0.0.0/99"),
            ("brands", "J"),
            ("foreign_tokens", "a b"),
            ("access_token_ttl", "1 hour"),
            ("authorization_code_ttl", "11m"),
            ("pat_creators", "nobody"),
            ("pat_overlap", "8d"),
            ("pat_drain", "soon"),
            ("pat_on_reuse", "panic"),
            ("pat_may_never_expire", "perhaps"),
            ("password_threads", "0"),
            ("log", "a=b=c"),
            ("log_format", "xml"),
            ("smtp_url", "mail.example:25"),
            ("smtp_url", "https://mail.example"),
            ("smtp_url", "smtp://"),
            ("smtp_url", "smtps://user@mail.example"),
            ("smtp_url", "smtp://mail.example/path"),
            ("smtp_url", "smtp://mail.example?tls=no"),
            ("mail_from", "jeton"),
            ("github_secret_scanning_keys", "http://api.example/keys"),
            ("github_secret_scanning_keys", "ftp://api.example/keys"),
        ] {
            let error = from_file(&format!("{setting} = \"{value}\"")).unwrap_err();
            assert!(error.to_string().contains(setting), "{setting}: {error}");
        }
    }

    #[test]
    fn a_setting_that_there_is_not_is_refused_by_name() {
        let error = from_file("acess_token_ttl = '1h'").unwrap_err();
        assert!(error.to_string().contains("acess_token_ttl"), "{error}");
    }

    #[test]
    fn a_list_in_the_file_is_a_list_of_texts() {
        let config = from_file("trusted_proxies = ['10.0.0.0/8', '::1']").unwrap();
        assert_eq!(config.trusted_proxies.len(), 2);
    }
}
