-- How trainers are started on a machine, as JSON: by ssh alone, or by its cluster's scheduler with what is asked of it.
alter table machines add column launcher text not null default '{"kind":"ssh"}';
