DROP INDEX tokens_overlap;
DROP INDEX tokens_current;
-- What was rotated would work again.
DELETE FROM tokens WHERE overlap_until IS NOT NULL;
ALTER TABLE tokens DROP COLUMN reused_at;
ALTER TABLE tokens DROP COLUMN first_used_at;
ALTER TABLE tokens DROP COLUMN overlap_until;
ALTER TABLE tokens DROP COLUMN predecessor_id;
