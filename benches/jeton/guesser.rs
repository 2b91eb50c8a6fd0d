//! Somebody who guesses passwords, on a few connections, as fast as they are answered.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use crate::Result;
use crate::http::{self, client};

/// How many guess at a time.
pub const CONNECTIONS: usize = 16;

/// From where the guesses come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// Each from an address and at a name of its own, so that no brake holds it: every one costs a password hash.
    Everywhere,
    /// All from one address, which is braked after a few.
    OneAddress,
}

/// How often each status was answered.
pub type Statuses = BTreeMap<u16, usize>;

pub struct Guesser {
    from: From,
    pub answered: RefCell<Statuses>,
}

/// A guesser at work.
pub struct AtWork {
    enough: Arc<AtomicBool>,
    thread: JoinHandle<std::result::Result<Statuses, String>>,
}

impl Guesser {
    pub fn new(from: From) -> Self {
        Self {
            from,
            answered: RefCell::default(),
        }
    }

    pub fn start(&self, url: String) -> AtWork {
        let enough = Arc::new(AtomicBool::new(false));
        let (from, over) = (self.from, Arc::clone(&enough));
        let thread = std::thread::spawn(move || {
            http::wait(guess(from, &url, &over)).map_err(|error| error.to_string())
        });
        AtWork { enough, thread }
    }

    pub fn stop(&self, at_work: AtWork) -> Result<()> {
        at_work.enough.store(true, Ordering::Relaxed);
        let answered = at_work
            .thread
            .join()
            .map_err(|_| "the guesser panicked")??;
        for (status, count) in answered {
            *self.answered.borrow_mut().entry(status).or_default() += count;
        }
        Ok(())
    }
}

async fn guess(from: From, url: &str, enough: &AtomicBool) -> Result<Statuses> {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    let one = async || -> Result<Statuses> {
        let client = client()?;
        let form = http::answer(client.get(url)).await?;
        let cookie = form.headers.iter().find(|(name, _)| name == "set-cookie");
        let cookie = cookie.and_then(|(_, value)| value.split(';').next());
        let cookie = cookie.ok_or("the form came without a cookie")?;
        let (_, csrf) = form
            .body
            .split_once("name=\"csrf\" value=\"")
            .ok_or("no form")?;
        let csrf = csrf.split('"').next().unwrap_or_default();
        let mut answered = Statuses::new();
        while !enough.load(Ordering::Relaxed) {
            let number = NAMES.fetch_add(1, Ordering::Relaxed);
            let (name, address) = match from {
                From::Everywhere => (format!("person{number}"), number),
                From::OneAddress => ("person0".to_owned(), 0),
            };
            let [_, a, b, c] = (address as u32).to_be_bytes();
            let body = format!("csrf={csrf}&next=&username={name}&password=not-this-one");
            let guess = client
                .post(url)
                .header("Cookie", cookie)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .header("X-Forwarded-For", format!("10.{a}.{b}.{c}"))
                .body(body);
            let answer = http::answer(guess).await?;
            *answered.entry(answer.status).or_default() += 1;
        }
        Ok(answered)
    };
    let mut all = Statuses::new();
    for answered in futures_util::future::join_all((0..CONNECTIONS).map(|_| one())).await {
        for (status, count) in answered? {
            *all.entry(status).or_default() += count;
        }
    }
    Ok(all)
}
