-- A schedule may also submit once so many approvals are new (0: it does not), and, unlike before, submits nothing if nothing
-- has changed since the task's last run.
alter table schedules add column after_new bigint not null default 0;
alter table schedules add column even_unchanged bigint not null default 0;
