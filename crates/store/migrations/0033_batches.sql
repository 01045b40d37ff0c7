-- Files of inputs that a version answers in the background, and their parts. A worker holds a part by a lease.
create table batches (
    id text not null primary key,
    seq bigint not null,
    task text not null,
    version text not null,
    source text not null,
    lines bigint not null,
    parts bigint not null,
    max_tokens bigint,
    state text not null,
    failure text,
    created_by text not null,
    created_at bigint not null,
    finished_at bigint
);

create table batch_parts (
    batch text not null,
    number bigint not null,
    state text not null,
    lines bigint not null,
    answered bigint not null default 0,
    invalid bigint not null default 0,
    attempts bigint not null default 0,
    owner text,
    lease_clock text,
    lease_until bigint,
    input text not null,
    output text,
    primary key (batch, number),
    foreign key (batch) references batches (id) on delete cascade
);
create index batch_parts_left on batch_parts (batch, number) where state in ('waiting', 'answering');
