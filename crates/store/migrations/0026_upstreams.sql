-- Services to which requests for a task are passed on.
create table upstreams (
    task text not null primary key,
    settings text not null,
    updated_by text not null,
    updated_at bigint not null
);

-- Who answered, by day (days since 1970, UTC).
create table upstream_days (
    task text not null,
    day bigint not null,
    graft bigint not null,
    upstream bigint not null,
    failed bigint not null,
    prompt_tokens bigint not null,
    answer_tokens bigint not null,
    recorded bigint not null,
    known bigint not null,
    unfit bigint not null,
    compared bigint not null,
    agreement double precision not null,
    primary key (task, day)
);
