CREATE TABLE new_reminders (
    token_id BLOB    NOT NULL,
    stage    INTEGER NOT NULL,
    user_id  BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at       BIGINT  NOT NULL,
    PRIMARY KEY (token_id, stage)
);
INSERT OR IGNORE INTO new_reminders SELECT token_id, stage, user_id, at FROM reminders;
DROP TABLE reminders;
ALTER TABLE new_reminders RENAME TO reminders;
CREATE INDEX reminders_of_user ON reminders (user_id, at);
CREATE INDEX reminders_by_time ON reminders (at);
DROP TABLE service_account_keepers;
ALTER TABLE users DROP COLUMN description;
ALTER TABLE users DROP COLUMN kind;
