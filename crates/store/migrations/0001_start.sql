-- Runs unchanged on SQLite and Postgres: text, bigint and double precision only. JSON is text, a time is
-- milliseconds since the Unix epoch, a flag is 0 or 1, and `seq`/`position` give an order that no collation changes.

create table examples (
    task text not null,
    id text not null,
    position bigint not null,
    revision bigint not null,
    source_kind text not null,
    source_ref text not null,
    source_at bigint,
    review text not null check (review in ('pending', 'approved', 'rejected')),
    reviewed_by text,
    reviewed_at bigint,
    reject_reason text,
    touched bigint not null,
    folded text not null,
    primary key (task, id)
);
create unique index examples_position on examples (task, position);
create index examples_review on examples (task, review);

create table example_revisions (
    task text not null,
    id text not null,
    revision bigint not null,
    input text not null,
    output text,
    created_by text not null,
    created_at bigint not null,
    primary key (task, id, revision),
    foreign key (task, id) references examples (task, id)
);

create table assignments (
    task text not null,
    example text not null,
    side text not null check (side in ('train', 'eval')),
    primary key (task, example),
    foreign key (task, example) references examples (task, id)
);

create table datasets (
    task text not null,
    digest text not null,
    leaking text not null,
    created_by text not null,
    created_at bigint not null,
    primary key (task, digest)
);

create table dataset_members (
    task text not null,
    digest text not null,
    side text not null check (side in ('train', 'eval')),
    position bigint not null,
    example text not null,
    revision bigint not null,
    approved_by text not null,
    approved_at bigint not null,
    primary key (task, digest, side, position),
    foreign key (task, digest) references datasets (task, digest),
    foreign key (task, example, revision) references example_revisions (task, id, revision)
);

create table runs (
    id text not null primary key,
    seq bigint not null unique,
    task text not null,
    state text not null check (state in ('queued', 'starting', 'running', 'succeeded', 'failed', 'cancelled')),
    method text not null,
    base_name text not null,
    dataset text not null,
    spec text not null,
    dir text not null,
    pid bigint,
    train_samples bigint,
    eval_samples bigint,
    final_loss double precision,
    error text,
    exit_code bigint,
    created_by text not null,
    created_at bigint not null,
    started_at bigint,
    finished_at bigint
);
create unique index runs_active on runs (task) where state in ('queued', 'starting', 'running');

create table versions (
    task text not null,
    name text not null,
    seq bigint not null unique,
    run text references runs (id),
    adapter_dir text not null,
    adapter_digest text not null,
    base_name text not null,
    base_digest text not null,
    dataset text,
    card text not null,
    card_digest text not null,
    metrics text not null,
    parent text,
    stage text not null check (stage in ('shadow', 'canary', 'active', 'archived')),
    created_by text not null,
    created_at bigint not null,
    primary key (task, name)
);
create unique index versions_active on versions (task) where stage = 'active';

create table activations (
    seq bigint not null primary key,
    task text not null,
    version text not null,
    adapter_digest text not null,
    previous text,
    action text not null check (action in ('activate', 'rollback')),
    created_by text not null,
    created_at bigint not null
);
create index activations_task on activations (task, seq);

create table settings (
    name text not null primary key,
    value text not null,
    updated_by text not null,
    updated_at bigint not null
);

create table bases (
    name text not null primary key,
    path text not null,
    digest text not null,
    added_by text not null,
    added_at bigint not null
);

create table changes (
    seq bigint not null primary key,
    made_at bigint not null,
    made_by text not null,
    action text not null,
    kind text not null,
    task text not null,
    subject text not null,
    old text,
    new text
);
create index changes_subject on changes (kind, task, subject, seq);
