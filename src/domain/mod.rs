//! What is true of users, clients, grants and tokens, whatever protocol asks: a noun a file, with its rules (pure
//! functions that take `now`), its queries and its verbs. It knows nothing of HTTP or of OAuth's parameters.

pub mod audit;
pub mod authorization_request;
pub mod bearer;
pub mod census;
pub mod client;
pub mod consent;
pub mod cut_off;
pub mod deed;
pub mod grant;
pub mod id;
pub mod incident;
pub mod lookup;
pub mod password;
pub mod personal_token;
pub mod policy;
pub mod redirect_uri;
pub mod registry;
pub mod resource;
pub mod secret;
pub mod service_token;
pub mod session;
pub mod sign_in;
pub mod token;
pub mod tx;
pub mod user;
pub mod words;
