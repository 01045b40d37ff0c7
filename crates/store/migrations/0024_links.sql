-- Review links: a token for the examples of one task and nothing else, and the sessions that are opened with it.
alter table tokens add column task text;
alter table sessions add column task text;
