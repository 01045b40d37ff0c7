-- How sure a suggestion is of each field, as a JSON object by path.
alter table suggestions add column fields text not null default '{}';
