//! What tests are made of: a server, people at browsers, apps, resource servers.

mod app;
mod authorization;
mod browser;
mod collector;
mod database;
mod details;
mod exposition;
mod forward;
mod github;
mod leftovers;
mod log;
mod mail_server;
mod postgres;
mod process;
mod proxy;
mod refusal;
mod resource_server;
mod script;
mod server;
mod steps;
pub mod tables;
mod traffic;
mod trail;
mod wire;

pub use app::tokens;
pub use app::{App, AppOptions, CodeFlow, Tokens};
pub use browser::{Browser, Page};
pub use collector::Collector;
pub use database::{TestDatabase, postgres};
pub use details::{ACME, repository};
pub use exposition::{Exposition, Watch};
pub use forward::{challenges, policy};
pub use github::{FINDINGS, GithubKey, KEYS, github_keys, send_findings};
pub use leftovers::{leave_expired, leave_personal};
pub use log::Log;
pub use mail_server::{MAIL_FROM, MailServer};
pub use postgres::Postgres;
pub use process::{Jeton, Running};
pub use proxy::{Kind, Proxy};
pub use refusal::refused;
pub use resource_server::ResourceServer;
pub use script::{MINE, Script};
pub use server::{PASSWORD, START, Server, client, json};
pub use steps::Steps;
pub use traffic::{BUSY, Traffic, chance, until};
pub use trail::{Entry, trail};
pub use wire::Wire;

/// How many rows a table has.
macro_rules! count {
    ($server:expr, $table:ident) => {
        $server
            .app
            .read_blocking(|rx| {
                let count = $table::table.count().get_result::<i64>(&mut **rx);
                Ok::<_, jeton::db::Fault>(count?)
            })
            .expect("rows can be counted")
    };
}
pub(crate) use count;

/// Seconds, for moving the clock.
pub fn seconds(count: u64) -> std::time::Duration {
    std::time::Duration::from_secs(count)
}

/// The value of a named `<input>` in a page, as a person's browser would send it.
pub fn input(html: &str, name: &str) -> Option<String> {
    let tag = html
        .split("<input")
        .find(|tag| tag.contains(&format!("name=\"{name}\"")))?;
    let tag = &tag[..tag.find('>')?];
    let value = tag.split("value=\"").nth(1)?;
    Some(unescaped(&value[..value.find('"')?]))
}

/// The values of all the inputs of a form that have this name.
pub fn inputs(html: &str, name: &str) -> Vec<String> {
    let tags = html.split("<input").skip(1);
    tags.filter_map(|tag| input(&format!("<input{tag}"), name))
        .collect()
}

/// An attribute's text: a browser reads the page's escapes.
fn unescaped(text: &str) -> String {
    [
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (escape, letter)| {
        text.replace(escape, letter)
    })
}

/// The query parameters of a URL.
pub fn query(url: &str) -> std::collections::BTreeMap<String, String> {
    url::Url::parse(url)
        .expect("a redirect goes to a URL")
        .query_pairs()
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// The `Authorization` header of a client with a secret.
pub fn basic(id: &str, secret: &str) -> String {
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
    format!("Basic {pair}")
}
