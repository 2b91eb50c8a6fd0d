-- A service account is a row of users that nobody can sign in as, whatever a later program may try.
ALTER TABLE users ADD COLUMN kind TEXT NOT NULL DEFAULT 'person'
    CHECK (kind = 'person' OR (kind = 'service' AND password_hash IS NULL AND email IS NULL AND NOT is_admin));
ALTER TABLE users ADD COLUMN description TEXT;

-- The people who manage a service account's tokens, and hear of them.
CREATE TABLE service_account_keepers (
    service_account_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_id            BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    added_at           BIGINT NOT NULL,
    added_by           TEXT NOT NULL,
    PRIMARY KEY (service_account_id, user_id)
);
CREATE INDEX service_accounts_of_keeper ON service_account_keepers (user_id);

-- Each keeper is reminded of a token, on a day of their own.
CREATE TABLE new_reminders (
    token_id BLOB    NOT NULL,
    stage    INTEGER NOT NULL,
    user_id  BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at       BIGINT  NOT NULL,
    PRIMARY KEY (token_id, stage, user_id)
);
INSERT INTO new_reminders SELECT token_id, stage, user_id, at FROM reminders;
DROP TABLE reminders;
ALTER TABLE new_reminders RENAME TO reminders;
CREATE INDEX reminders_of_user ON reminders (user_id, at);
CREATE INDEX reminders_by_time ON reminders (at);
