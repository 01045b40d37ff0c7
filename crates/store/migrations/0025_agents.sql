-- Processes elsewhere that hold the active version of a task and answer with it.
create table agents (
    task text not null,
    name text not null,
    wave bigint not null,
    graft text not null,
    format bigint not null,
    state text not null,
    version text,
    digest text,
    nonce text,
    attempt bigint not null,
    due_at bigint not null,
    held_version text,
    held text,
    problem text,
    created_by text not null,
    created_at bigint not null,
    seen_at bigint not null,
    synced_at bigint,
    primary key (task, name)
);

-- Tokens of agents have a role of their own; which roles there are is checked where they are read.
create table all_tokens (
    id text not null primary key,
    hash text not null unique,
    role text not null,
    label text not null,
    created_by text not null,
    created_at bigint not null,
    used_at bigint,
    expires_at bigint,
    task text
);
insert into all_tokens (id, hash, role, label, created_by, created_at, used_at, expires_at, task)
    select id, hash, role, label, created_by, created_at, used_at, expires_at, task from tokens;
drop table tokens;
alter table all_tokens rename to tokens;
