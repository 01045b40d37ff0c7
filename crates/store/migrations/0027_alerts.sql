-- Problems that people are told of. A subject of a kind has at most one that is not over, so nobody is told twice.
create table alerts (
    id bigint not null primary key,
    kind text not null,
    task text not null,
    subject text not null,
    notice text not null,
    began_at bigint not null,
    over_at bigint
);
create index alerts_open on alerts (over_at, kind, task);

-- Messages to people: the same for all receivers, in the order in which they are sent.
create table notices (
    id bigint not null primary key,
    topic text not null unique,
    notice text not null,
    made_at bigint not null
);

-- Who reads what, and how far: `watch` the audit trail, `digest` the days, a receiver the notices. `owner` does so until `until`.
create table notifiers (
    name text not null primary key,
    cursor bigint not null,
    owner text,
    until bigint not null default 0,
    tries bigint not null default 0,
    error text,
    not_before bigint not null default 0,
    sent_at bigint
);

-- Whether a schedule failed the last time.
alter table schedules add column failed bigint not null default 0;
