//! One mail and one talk with the mail server (RFC 5321).

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, SinglePart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use tokio::time::timeout;
use url::{Host, Url};

use crate::app::App;
use crate::config::smtp::{Cover, Smtp};
use crate::domain::mail::{Mail, Tried};
use crate::domain::plain::plain;

/// How long handing over one mail may take: less than its first pause, so that no other node tries it meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it is waited for the mail server's goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// More of what a mail server says is not kept.
const WORDS_MAX: usize = 200;

/// The way to the mail server.
pub struct Post<'a> {
    smtp: &'a Smtp,
    from: &'a Mailbox,
    /// Our own name.
    hello: ClientId,
}

impl<'a> Post<'a> {
    /// As the settings say, if they do.
    pub fn of(app: &'a App) -> Option<Self> {
        let (smtp, from) = app.config().mail()?;
        let issuer = Url::parse(app.issuer()).ok()?;
        let hello = match issuer.host()? {
            Host::Domain(name) => ClientId::Domain(name.to_owned()),
            Host::Ipv4(address) => ClientId::Ipv4(address),
            Host::Ipv6(address) => ClientId::Ipv6(address),
        };
        Some(Self { smtp, from, hello })
    }

    /// Hand a mail over, in bounded time.
    pub async fn hand_over(&self, mail: &Mail) -> Tried {
        let Ok(to) = mail.recipient.parse::<Address>() else {
            return Tried::Refused("the address is no e-mail address".to_owned());
        };
        let Some(message) = self.message(mail, &to) else {
            return Tried::Refused("it can't be written as a message".to_owned());
        };
        match timeout(PATIENCE, self.talk(to, &message)).await {
            Ok(Ok(mut server)) => {
                // It has the mail, whatever becomes of the goodbye.
                let _ = timeout(GOODBYE, server.quit()).await;
                Tried::Sent
            }
            Ok(Err(tried)) => tried,
            Err(_) => Tried::NoServer("the mail server took too long".to_owned()),
        }
    }

    /// The mail as it is sent (RFC 5322), the same each time. Nobody's vacation is to answer it (RFC 3834 §5).
    fn message(&self, mail: &Mail, to: &Address) -> Option<Vec<u8>> {
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let since_1970 = Duration::from_millis(mail.created_at.millis().try_into().ok()?);
        let message = Message::builder()
            .from(self.from.clone())
            .to(to.clone().into())
            .subject(&mail.subject)
            .date(UNIX_EPOCH + since_1970)
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .singlepart(SinglePart::plain(mail.body.clone()));
        Some(message.ok()?.formatted())
    }

    async fn talk(&self, to: Address, message: &[u8]) -> Result<AsyncSmtpConnection, Tried> {
        let mut server = self.connect().await.map_err(Tried::NoServer)?;
        let mut how = vec![];
        if !AsRef::<str>::as_ref(&to).is_ascii() {
            if !server
                .server_info()
                .supports_feature(Extension::SmtpUtfEight)
            {
                let why = "the mail server takes no address beyond ASCII";
                return Err(Tried::Refused(why.to_owned()));
            }
            how.push(MailParameter::SmtpUtfEight);
        }
        let sender = MailFrom::new(Some(self.from.email.clone()), how);
        // For the operator to mend: no mail would be taken.
        let refused = |error| Tried::NoServer(format!("the sender was refused: {}", words(&error)));
        server.command(sender).await.map_err(refused)?;
        let taken = async {
            server.command(Rcpt::new(to, vec![])).await?;
            server.command(Data).await?;
            server.message(message).await
        };
        match taken.await {
            Ok(_) => Ok(server),
            Err(error) if error.is_permanent() => Err(Tried::Refused(words(&error))),
            Err(error) => Err(Tried::NotNow(words(&error))),
        }
    }

    /// A mail server that knows who we are, if it is to, and to whom nothing is said that others could hear.
    async fn connect(&self) -> Result<AsyncSmtpConnection, String> {
        let Smtp { host, port, .. } = self.smtp;
        let tls = || TlsParameters::new(host.clone()).map_err(|error| words(&error));
        let from_the_first = match self.smtp.cover {
            Cover::Tls => Some(tls()?),
            _ => None,
        };
        let address = (host.as_str(), *port);
        let server =
            AsyncSmtpConnection::connect_tokio1(address, None, &self.hello, from_the_first, None);
        let mut server = server.await.map_err(|error| words(&error))?;
        if self.smtp.cover == Cover::StartTls {
            let covered = server.starttls(tls()?, &self.hello).await;
            covered.map_err(|error| words(&error))?;
        }
        if let Some(credentials) = &self.smtp.credentials {
            // Not in its own words: they could repeat ours.
            let refused = |error: Error| match error.status() {
                Some(code) => format!("it does not take our user name and password ({code})"),
                None => "it did not let us sign in".to_owned(),
            };
            let signed_in = server.auth(DEFAULT_MECHANISMS, credentials).await;
            signed_in.map_err(refused)?;
        }
        Ok(server)
    }
}

/// What went wrong, on one line that is not long.
fn words(error: &Error) -> String {
    plain(&error.to_string()).chars().take(WORDS_MAX).collect()
}
