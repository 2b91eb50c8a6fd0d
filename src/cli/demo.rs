//! `jeton demo`: a server with a person, an app, an API and a token in it, and lines to paste that show what it does.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::{Error, serve, write};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Location;
use crate::domain::client::{AuthMethod, Client, GrantType, NewClient};
use crate::domain::grant::Via;
use crate::domain::limits::Limits;
use crate::domain::password::Password;
use crate::domain::personal_token::{End, NewPersonalToken, PersonalToken};
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::resource::{NewScope, Resource};
use crate::domain::secret::{Secret, random};
use crate::domain::user::User;
use crate::domain::words::{Audience, DetailsTypes, Scope};

const USERNAME: &str = "alice";
const API: &str = "https://notes.example";
const REDIRECT_URI: &str = "http://127.0.0.1/done";

pub fn run(config: Config) -> Result<(), Error> {
    let folder = Folder::make()?;
    let listener = listen(&config)?;
    let mut config = config.listening_on(listener.local_addr()?);
    config.database = Location::Sqlite(folder.0.join("demo.db"));
    config.log = "warn".to_owned();
    serve::log_to_stderr(&config);
    let app = App::open(config, Clock::System)?;
    let house = furnish(&app)?;
    let lines = house.lines(app.issuer(), &folder.0);
    // Not before: a Ctrl-C that is not heeded would leave the folder behind.
    serve::serve(app, listener, None, || println!("{lines}"))
}

/// The address of the settings, or a free port if somebody has that one: a demo should just work.
fn listen(config: &Config) -> Result<TcpListener, Error> {
    match TcpListener::bind(config.listen) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Ok(TcpListener::bind((config.listen.ip(), 0))?)
        }
        bound => Ok(bound?),
    }
}

/// A folder for the database and the cookies, gone when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, Error> {
        let name = random(8);
        let path = std::env::temp_dir().join(format!("jeton-demo-{}", *name));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing can be done about a folder that won't go; the system clears its temporary ones.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What is in the demo.
struct House {
    password: String,
    api: Client,
    api_secret: Secret,
    app: Client,
    token: Secret,
    verifier: String,
}

fn furnish(app: &App) -> Result<House, Error> {
    let password = random(12).to_string();
    let hash = Password::new(password.clone()).hash();
    let verifier = random(43).to_string();
    write(app, |tx| {
        let alice = User::create(tx, USERNAME, None, false, Some(&hash))?;
        let scope = |name: &str, description: &str| NewScope {
            name: name.to_owned(),
            description: description.to_owned(),
            reserved: false,
        };
        let scopes = [
            scope("notes:read", "Read your notes"),
            scope("notes:write", "Write and delete your notes"),
        ];
        let (_, api, api_secret) = Resource::create(tx, API, "Notes", &scopes)?;
        let words =
            |text| Scope::parse(text).map_err(|_| Error::refused("the demo's scopes are bad"));
        let client = NewClient {
            name: "Backup Tool".to_owned(),
            auth_method: AuthMethod::None,
            grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            scope: words("notes:read notes:write")?,
            redirect_uris: vec![RedirectUri::register(REDIRECT_URI)?],
            access_token_ttl: None,
            introspect_any: false,
            authorization_details_types: DetailsTypes::default(),
        };
        let (client, _) = Client::create(tx, client)?;
        let token = NewPersonalToken {
            name: "laptop".to_owned(),
            description: "Made by the demo".to_owned(),
            scope: words("notes:read")?,
            audience: Audience::of([API]).map_err(Error::refused)?,
            authorization_details: None,
            end: End::At(tx.policy.personal.default_end(tx.now)),
            limits: Limits::default(),
            reason: String::new(),
        };
        let (_, token) = PersonalToken::create(tx, &alice, token, Via::CommandLine)?;
        Ok(House {
            password,
            api,
            api_secret,
            app: client,
            token,
            verifier,
        })
    })
}

impl House {
    /// Lines that work when they are pasted into a shell, in this order.
    fn lines(&self, issuer: &str, folder: &Path) -> String {
        let cookies = folder.join("cookies");
        let cookies = cookies.display();
        let (api, api_secret) = (&self.api.id, self.api_secret.expose());
        let (app, token) = (&self.app.id, self.token.expose());
        let (password, verifier) = (&self.password, &self.verifier);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let field = |name: &str| {
            format!("sed -n 's/.*name=\"{name}\" value=\"\\([^\"]*\\)\".*/\\1/p' | head -n 1")
        };
        let (csrf, request) = (field("csrf"), field("request"));
        let introspect =
            format!("curl -s -u {api}:{api_secret} -d token={token} {issuer}/oauth/introspect");
        format!(
            r#"# Jeton's demo is at {issuer}. Open it in a browser: {USERNAME}, password {password}
# Or paste these lines into another terminal, one block after the other. Ctrl-C here ends the demo; all of it is gone then.

# 1. The notes API asks about {USERNAME}'s personal access token.
{introspect}; echo

# 2. {USERNAME} signs in.
csrf=$(curl -s -c {cookies} {issuer}/sign-in | {csrf})
curl -s -b {cookies} -c {cookies} -o /dev/null -w 'signed in: %{{http_code}}\n' -d csrf=$csrf -d username={USERNAME} -d password={password} {issuer}/sign-in

# 3. Backup Tool asks to be let in; {USERNAME} lets it read, not write; it gets its tokens.
page=$(curl -s -b {cookies} '{issuer}/oauth/authorize?response_type=code&client_id={app}&redirect_uri=http://127.0.0.1:9/done&scope=notes:read+notes:write&state=xyz&code_challenge_method=S256&code_challenge={challenge}')
csrf=$(echo "$page" | {csrf}); request=$(echo "$page" | {request})
code=$(curl -s -b {cookies} -o /dev/null -w '%{{redirect_url}}' -d csrf=$csrf -d request=$request -d scope=notes:read -d decision=allow {issuer}/oauth/authorize/decision | sed -n 's/.*[?&]code=\([^&]*\).*/\1/p')
curl -s -d grant_type=authorization_code -d client_id={app} -d redirect_uri=http://127.0.0.1:9/done -d code_verifier={verifier} -d code=$code {issuer}/oauth/token; echo

# 4. Whoever holds the personal access token gives it back; the notes API asks again.
curl -s -o /dev/null -w 'revoked: %{{http_code}}\n' -d token={token} {issuer}/oauth/revoke
{introspect}; echo
"#
        )
    }
}
