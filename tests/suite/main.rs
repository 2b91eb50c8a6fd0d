//! The suite. Every test starts a server of its own, on a port of its own, with a database of its own, and holds the
//! clock. None knows which database it is on: `JETON_TEST_DATABASE` says that to [`support`].

mod support;

mod api_managers;
mod api_my_tokens;
mod api_own_token;
mod api_user_tokens;
mod browser;
mod cli;
mod cli_refusals;
mod client_secrets;
mod consent;
mod demo;
mod documents;
mod doors;
mod failing_storage;
mod hostile_input;
mod layers;
mod logs;
mod pages;
mod personal_tokens;
mod personal_tokens_rules;
mod platform;
mod prompt;
mod races;
mod rfc6749_authorization;
mod rfc6749_client_authentication;
mod rfc6749_codes;
mod rfc6749_token;
mod rfc7009_revocation;
mod rfc7636_pkce;
mod rfc7662_callers;
mod rfc7662_introspection;
mod rfc7662_visibility;
mod rfc8252_redirects;
mod rfc8414_metadata;
mod rfc8707_authorization;
mod rfc9207_iss;
mod rfc9700_consent;
mod rfc9700_refresh;
mod schema;
mod secret_kinds;
mod serve;
mod sign_in;
mod sign_in_brake;
mod third_party;
