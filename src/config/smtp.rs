//! The mail server, as its URL says it.

use std::net::IpAddr;
use std::str::FromStr;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::{SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// How what is said to a mail server is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// Not at all: it stays on this machine.
    None,
    /// By STARTTLS, without which nothing is said (RFC 3207).
    StartTls,
    /// By TLS from the first byte on (RFC 8314 §3.3).
    Tls,
}

/// A mail server, and how to talk to it. It prints no credentials.
#[derive(Debug, Clone)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub cover: Cover,
    pub credentials: Option<Credentials>,
}

impl FromStr for Smtp {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|_| "not a URL, such as smtps://mail.example")?;
        let host = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => return Err("it names no host".to_owned()),
        };
        let is_asked_for = match url.query() {
            None => false,
            Some("tls=required") => true,
            Some(_) => return Err("it has a query other than tls=required".to_owned()),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err("it has a path or a fragment".to_owned());
        }
        let (cover, usual_port) = match url.scheme() {
            "smtps" => (Cover::Tls, SUBMISSIONS_PORT),
            "smtp" if is_here(&host) && !is_asked_for => (Cover::None, SMTP_PORT),
            "smtp" => (Cover::StartTls, SUBMISSION_PORT),
            _ => return Err("it begins with smtps:// or smtp://".to_owned()),
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(usual_port),
            cover,
            credentials: credentials(&url)?,
        })
    }
}

/// Whether what is said to this host stays on this machine.
fn is_here(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn credentials(url: &Url) -> Result<Option<Credentials>, String> {
    let text = |part: &str| {
        let decoded = percent_decode_str(part).decode_utf8();
        decoded
            .map(|text| text.into_owned())
            .map_err(|_| "user name and password are not UTF-8".to_owned())
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", _) | (_, None) => Err("a user name needs a password".to_owned()),
        (user, Some(password)) => Ok(Some(Credentials::new(text(user)?, text(password)?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> (String, u16, Cover) {
        let smtp: Smtp = url.parse().expect(url);
        (smtp.host, smtp.port, smtp.cover)
    }

    #[test]
    fn what_leaves_the_machine_is_covered() {
        let mail = "mail.example".to_owned();
        assert_eq!(
            read("smtps://mail.example"),
            (mail.clone(), 465, Cover::Tls)
        );
        assert_eq!(
            read("smtp://mail.example"),
            (mail.clone(), 587, Cover::StartTls)
        );
        assert_eq!(read("smtp://mail.example:25"), (mail, 25, Cover::StartTls));
        for (here, host) in [
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "::1"),
        ] {
            let url = format!("smtp://{here}");
            assert_eq!(read(&url), (host.to_owned(), 25, Cover::None));
            let covered = (host.to_owned(), 587, Cover::StartTls);
            assert_eq!(read(&format!("{url}?tls=required")), covered);
        }
    }

    #[test]
    fn credentials_are_read_and_not_printed() {
        let smtp: Smtp = "smtps://j%40x:pass%2Fword@mail.example".parse().unwrap();
        let meant = Credentials::new("j@x".into(), "pass/word".into());
        assert_eq!(smtp.credentials, Some(meant));
        let printed = format!("{smtp:?}");
        assert!(
            !printed.contains("j@x") && !printed.contains("word"),
            "{printed}"
        );
    }
}
