-- Templates of tasks that people saved.
create table templates (
    name text not null primary key,
    file text not null,
    saved_by text not null,
    saved_at bigint not null
);
