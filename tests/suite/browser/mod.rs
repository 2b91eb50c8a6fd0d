//! The pages in a real browser, as people meet them. These tests need chromedriver and are run by `bin/test`.

mod account;
mod admin;
mod chromium;
mod consent;
mod looks;
mod tokens;
mod without;

use chromium::Chromium;
