-- Runs that trackers outside of Graft are told of. `seq` is the last event that was sent: what follows is still to be sent, so
-- this cursor is all the spool there is. `state` is the last state of the run that was sent whole. `owner` sends until `until`.
create table tracked_runs (
    run text not null,
    tracker text not null,
    place text,
    seq bigint not null default 0,
    steps text not null default '{}',
    state text,
    owner text,
    until bigint not null default 0,
    tries bigint not null default 0,
    error text,
    not_before bigint not null default 0,
    sent_at bigint,
    primary key (run, tracker),
    foreign key (run) references runs (id) on delete cascade
);

-- The stages of a task's versions as they were last sent.
create table tracked_models (
    task text not null,
    tracker text not null,
    stages text not null,
    primary key (task, tracker)
);
