//! How values of settings are written.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::Source;
use crate::clock::parse_duration;

pub(super) fn list(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

/// A network, or a single address.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse()
        .ok()
        .or_else(address)
        .ok_or_else(|| format!("{text} is not a network"))
}

pub(super) fn address(value: &str) -> Result<SocketAddr, String> {
    value
        .parse()
        .map_err(|_| "not an address and port, such as 0.0.0.0:8080".to_owned())
}

pub(super) fn duration(value: &str) -> Result<Duration, String> {
    let positive = parse_duration(value).filter(|duration| !duration.is_zero());
    positive.ok_or_else(|| "not a length of time, such as 30s, 15m, 12h or 90d".to_owned())
}

pub(super) fn set(place: &mut Duration, value: &str) -> Result<(), String> {
    *place = duration(value)?;
    Ok(())
}

pub(super) fn count(value: &str) -> Result<u32, String> {
    let number = value.parse().map_err(|_| "not a number".to_owned())?;
    if (1..=512).contains(&number) {
        Ok(number)
    } else {
        Err("from 1 to 512".to_owned())
    }
}

pub(super) fn issuer(value: &str) -> Result<Option<String>, String> {
    if value.is_empty() {
        return Ok(None);
    }
    let url = base_url("an issuer (RFC 8414 §2)", value)?;
    if url.path() != "/" {
        return Err(
            "an issuer with a path is not supported; give this server a host name of its own"
                .into(),
        );
    }
    let written = value.trim_end_matches('/');
    if written != url.as_str().trim_end_matches('/') {
        return Err(format!(
            "write it as {}",
            url.as_str().trim_end_matches('/')
        ));
    }
    Ok(Some(written.to_owned()))
}

pub(super) fn collector(value: &str) -> Result<Option<String>, String> {
    if value.is_empty() {
        return Ok(None);
    }
    base_url("a collector's address", value)?;
    Ok(Some(value.to_owned()))
}

/// A file, or a URL where nobody on the way can change what is read.
pub(super) fn source(value: &str) -> Result<Option<Source>, String> {
    if value.is_empty() {
        return Ok(None);
    }
    if !value.contains("://") {
        return Ok(Some(Source::File(value.into())));
    }
    let url = Url::parse(value).map_err(|_| "neither a file nor a URL")?;
    let is_here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(Some(Source::Url(url))),
        "http" if is_here => Ok(Some(Source::Url(url))),
        _ => Err("a file, or an https URL".into()),
    }
}

/// An http or https URL of nothing but host, port and path; `what` it is to be is said where it is not.
fn base_url(what: &str, value: &str) -> Result<Url, String> {
    let url = Url::parse(value).map_err(|_| "not an absolute URL")?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(format!("{what} is an http or https URL"));
    }
    let is_bare = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !is_bare {
        return Err(format!("{what} has no query, fragment or user name"));
    }
    Ok(url)
}
