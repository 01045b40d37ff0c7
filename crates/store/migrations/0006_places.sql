-- On which machine, and in which home there, a run's process was started last: its folder is nowhere else.
alter table runs add column place text;
