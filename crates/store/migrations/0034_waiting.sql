-- What every turn of a worker looks for in a long queue: runs that somebody holds, and runs that wait for another one.
create index runs_held on runs (seq) where lease_owner is not null;
create index runs_after on runs (after_run) where after_run is not null;
