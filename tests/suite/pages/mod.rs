//! The pages that people see, as they come over the wire. What a real browser makes of them is in `browser`.

mod account;
mod admin;
mod approvals;
mod details;
mod errors;
mod list;
mod new_token;
mod policy;
mod reveal;
mod rotate;
mod rules;
mod service_accounts;
mod token;
mod token_details;
