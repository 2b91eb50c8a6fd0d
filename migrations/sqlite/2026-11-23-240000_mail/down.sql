DROP INDEX personal_tokens_by_end;
DROP TABLE reminders;
DROP TABLE mails;
