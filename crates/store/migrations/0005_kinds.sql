-- Workers measure versions, too. A task has one training and any number of measurements, one of a version at a time;
-- `version` names the version that is measured.
alter table runs add column kind text not null default 'train' check (kind in ('train', 'evaluate'));
drop index runs_active;
create unique index runs_active on runs (task) where kind = 'train' and state in ('queued', 'starting', 'running');
create unique index runs_measuring on runs (task, version)
    where kind = 'evaluate' and state in ('queued', 'starting', 'running');
