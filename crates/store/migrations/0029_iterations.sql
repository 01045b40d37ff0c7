-- Which text a submitted text is a new version of, and how it asked to be trained on.
alter table prompts add column parent bigint;
alter table prompts add column settings text;
create index prompts_of_parent on prompts (parent);
