-- What a service needs beyond commands: a queue in the runs themselves, schedules, people, and what they may do.

alter table runs add column priority bigint not null default 1;
alter table runs add column threads bigint;
alter table runs add column attempts bigint not null default 0;
alter table runs add column max_attempts bigint not null default 3;
alter table runs add column fence bigint not null default 0;
alter table runs add column lease_owner text;
alter table runs add column lease_clock text;
alter table runs add column lease_until bigint;
alter table runs add column not_before bigint;
alter table runs add column wants text check (wants in ('cancel'));
alter table runs add column phase text;
alter table runs add column after_run text;
alter table runs add column activate bigint not null default 0;
alter table runs add column version text;
alter table runs add column request text;
create index runs_waiting on runs (state, priority, seq);

create table schedules (
    id text not null primary key,
    task text not null,
    cron text not null,
    zone text not null,
    request text not null,
    min_new bigint not null,
    next_at bigint,
    last_at bigint,
    last_run text,
    last_note text,
    created_by text not null,
    created_at bigint not null
);

create table suggestions (
    task text not null,
    example text not null,
    revision bigint not null,
    version text not null,
    answer text not null,
    confidence double precision not null,
    disagrees bigint not null,
    made_at bigint not null,
    primary key (task, example),
    foreign key (task, example) references examples (task, id)
);

create table imports (
    id text not null primary key,
    kind text not null,
    task text,
    state text not null check (state in ('running', 'done', 'failed')),
    done bigint not null,
    total bigint,
    report text,
    problem text,
    created_by text not null,
    created_at bigint not null,
    finished_at bigint
);

create table users (
    name text not null primary key,
    role text not null check (role in ('viewer', 'auditor', 'trainer', 'admin')),
    password text not null,
    created_by text not null,
    created_at bigint not null
);

create table tokens (
    id text not null primary key,
    hash text not null unique,
    role text not null check (role in ('viewer', 'auditor', 'trainer', 'admin')),
    label text not null,
    created_by text not null,
    created_at bigint not null,
    used_at bigint,
    expires_at bigint
);

create table sessions (
    hash text not null primary key,
    who text not null,
    role text not null check (role in ('viewer', 'auditor', 'trainer', 'admin')),
    created_at bigint not null,
    expires_at bigint not null
);

create table idempotency (
    who text not null,
    route text not null,
    key text not null,
    digest text not null,
    status bigint,
    reply text,
    created_at bigint not null,
    expires_at bigint not null,
    primary key (who, route, key)
);

create table workers (
    id text not null primary key,
    host text not null,
    pid bigint not null,
    slots bigint not null,
    graft text not null,
    started_at bigint not null,
    seen_at bigint not null
);
