ALTER TABLE grants DROP COLUMN approved_at;
DROP INDEX grants_ending_unused;
