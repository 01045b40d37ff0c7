-- The process that reads an import: another one that starts must not take it for abandoned.
alter table imports add column reader text;
