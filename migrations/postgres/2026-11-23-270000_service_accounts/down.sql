DELETE FROM reminders AS other USING reminders AS kept
WHERE other.token_id = kept.token_id AND other.stage = kept.stage AND other.user_id > kept.user_id;
ALTER TABLE reminders DROP CONSTRAINT reminders_pkey;
ALTER TABLE reminders ADD PRIMARY KEY (token_id, stage);
DROP TABLE service_account_keepers;
ALTER TABLE users DROP COLUMN description;
ALTER TABLE users DROP COLUMN kind;
