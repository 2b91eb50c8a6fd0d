DELETE FROM tokens WHERE grant_id IN (SELECT id FROM grants WHERE client_id = 'decoy-token');
DELETE FROM grants WHERE client_id = 'decoy-token';
DELETE FROM clients WHERE id = 'decoy-token';
ALTER TABLE client_secrets DROP COLUMN leaked_at;
