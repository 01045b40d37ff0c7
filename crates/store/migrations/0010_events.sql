-- Events and output of runs, as their followers took them in: every server of the database can show them, wherever the
-- run directory is. `brief` marks a step that is kept until a later one comes.
create table run_events (
    run text not null,
    seq bigint not null,
    brief bigint not null,
    event text not null,
    primary key (run, seq),
    foreign key (run) references runs (id) on delete cascade
);

create table run_logs (
    run text not null,
    stream text not null check (stream in ('stdout', 'stderr')),
    begins bigint not null,
    ends bigint not null,
    text text not null,
    primary key (run, stream, begins),
    foreign key (run) references runs (id) on delete cascade
);

-- How far a run was followed, in bytes; where its newest attempt begins in its output; how far it is; its result.
create table run_cursors (
    run text not null primary key,
    events bigint not null,
    stdout bigint not null,
    stderr bigint not null,
    stdout_from bigint not null,
    stderr_from bigint not null,
    progress text,
    result text,
    foreign key (run) references runs (id) on delete cascade
);
