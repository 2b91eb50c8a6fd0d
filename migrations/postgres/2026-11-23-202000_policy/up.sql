-- What administrators have decided about personal access tokens, over the settings. At most one row.
CREATE TABLE token_policy (
    id         INTEGER NOT NULL PRIMARY KEY,
    document   TEXT    NOT NULL,
    changed_at BIGINT  NOT NULL,
    changed_by TEXT    NOT NULL
);

-- Since when a token waits for an administrator's approval, and what its owner says it is for.
ALTER TABLE grants ADD COLUMN pending_since BIGINT;
ALTER TABLE grants ADD COLUMN request_reason TEXT;
CREATE INDEX grants_pending ON grants (pending_since) WHERE pending_since IS NOT NULL;
