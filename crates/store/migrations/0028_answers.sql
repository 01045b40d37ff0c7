-- All held-out answers of a version's last evaluation, which was at `at`.
create table version_answers (
    task text not null,
    version text not null,
    at bigint not null,
    answers text not null,
    primary key (task, version)
);
