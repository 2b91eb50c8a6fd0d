//! A mail server: it speaks SMTP (RFC 5321), keeps what it is told, and is as unkind as a test wants it to be.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;
use jeton::db::schema::users;
use jeton::domain::user::User;
use mailparse::{MailHeaderMap, ParsedMail};
use native_tls::{Identity, TlsAcceptor, TlsStream};

use super::Server;

/// Whom our mails are from.
pub const MAIL_FROM: &str = "Jeton <jeton@auth.example>";

/// A mail server at 127.0.0.1. It goes when it is dropped.
pub struct MailServer {
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    manners: Mutex<Manners>,
    talks: Mutex<Vec<Talk>>,
    is_gone: Mutex<bool>,
}

/// How it answers. By default it takes everything.
#[derive(Default, Clone)]
struct Manners {
    /// What it says to a command instead of what it should. `.` stands for the end of a mail, `hello` for the beginning.
    answers: BTreeMap<String, String>,
    /// To what it says nothing at all.
    silent_at: Option<String>,
    /// Who may send mails, if not everybody.
    account: Option<(String, String)>,
    tls: Option<TlsAcceptor>,
    /// Whether it begins with TLS, and does not offer it.
    wraps: bool,
}

/// What was said to it in one connection.
#[derive(Debug, Default, Clone)]
pub struct Talk {
    /// Command lines as they came, without those of the sign-in.
    pub commands: Vec<String>,
    pub is_covered: bool,
    pub is_signed_in: bool,
    /// The content that came, whether it was taken or not.
    pub content: Vec<u8>,
    pub is_taken: bool,
}

impl Talk {
    fn read(&self) -> ParsedMail<'_> {
        mailparse::parse_mail(&self.content).expect("it is a mail")
    }

    /// A header as a mail program shows it. It has to be there once, or not at all.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut all = self.read().headers.get_all_values(name);
        assert!(all.len() <= 1, "{name}: {all:?}");
        all.pop()
    }

    /// The names of all headers, in their order.
    pub fn headers(&self) -> Vec<String> {
        let mail = self.read();
        mail.headers.iter().map(|header| header.get_key()).collect()
    }

    /// The text as a mail program shows it.
    pub fn text(&self) -> String {
        let text = self.read().get_body().expect("a text");
        text.replace("\r\n", "\n")
    }
}

impl MailServer {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let inner = Arc::new(Inner::default());
        let shared = inner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if *shared.is_gone.lock().unwrap() {
                    return;
                }
                let shared = shared.clone();
                // Who hangs up in the middle of a talk ends it.
                std::thread::spawn(move || drop(shared.talk(stream)));
            }
        });
        Self { address, inner }
    }

    /// One with TLS under the name `localhost`, whose certificate is in this folder as `crt`. It offers STARTTLS, or begins
    /// with TLS.
    pub fn with_tls(folder: &Path, wraps: bool) -> Self {
        let path = |name: &str| folder.join(name).display().to_string();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
            .args(["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-addext"])
            .args(["subjectAltName=DNS:localhost", "-keyout", &path("key")])
            .args(["-out", &path("crt")])
            .output()
            .expect("bin/postgres needs openssl too");
        assert!(made.status.success(), "{made:?}");
        let read = |name: &str| std::fs::read(folder.join(name)).expect("openssl wrote it");
        let identity = Identity::from_pkcs8(&read("crt"), &read("key")).expect("a key pair");
        let server = Self::start();
        server.change(|manners| {
            manners.tls = Some(TlsAcceptor::new(identity).expect("TLS can be had"));
            manners.wraps = wraps;
        });
        server
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The settings with which mails go here.
    pub fn settings(&self) -> [(String, String); 2] {
        [
            ("smtp_url".to_owned(), self.url()),
            ("mail_from".to_owned(), MAIL_FROM.to_owned()),
        ]
    }

    /// Say this to a command from now on.
    pub fn answer(&self, command: &str, answer: &str) {
        self.change(|manners| {
            manners
                .answers
                .insert(command.to_owned(), answer.to_owned());
        });
    }

    /// Say nothing more from this command on.
    pub fn fall_silent(&self, command: &str) {
        self.change(|manners| manners.silent_at = Some(command.to_owned()));
    }

    /// Let only this user send mails.
    pub fn demand(&self, user: &str, password: &str) {
        self.change(|manners| manners.account = Some((user.to_owned(), password.to_owned())));
    }

    /// Take everything again.
    pub fn be_kind(&self) {
        self.change(|manners| {
            manners.answers.clear();
            manners.silent_at = None;
        });
    }

    /// All that was said here, a talk each.
    pub fn talks(&self) -> Vec<Talk> {
        self.inner.talks.lock().unwrap().clone()
    }

    /// The mails that were taken, in their order.
    pub fn mails(&self) -> Vec<Talk> {
        let mut talks = self.talks();
        talks.retain(|talk| talk.is_taken);
        talks
    }

    /// The only mail that was taken.
    pub fn mail(&self) -> Talk {
        let mut mails = self.mails();
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }

    fn change(&self, change: impl FnOnce(&mut Manners)) {
        change(&mut self.inner.manners.lock().unwrap());
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        *self.inner.is_gone.lock().unwrap() = true;
        // Whoever waits for the next connection is to see that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

impl Server {
    /// A server that hands its mails to `mail`.
    pub async fn with_mail(mail: &MailServer, settings: &[(&str, &str)]) -> Self {
        let more = mail.settings();
        let mut all: Vec<(&str, &str)> = settings.to_vec();
        all.extend(more.iter().map(|(name, value)| (&**name, &**value)));
        Self::with(&all).await
    }

    /// A person with an account and an address.
    pub fn user_with_address(&self, name: &str) -> User {
        let user = self.user(name);
        self.set_address(&user, &format!("{name}@people.example"));
        user
    }

    pub fn set_address(&self, user: &User, address: &str) {
        self.write(|tx| {
            diesel::update(users::table.find(user.id))
                .set(users::email.eq(address))
                .execute(&mut **tx)?;
            Ok(())
        });
    }

    /// Try the mails that are due, as the server does every few seconds.
    pub async fn send_mails(&self) {
        let sent = jeton::jobs::send_mail::send(&self.app).await;
        sent.expect("the database answers");
    }
}

enum Stream {
    Plain(TcpStream),
    Covered(Box<TlsStream<TcpStream>>),
}

impl Stream {
    fn cover(self, tls: &TlsAcceptor) -> io::Result<Self> {
        let Stream::Plain(stream) = self else {
            panic!("it is covered already");
        };
        let covered = tls.accept(stream).map_err(io::Error::other)?;
        Ok(Stream::Covered(Box::new(covered)))
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        match self {
            Stream::Plain(stream) => stream.read_exact(&mut byte)?,
            Stream::Covered(stream) => stream.read_exact(&mut byte)?,
        }
        Ok(byte[0])
    }

    /// A line with its end. Not a byte more is read: TLS may begin after it.
    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = vec![];
        while !line.ends_with(b"\r\n") {
            line.push(self.byte()?);
        }
        Ok(line)
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        let line = format!("{line}\r\n");
        match self {
            Stream::Plain(stream) => stream.write_all(line.as_bytes()),
            Stream::Covered(stream) => stream.write_all(line.as_bytes()),
        }
    }
}

impl Inner {
    /// Note something of the talk of this number.
    fn note(&self, number: usize, change: impl FnOnce(&mut Talk)) {
        change(&mut self.talks.lock().unwrap()[number]);
    }

    fn talk(&self, stream: TcpStream) -> io::Result<()> {
        let number = {
            let mut talks = self.talks.lock().unwrap();
            talks.push(Talk::default());
            talks.len() - 1
        };
        let mut stream = Stream::Plain(stream);
        let manners = self.manners.lock().unwrap().clone();
        if let Some(tls) = manners.tls.as_ref().filter(|_| manners.wraps) {
            stream = stream.cover(tls)?;
            self.note(number, |talk| talk.is_covered = true);
        }
        self.answer(&mut stream, "hello", "220 mail.example ESMTP")?;
        loop {
            let line = String::from_utf8_lossy(&stream.line()?)
                .trim_end()
                .to_owned();
            let verb = line.split(' ').next().unwrap_or_default().to_uppercase();
            if verb != "AUTH" {
                self.note(number, |talk| talk.commands.push(line.clone()));
            }
            let (is_covered, is_signed_in) = {
                let talk = &self.talks.lock().unwrap()[number];
                (talk.is_covered, talk.is_signed_in)
            };
            match verb.as_str() {
                "EHLO" => {
                    let mut offers = vec!["250-mail.example"];
                    if manners.account.is_some() {
                        offers.push("250-AUTH PLAIN LOGIN");
                    }
                    if manners.tls.is_some() && !is_covered {
                        offers.push("250-STARTTLS");
                    }
                    offers.push("250 8BITMIME");
                    self.answer(&mut stream, "EHLO", &offers.join("\r\n"))?;
                }
                "STARTTLS" => {
                    stream.say("220 go on")?;
                    stream = stream.cover(manners.tls.as_ref().expect("it was offered"))?;
                    self.note(number, |talk| talk.is_covered = true);
                }
                "AUTH" => {
                    let is_right = manners.account.as_ref().is_some_and(|(user, password)| {
                        let right = STANDARD.encode(format!("\0{user}\0{password}"));
                        line == format!("AUTH PLAIN {right}")
                    });
                    self.note(number, |talk| talk.is_signed_in = is_right);
                    match is_right {
                        true => stream.say("235 welcome")?,
                        // There are servers that say it again.
                        false => stream.say(&format!("535 5.7.8 not known: {line}"))?,
                    }
                }
                "MAIL" if manners.account.is_some() && !is_signed_in => {
                    stream.say("530 5.7.0 who are you?")?;
                }
                "DATA" => {
                    if self.answer(&mut stream, "DATA", "354 go on")? {
                        let content = content(&mut stream)?;
                        self.note(number, |talk| talk.content = content);
                        // Before the other side knows: a test asks as soon as that one does.
                        let is_taken = self.is_usual(".");
                        self.note(number, |talk| talk.is_taken = is_taken);
                        self.answer(&mut stream, ".", "250 taken")?;
                    }
                }
                "QUIT" => return self.answer(&mut stream, "QUIT", "221 bye").map(drop),
                verb => {
                    self.answer(&mut stream, verb, "250 well")?;
                }
            }
        }
    }

    /// Whether a command gets its usual answer.
    fn is_usual(&self, command: &str) -> bool {
        let manners = self.manners.lock().unwrap();
        manners.silent_at.as_deref() != Some(command) && !manners.answers.contains_key(command)
    }

    /// Say what is to be said to a command; whether that is the usual. One who is silent waits for the other to hang up.
    fn answer(&self, stream: &mut Stream, command: &str, usual: &str) -> io::Result<bool> {
        let manners = self.manners.lock().unwrap().clone();
        if manners.silent_at.as_deref() == Some(command) {
            loop {
                stream.byte()?;
            }
        }
        let other = manners.answers.get(command);
        stream.say(other.map_or(usual, |other| other))?;
        Ok(other.is_none())
    }
}

/// A mail's content, up to the line that is only a dot.
fn content(stream: &mut Stream) -> io::Result<Vec<u8>> {
    let mut content = vec![];
    loop {
        match stream.line()?.as_slice() {
            b".\r\n" => return Ok(content),
            [b'.', rest @ ..] => content.extend_from_slice(rest),
            line => content.extend_from_slice(line),
        }
    }
}
