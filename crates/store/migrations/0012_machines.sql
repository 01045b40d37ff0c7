-- Where runs can execute beside the worker's own machine; `destination` is as ssh takes it. Nothing here is a secret.
create table machines (
    name text not null primary key,
    destination text not null,
    slots bigint not null,
    program text,
    created_by text not null,
    created_at bigint not null
);

-- The machine of a run; the worker's own without one.
alter table runs add column machine text;
