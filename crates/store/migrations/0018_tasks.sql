-- Tasks that people made or changed; each change is a revision, which is never changed itself. A revision that Graft comes
-- with is `built_in`: it is kept once something was trained with it or somebody changed the task.
create table tasks (
    name text not null primary key,
    seq bigint not null unique,
    revision bigint not null,
    archived_at bigint
);

create table task_revisions (
    task text not null,
    revision bigint not null,
    definition text not null,
    built_in bigint not null,
    created_by text not null,
    created_at bigint not null,
    primary key (task, revision)
);

-- What a run was prepared with and a version was trained with; unknown for those of earlier releases.
alter table runs add column task_revision bigint;
alter table versions add column task_revision bigint;
