-- Machines that were rented for runs: written before the launch, closed when the provider says that the machine is gone.
create table rentals (
    name text not null primary key,
    run text not null,
    provider text not null,
    kind text not null,
    region text not null,
    place text not null,
    cents_per_hour bigint not null,
    most_cents bigint not null,
    state text not null,
    instance text,
    address text,
    intended_at bigint not null,
    leaving_at bigint,
    ended_at bigint
);
create index rentals_run on rentals (run);
