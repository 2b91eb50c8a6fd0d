DROP TRIGGER clients_insert;
DROP TRIGGER clients_update;
DROP TRIGGER clients_delete;
DROP TRIGGER client_secrets_insert;
DROP TRIGGER client_secrets_update;
DROP TRIGGER client_secrets_delete;
DROP TRIGGER resources_insert;
DROP TRIGGER resources_update;
DROP TRIGGER resources_delete;
DROP TRIGGER scopes_insert;
DROP TRIGGER scopes_update;
DROP TRIGGER scopes_delete;
DROP TABLE registry;

CREATE TABLE new_grants (
    id             BLOB   NOT NULL PRIMARY KEY,
    user_id        BLOB   REFERENCES users (id),
    client_id      TEXT   NOT NULL REFERENCES clients (id),
    origin         TEXT   NOT NULL,
    scope          TEXT   NOT NULL,
    audience       TEXT   NOT NULL,
    name           TEXT,
    description    TEXT,
    created_at     BIGINT NOT NULL,
    created_by     TEXT   NOT NULL,
    created_via    TEXT   NOT NULL,
    created_from   TEXT,
    auth_time      BIGINT,
    last_used_at   BIGINT,
    last_used_from TEXT,
    revoked_at     BIGINT,
    revoked_by     TEXT,
    revoke_reason  TEXT
);
INSERT INTO new_grants SELECT * FROM grants ORDER BY id;

CREATE TABLE new_tokens (
    hash          BLOB   NOT NULL PRIMARY KEY,
    id            BLOB   NOT NULL UNIQUE,
    grant_id      BLOB   NOT NULL REFERENCES new_grants (id) ON DELETE CASCADE,
    kind          TEXT   NOT NULL,
    hint          TEXT   NOT NULL,
    scope         TEXT,
    audience      TEXT,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT,
    spent_at      BIGINT,
    nonce         BLOB,
    revoked_at    BIGINT,
    revoked_by    TEXT,
    revoke_reason TEXT
);
INSERT INTO new_tokens SELECT * FROM tokens ORDER BY hash;

-- Tokens first: nothing may be left that refers to a table that is dropped.
DROP TABLE tokens;
DROP TABLE grants;
ALTER TABLE new_grants RENAME TO grants;
ALTER TABLE new_tokens RENAME TO tokens;
CREATE INDEX grants_of_user ON grants (user_id, client_id);
CREATE INDEX grants_revoked ON grants (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX tokens_of_grant ON tokens (grant_id);
CREATE INDEX tokens_by_end ON tokens (expires_at);
