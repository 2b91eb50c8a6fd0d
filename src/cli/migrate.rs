//! `jeton migrate`: bring the tables up to date, for who wants that done before the server starts.

use serde_json::json;

use super::{Answer, Error};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Database;

pub fn run(config: Config) -> Result<Answer, Error> {
    // Opening the app would migrate too, but not say how much there was to do.
    let migrations = Database::open(&config.database, 1)?.migrate()?;
    App::open(config, Clock::System)?;
    let text = match migrations {
        0 => "The tables are up to date already.".to_owned(),
        1 => "1 migration was run; the tables are up to date.".to_owned(),
        count => format!("{count} migrations were run; the tables are up to date."),
    };
    Ok(Answer::new(&json!({ "migrations": migrations }), text))
}
