-- Counts every change of who is registered: clients, their secrets, resource servers and their scopes. What a node keeps
-- of them in memory is good as long as this number has not moved.
CREATE TABLE registry (
    id      INTEGER NOT NULL PRIMARY KEY,
    version BIGINT  NOT NULL
);
INSERT INTO registry (id, version) VALUES (1, 0);

CREATE TRIGGER clients_insert AFTER INSERT ON clients
BEGIN UPDATE registry SET version = version + 1; END;
CREATE TRIGGER clients_update AFTER UPDATE ON clients
BEGIN UPDATE registry SET version = version + 1; END;
CREATE TRIGGER clients_delete AFTER DELETE ON clients
BEGIN UPDATE registry SET version = version + 1; END;
CREATE TRIGGER client_secrets_insert AFTER INSERT ON client_secrets
BEGIN UPDATE registry SET version = version + 1; END;
CREATE TRIGGER client_secrets_update AFTER UPDATE ON client_secrets
BEGIN UPDATE registry SET version = version + 1; END;
CREATE TRIGGER client_secrets_delete AFTER DELETE ON client_secrets
BEGIN UPDATE registry SET version = version + 1; END;
CREATE TRIGGER resources_insert AFTER INSERT ON resources
BEGIN UPDATE registry SET version = version + 1; END;
CREATE TRIGGER resources_update AFTER UPDATE ON resources
BEGIN UPDATE registry SET version = version + 1; END;
CREATE TRIGGER resources_delete AFTER DELETE ON resources
BEGIN UPDATE registry SET version = version + 1; END;
CREATE TRIGGER scopes_insert AFTER INSERT ON scopes
BEGIN UPDATE registry SET version = version + 1; END;
CREATE TRIGGER scopes_update AFTER UPDATE ON scopes
BEGIN UPDATE registry SET version = version + 1; END;
CREATE TRIGGER scopes_delete AFTER DELETE ON scopes
BEGIN UPDATE registry SET version = version + 1; END;

-- The rows themselves in the order of their keys, so that a token and its grant are found in one descent each, not two.
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
) WITHOUT ROWID;
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
) WITHOUT ROWID;
INSERT INTO new_tokens SELECT * FROM tokens ORDER BY hash;

-- Tokens first: nothing may be left that refers to a table that is dropped.
DROP TABLE tokens;
DROP TABLE grants;
ALTER TABLE new_grants RENAME TO grants;
ALTER TABLE new_tokens RENAME TO tokens;
CREATE INDEX grants_of_user ON grants (user_id, client_id);
CREATE INDEX grants_revoked ON grants (revoked_at) WHERE revoked_at IS NOT NULL;
-- By time within what is equal, so that what is new comes last. Else it would be by digest: a new token would change a
-- page somewhere in the middle of each index, and every page that is changed is written as a whole.
CREATE INDEX tokens_of_grant ON tokens (grant_id, created_at);
CREATE INDEX tokens_by_end ON tokens (expires_at, created_at);
