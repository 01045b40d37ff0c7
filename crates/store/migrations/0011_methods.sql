-- How a version answers: with an adapter, or without a language model. The latter have no base model: its name and digest
-- are empty.
alter table versions add column method text not null default 'adapter';
