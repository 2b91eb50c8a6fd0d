-- The token an event is about, and its place in the chain that seals the trail: the next number after the event sealed
-- before it, and a digest over that event's digest and all that stands in this one.
ALTER TABLE audit_events ADD COLUMN token_id BLOB;
ALTER TABLE audit_events ADD COLUMN seq BIGINT;
ALTER TABLE audit_events ADD COLUMN hash BLOB;
CREATE UNIQUE INDEX audit_events_seq ON audit_events (seq);
CREATE INDEX audit_events_unsealed ON audit_events (id) WHERE seq IS NULL;

-- Ids are in the order of time: each of these finds the newest of its kind without sorting.
DROP INDEX audit_events_of_grant;
CREATE INDEX audit_events_by_event ON audit_events (event, id);
CREATE INDEX audit_events_by_actor ON audit_events (actor, id);
CREATE INDEX audit_events_of_client ON audit_events (client_id, id) WHERE client_id IS NOT NULL;
CREATE INDEX audit_events_at_address ON audit_events (address, id) WHERE address IS NOT NULL;
CREATE INDEX audit_events_of_user ON audit_events (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_events_of_grant ON audit_events (grant_id, id) WHERE grant_id IS NOT NULL;
CREATE INDEX audit_events_of_token ON audit_events (token_id, id) WHERE token_id IS NOT NULL;

-- How far the trail is sealed, how much of its beginning was purged, and up to when expired tokens are noted in it. One row.
CREATE TABLE audit_progress (
    id             INTEGER NOT NULL PRIMARY KEY,
    sealed_seq     BIGINT  NOT NULL,
    sealed_hash    BLOB    NOT NULL,
    purged_seq     BIGINT  NOT NULL,
    purged_hash    BLOB    NOT NULL,
    expiries_until BIGINT  NOT NULL
);
INSERT INTO audit_progress (id, sealed_seq, sealed_hash, purged_seq, purged_hash, expiries_until)
VALUES (1, 0, zeroblob(32), 0, zeroblob(32), 0);
