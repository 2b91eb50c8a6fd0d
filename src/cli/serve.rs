//! `jeton serve`: the server itself.

use std::io::{IsTerminal, stderr};
use std::net::{SocketAddr, TcpListener};

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::Error;
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, LogFormat};
use crate::db::{self, Fault};
use crate::domain::password::Password;
use crate::domain::secret::random;
use crate::domain::tx::Caller;
use crate::domain::user::User;
use crate::jobs::{
    approvals, census, cut_offs, denials, github_keys, last_used, remind, sealing, send_mail, sweep,
};
use crate::web::{self, Leaving};

/// Who is made on an empty database.
const FIRST_USER: &str = "admin";

pub fn run(config: Config) -> Result<(), Error> {
    log_to_stderr(&config);
    let listener = listen(config.listen)?;
    let metrics = config.metrics_listen.map(listen).transpose()?;
    let config = config.listening_on(listener.local_addr()?);
    let app = App::open(config, Clock::System)?;
    app.take_address()?;
    if app.policy().is_https() && app.config().trusted_proxies.is_empty() {
        // This server speaks http: there is a proxy, and without this setting everybody seems to sit at it.
        tracing::warn!(
            "trusted_proxies is not set: all people seem to come from one address, the proxy's"
        );
    }
    if app.config().smtp.is_some() != app.config().mail_from.is_some() {
        tracing::warn!("no mail is sent: smtp_url and mail_from are needed, and only one is set");
    }
    github_keys::check(&app).map_err(|error| {
        Error::refused(format!(
            "the setting github_secret_scanning_keys can't be used: {error}"
        ))
    })?;
    if let Some(password) = first_user(&app)? {
        println!(
            "The database is new. Sign in at {} as {FIRST_USER} with the password",
            app.issuer()
        );
        println!("{password}");
        println!("It is shown this once; change it when you are in.");
    }
    if let Some(collector) = &app.config().otlp_endpoint {
        let sent = app.traces().send_to(collector);
        sent.map_err(|error| Error::refused(error.to_string()))?;
    }
    let served = serve(app.clone(), listener, metrics, || ());
    app.traces().finish();
    served
}

/// Open an address before anything else: if another process has it, nothing is touched.
fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).map_err(|error| {
        Error::refused(format!(
            "the address {address} can't be listened on: {error}"
        ))
    })
}

/// Serve until SIGTERM or SIGINT; then finish what is under way, write what is noted, and return. After SIGTERM the world
/// is given a moment to send its requests elsewhere, unless another signal comes. Whoever looks at `metrics` finds them
/// until the last request is answered. `announce` is called when a signal would be heeded.
pub(super) fn serve(
    app: App,
    listener: TcpListener,
    metrics: Option<TcpListener>,
    announce: impl FnOnce(),
) -> Result<(), Error> {
    let workers = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    actix_web::rt::System::new().block_on(async move {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let leaving = Leaving::default();
        let server = web::serve(app.clone(), listener, workers, leaving.clone())?;
        let handle = server.handle();
        let running = actix_web::rt::spawn(server);
        let mut jobs = vec![
            actix_web::rt::spawn(last_used::run(app.clone())),
            actix_web::rt::spawn(last_used::run_urgent(app.clone())),
            actix_web::rt::spawn(sweep::run(app.clone())),
            actix_web::rt::spawn(denials::run(app.clone())),
            actix_web::rt::spawn(sealing::run(app.clone())),
            actix_web::rt::spawn(remind::run(app.clone())),
            actix_web::rt::spawn(approvals::run(app.clone())),
            actix_web::rt::spawn(send_mail::run(app.clone())),
            actix_web::rt::spawn(github_keys::run(app.clone())),
            actix_web::rt::spawn(cut_offs::run(app.clone())),
        ];
        let mut watched = None;
        if let Some(listener) = metrics {
            tracing::info!(address = %listener.local_addr()?, "metrics can be had");
            let server = web::metrics::serve(app.clone(), listener)?;
            watched = Some(server.handle());
            actix_web::rt::spawn(server);
            jobs.push(actix_web::rt::spawn(census::run(app.clone())));
        }
        tracing::info!(issuer = app.issuer(), address = %app.config().listen, "serving");
        announce();
        let is_patient = tokio::select! {
            _ = terminate.recv() => true,
            _ = interrupt.recv() => false,
        };
        if is_patient {
            leaving.begin();
            tracing::info!("told to stop: it goes on for a moment, and /readyz says no");
            tokio::select! {
                _ = tokio::time::sleep(app.config().stop_delay) => {}
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        tracing::info!("stopping: requests under way are finished first");
        handle.stop(true).await;
        running
            .await
            .map_err(|_| Fault::Broken("the server panicked"))??;
        if let Some(metrics) = watched {
            metrics.stop(false).await;
        }
        jobs.iter().for_each(|job| job.abort());
        last_used::flush(&app, true).await?;
        denials::flush(&app, true).await?;
        // What is not sealed now is sealed by whoever comes next: nothing is lost.
        if let Err(error) = sealing::seal(&app).await {
            tracing::warn!(%error, "the audit trail could not be sealed");
        }
        Ok(())
    })
}

/// An administrator for a database without anybody in it, and their password.
fn first_user(app: &App) -> Result<Option<String>, Error> {
    if app.read_blocking(|rx| Ok::<_, Fault>(User::is_anyone_here(rx)?))? {
        return Ok(None);
    }
    let password = random(22).to_string();
    let hash = Password::new(password.clone()).hash();
    let made = app.write_blocking(&Caller::system(), |tx| {
        // Nodes that start together do this one after the other.
        db::hold_start(tx)?;
        if User::is_anyone_here(tx)? {
            return Ok(None);
        }
        User::create(tx, FIRST_USER, None, true, Some(&hash)).map(Some)
    })?;
    Ok(made.map(|_| password))
}

pub(super) fn log_to_stderr(config: &Config) {
    // A config that was loaded has a filter that parses.
    let filter = EnvFilter::try_new(&config.log).unwrap_or_default();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr);
    match config.log_format {
        LogFormat::Text => log.with_ansi(stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
