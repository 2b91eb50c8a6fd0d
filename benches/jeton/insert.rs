//! An insert of many rows, as SQL text of plain values. Both databases read it alike but for bytes.

use std::fmt::Write as _;

use diesel::connection::SimpleConnection;
use jeton::clock::Timestamp;
use jeton::db::Conn;
use jeton::domain::secret::hex;

use crate::Result;

pub struct Insert {
    sql: String,
    rows: usize,
    columns: usize,
    postgres: bool,
}

impl Insert {
    pub fn into(table: &str, columns: &str, conn: &Conn) -> Self {
        Self {
            sql: format!("INSERT INTO {table} ({columns}) VALUES "),
            rows: 0,
            columns: 0,
            postgres: matches!(conn, Conn::Postgres(_)),
        }
    }

    /// Begin the next row.
    pub fn row(&mut self) -> &mut Self {
        self.sql.push_str(if self.rows == 0 { "(" } else { "),(" });
        self.rows += 1;
        self.columns = 0;
        self
    }

    /// A value that is SQL already.
    pub fn plain(&mut self, value: &str) -> Result<&mut Self> {
        let comma = if self.columns == 0 { "" } else { "," };
        self.columns += 1;
        write!(self.sql, "{comma}{value}")?;
        Ok(self)
    }

    /// Texts of ours have no quotes.
    pub fn text(&mut self, value: &str) -> Result<&mut Self> {
        self.plain(&format!("'{value}'"))
    }

    pub fn bytes(&mut self, value: &[u8]) -> Result<&mut Self> {
        let digits = hex(value);
        match self.postgres {
            true => self.plain(&format!("'\\x{digits}'")),
            false => self.plain(&format!("x'{digits}'")),
        }
    }

    pub fn time(&mut self, value: Timestamp) -> Result<&mut Self> {
        self.plain(&value.millis().to_string())
    }

    pub fn maybe_time(&mut self, value: Option<Timestamp>) -> Result<&mut Self> {
        match value {
            Some(value) => self.time(value),
            None => self.plain("NULL"),
        }
    }

    pub fn run(mut self, conn: &mut Conn) -> Result<()> {
        if self.rows > 0 {
            self.sql.push(')');
            conn.batch_execute(&self.sql)?;
        }
        Ok(())
    }
}
