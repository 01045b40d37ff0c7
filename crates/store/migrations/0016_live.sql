-- Adapters that keep learning from what people approve.
create table live_adapters (
    task text not null primary key,
    state text not null,
    settings text not null,
    head text not null,
    frozen text not null,
    cursor bigint not null,
    note text,
    created_by text not null,
    created_at bigint not null,
    updated_at bigint not null
);

-- Approvals and edits on their way to a live adapter, each once; those without a place wait to be put in order.
create table live_windows (
    task text not null,
    example text not null,
    revision bigint not null,
    started_at bigint not null,
    arrived_at bigint not null,
    place bigint,
    late bigint not null,
    primary key (task, example, revision)
);
create index live_windows_place on live_windows (task, place);

-- What was made of them: each window belongs to one snapshot, by its place.
create table live_snapshots (
    task text not null,
    seq bigint not null,
    first_place bigint not null,
    last_place bigint not null,
    parent text not null,
    state text not null,
    run text,
    version text,
    before_score double precision,
    after_score double precision,
    bytes bigint,
    why text,
    created_at bigint not null,
    primary key (task, seq)
);
