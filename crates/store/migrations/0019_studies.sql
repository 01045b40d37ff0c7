-- Searches for settings. A trial is a run with `study`: it makes no version, and it doesn't take its task's place for trainings.
alter table runs add column study text;
drop index runs_active;
create unique index runs_active on runs (task)
    where kind = 'train' and study is null and state in ('queued', 'starting', 'running');

create table studies (
    id text not null primary key,
    seq bigint not null,
    task text not null,
    state text not null,
    plan text not null,
    note text,
    created_by text not null,
    created_at bigint not null,
    finished_at bigint
);
create unique index studies_active on studies (task) where state = 'running';

create table trials (
    study text not null,
    number bigint not null,
    run text not null,
    state text not null,
    point text not null,
    settings text not null,
    loss double precision,
    rungs text not null default '[]',
    bytes bigint,
    millis bigint not null default 0,
    note text,
    primary key (study, number),
    foreign key (study) references studies (id) on delete cascade
);
