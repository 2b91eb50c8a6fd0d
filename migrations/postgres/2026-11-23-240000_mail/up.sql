-- What people are told by mail, from the transaction that it is about until a mail server has it, and a while longer. Ended
-- ones have no next_at; of these, those that a mail server took have a sent_at.
CREATE TABLE mails (
    id         BYTEA   NOT NULL PRIMARY KEY,
    user_id    BYTEA   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    letter     TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    created_at BIGINT  NOT NULL,
    tries      INTEGER NOT NULL,
    next_at    BIGINT,
    sent_at    BIGINT
);
CREATE INDEX mails_due ON mails (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX mails_by_time ON mails (created_at);

-- Of which end of which token its owner was reminded, by days before it: 30, 7, 1, and 0 for the end itself. Nothing refers
-- to tokens, since they would have to be asked for whenever an app's token is removed; these rows go by their age.
CREATE TABLE reminders (
    token_id BYTEA   NOT NULL,
    stage    INTEGER NOT NULL,
    user_id  BYTEA   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at       BIGINT  NOT NULL,
    PRIMARY KEY (token_id, stage)
);
CREATE INDEX reminders_of_user ON reminders (user_id, at);
CREATE INDEX reminders_by_time ON reminders (at);

-- Those that end soon, among the many more tokens of apps.
CREATE INDEX personal_tokens_by_end ON tokens (expires_at) WHERE kind = 'pat';
