DROP INDEX grants_pending;
-- What was not approved would work.
DELETE FROM grants WHERE pending_since IS NOT NULL;
ALTER TABLE grants DROP COLUMN request_reason;
ALTER TABLE grants DROP COLUMN pending_since;
DROP TABLE token_policy;
