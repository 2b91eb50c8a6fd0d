DROP TABLE grant_networks;
-- What was limited would be so no longer.
DELETE FROM grants WHERE allowed_networks IS NOT NULL OR not_before IS NOT NULL OR idle_life IS NOT NULL;
ALTER TABLE grants DROP COLUMN idle_life;
ALTER TABLE grants DROP COLUMN not_before;
ALTER TABLE grants DROP COLUMN allowed_networks;
