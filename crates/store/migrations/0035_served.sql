-- What each process counted of a task's inputs in an hour: in how many of them each group of words or lengths occurs.
create table served_inputs (
    task text not null,
    hour bigint not null,
    process text not null,
    inputs bigint not null,
    counts text not null,
    primary key (task, hour, process)
);

-- How long each process took to answer requests that a roll-out distributed at random, as a histogram.
create table rollout_times (
    rollout bigint not null,
    version text not null,
    process text not null,
    counts text not null,
    primary key (rollout, version, process)
);
