-- A session lasts no longer than the token, or the configured secret, that it was opened with. Which one that was is not
-- known of those that are open: everybody logs in once more.
delete from sessions;
alter table sessions add column token text;
alter table sessions add column configured text;
