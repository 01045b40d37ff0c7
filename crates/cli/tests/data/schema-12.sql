CREATE TABLE graft_schema (version bigint not null primary key, name text not null);
CREATE TABLE examples (
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
CREATE UNIQUE INDEX examples_position on examples (task, position);
CREATE INDEX examples_review on examples (task, review);
CREATE TABLE example_revisions (
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
CREATE TABLE assignments (
    task text not null,
    example text not null,
    side text not null check (side in ('train', 'eval')),
    primary key (task, example),
    foreign key (task, example) references examples (task, id)
);
CREATE TABLE datasets (
    task text not null,
    digest text not null,
    leaking text not null,
    created_by text not null,
    created_at bigint not null,
    primary key (task, digest)
);
CREATE TABLE dataset_members (
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
CREATE TABLE runs (
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
, priority bigint not null default 1, threads bigint, attempts bigint not null default 0, max_attempts bigint not null default 3, fence bigint not null default 0, lease_owner text, lease_clock text, lease_until bigint, not_before bigint, wants text check (wants in ('cancel')), phase text, after_run text, activate bigint not null default 0, version text, request text, request_key text, kind text not null default 'train' check (kind in ('train', 'evaluate')), place text, failure text, machine text);
CREATE TABLE versions (
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
    created_at bigint not null, method text not null default 'adapter',
    primary key (task, name)
);
CREATE UNIQUE INDEX versions_active on versions (task) where stage = 'active';
CREATE TABLE activations (
    seq bigint not null primary key,
    task text not null,
    version text not null,
    adapter_digest text not null,
    previous text,
    action text not null check (action in ('activate', 'rollback')),
    created_by text not null,
    created_at bigint not null
);
CREATE INDEX activations_task on activations (task, seq);
CREATE TABLE settings (
    name text not null primary key,
    value text not null,
    updated_by text not null,
    updated_at bigint not null
);
CREATE TABLE bases (
    name text not null primary key,
    path text not null,
    digest text not null,
    added_by text not null,
    added_at bigint not null
);
CREATE TABLE changes (
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
CREATE INDEX changes_subject on changes (kind, task, subject, seq);
CREATE INDEX runs_waiting on runs (state, priority, seq);
CREATE TABLE schedules (
    id text not null primary key,
    task text not null,
    cron text not null,
    zone text not null,
    request text not null,
    min_new bigint not null,
    next_at bigint,
    last_at bigint,
    last_run text,
    last_note text,
    created_by text not null,
    created_at bigint not null
);
CREATE TABLE suggestions (
    task text not null,
    example text not null,
    revision bigint not null,
    version text not null,
    answer text not null,
    confidence double precision not null,
    disagrees bigint not null,
    made_at bigint not null, fields text not null default '{}',
    primary key (task, example),
    foreign key (task, example) references examples (task, id)
);
CREATE TABLE imports (
    id text not null primary key,
    kind text not null,
    task text,
    state text not null check (state in ('running', 'done', 'failed')),
    done bigint not null,
    total bigint,
    report text,
    problem text,
    created_by text not null,
    created_at bigint not null,
    finished_at bigint
, reader text);
CREATE TABLE users (
    name text not null primary key,
    role text not null check (role in ('viewer', 'auditor', 'trainer', 'admin')),
    password text not null,
    created_by text not null,
    created_at bigint not null
);
CREATE TABLE tokens (
    id text not null primary key,
    hash text not null unique,
    role text not null check (role in ('viewer', 'auditor', 'trainer', 'admin')),
    label text not null,
    created_by text not null,
    created_at bigint not null,
    used_at bigint,
    expires_at bigint
);
CREATE TABLE sessions (
    hash text not null primary key,
    who text not null,
    role text not null check (role in ('viewer', 'auditor', 'trainer', 'admin')),
    created_at bigint not null,
    expires_at bigint not null
, token text, configured text);
CREATE TABLE idempotency (
    who text not null,
    route text not null,
    key text not null,
    digest text not null,
    status bigint,
    reply text,
    created_at bigint not null,
    expires_at bigint not null, answering text,
    primary key (who, route, key)
);
CREATE TABLE workers (
    id text not null primary key,
    host text not null,
    pid bigint not null,
    slots bigint not null,
    graft text not null,
    started_at bigint not null,
    seen_at bigint not null
);
CREATE UNIQUE INDEX runs_request_key on runs (request_key);
CREATE UNIQUE INDEX runs_active on runs (task) where kind = 'train' and state in ('queued', 'starting', 'running');
CREATE UNIQUE INDEX runs_measuring on runs (task, version)
    where kind = 'evaluate' and state in ('queued', 'starting', 'running');
CREATE TABLE run_events (
    run text not null,
    seq bigint not null,
    brief bigint not null,
    event text not null,
    primary key (run, seq),
    foreign key (run) references runs (id) on delete cascade
);
CREATE TABLE run_logs (
    run text not null,
    stream text not null check (stream in ('stdout', 'stderr')),
    begins bigint not null,
    ends bigint not null,
    text text not null,
    primary key (run, stream, begins),
    foreign key (run) references runs (id) on delete cascade
);
CREATE TABLE run_cursors (
    run text not null primary key,
    events bigint not null,
    stdout bigint not null,
    stderr bigint not null,
    stdout_from bigint not null,
    stderr_from bigint not null,
    progress text,
    result text,
    foreign key (run) references runs (id) on delete cascade
);
CREATE TABLE machines (
    name text not null primary key,
    destination text not null,
    slots bigint not null,
    program text,
    created_by text not null,
    created_at bigint not null
);
insert into graft_schema (version, name) values (1, 'start');
insert into graft_schema (version, name) values (2, 'service');
insert into graft_schema (version, name) values (3, 'requests');
insert into graft_schema (version, name) values (4, 'fields');
insert into graft_schema (version, name) values (5, 'kinds');
insert into graft_schema (version, name) values (6, 'places');
insert into graft_schema (version, name) values (7, 'sessions');
insert into graft_schema (version, name) values (8, 'readers');
insert into graft_schema (version, name) values (9, 'failures');
insert into graft_schema (version, name) values (10, 'events');
insert into graft_schema (version, name) values (11, 'methods');
insert into graft_schema (version, name) values (12, 'machines');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:8487d403eacb', 1, 1, 'csv', 'row 2', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:8487d403eacb
no no no no no no 0
bad');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:192856939b6b', 2, 1, 'csv', 'row 3', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:192856939b6b
yes yes yes yes yes yes 1
good');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:644b9038b63a', 3, 1, 'csv', 'row 4', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:644b9038b63a
no no no no no no 2
bad');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:0cb06c40bc5b', 4, 1, 'csv', 'row 5', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:0cb06c40bc5b
yes yes yes yes yes yes 3
good');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:2ebba1fe6264', 5, 1, 'csv', 'row 6', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:2ebba1fe6264
no no no no no no 4
bad');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:08d1ed41a8e3', 6, 1, 'csv', 'row 7', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:08d1ed41a8e3
yes yes yes yes yes yes 5
good');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:b89754973f79', 7, 1, 'csv', 'row 8', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:b89754973f79
no no no no no no 6
bad');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:276446f0c187', 8, 1, 'csv', 'row 9', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:276446f0c187
yes yes yes yes yes yes 7
good');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:e3f7f7e7ee15', 9, 1, 'csv', 'row 10', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:e3f7f7e7ee15
no no no no no no 8
bad');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:009383548441', 10, 1, 'csv', 'row 11', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:009383548441
yes yes yes yes yes yes 9
good');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:2f3150ad04f5', 11, 1, 'csv', 'row 12', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:2f3150ad04f5
no no no no no no 10
bad');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:5d5e8b57ef84', 12, 1, 'csv', 'row 13', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:5d5e8b57ef84
yes yes yes yes yes yes 11
good');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:5371d643de0b', 13, 1, 'csv', 'row 14', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:5371d643de0b
no no no no no no 12
bad');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:a2c849878456', 14, 1, 'csv', 'row 15', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:a2c849878456
yes yes yes yes yes yes 13
good');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:ee4876f8e470', 15, 1, 'csv', 'row 16', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:ee4876f8e470
no no no no no no 14
bad');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:239db32e4346', 16, 1, 'csv', 'row 17', null, 'approved', 'ada', 1795856869143, null, 0, 'csv:239db32e4346
yes yes yes yes yes yes 15
good');
insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by, reviewed_at, reject_reason, touched, folded) values ('text-classification', 'csv:18ba750712c3', 17, 1, 'csv', 'row 18', null, 'pending', null, null, null, 0, 'csv:18ba750712c3
and one without
');
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:8487d403eacb', 1, 'no no no no no no 0', '"bad"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:192856939b6b', 1, 'yes yes yes yes yes yes 1', '"good"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:644b9038b63a', 1, 'no no no no no no 2', '"bad"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:0cb06c40bc5b', 1, 'yes yes yes yes yes yes 3', '"good"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:2ebba1fe6264', 1, 'no no no no no no 4', '"bad"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:08d1ed41a8e3', 1, 'yes yes yes yes yes yes 5', '"good"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:b89754973f79', 1, 'no no no no no no 6', '"bad"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:276446f0c187', 1, 'yes yes yes yes yes yes 7', '"good"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:e3f7f7e7ee15', 1, 'no no no no no no 8', '"bad"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:009383548441', 1, 'yes yes yes yes yes yes 9', '"good"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:2f3150ad04f5', 1, 'no no no no no no 10', '"bad"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:5d5e8b57ef84', 1, 'yes yes yes yes yes yes 11', '"good"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:5371d643de0b', 1, 'no no no no no no 12', '"bad"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:a2c849878456', 1, 'yes yes yes yes yes yes 13', '"good"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:ee4876f8e470', 1, 'no no no no no no 14', '"bad"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:239db32e4346', 1, 'yes yes yes yes yes yes 15', '"good"', 'import by ada', 1795856869207);
insert into example_revisions (task, id, revision, input, output, created_by, created_at) values ('text-classification', 'csv:18ba750712c3', 1, 'and one without', null, 'import by ada', 1795856869207);
insert into assignments (task, example, side) values ('text-classification', 'csv:009383548441', 'train');
insert into assignments (task, example, side) values ('text-classification', 'csv:08d1ed41a8e3', 'train');
insert into assignments (task, example, side) values ('text-classification', 'csv:0cb06c40bc5b', 'train');
insert into assignments (task, example, side) values ('text-classification', 'csv:192856939b6b', 'train');
insert into assignments (task, example, side) values ('text-classification', 'csv:239db32e4346', 'eval');
insert into assignments (task, example, side) values ('text-classification', 'csv:276446f0c187', 'train');
insert into assignments (task, example, side) values ('text-classification', 'csv:2ebba1fe6264', 'train');
insert into assignments (task, example, side) values ('text-classification', 'csv:2f3150ad04f5', 'train');
insert into assignments (task, example, side) values ('text-classification', 'csv:5371d643de0b', 'eval');
insert into assignments (task, example, side) values ('text-classification', 'csv:5d5e8b57ef84', 'train');
insert into assignments (task, example, side) values ('text-classification', 'csv:644b9038b63a', 'train');
insert into assignments (task, example, side) values ('text-classification', 'csv:8487d403eacb', 'train');
insert into assignments (task, example, side) values ('text-classification', 'csv:a2c849878456', 'train');
insert into assignments (task, example, side) values ('text-classification', 'csv:b89754973f79', 'train');
insert into assignments (task, example, side) values ('text-classification', 'csv:e3f7f7e7ee15', 'train');
insert into assignments (task, example, side) values ('text-classification', 'csv:ee4876f8e470', 'eval');
insert into datasets (task, digest, leaking, created_by, created_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', '[]', 'ada', 1795856869553);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'train', 0, 'csv:8487d403eacb', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'train', 1, 'csv:192856939b6b', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'train', 2, 'csv:644b9038b63a', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'train', 3, 'csv:0cb06c40bc5b', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'train', 4, 'csv:2ebba1fe6264', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'train', 5, 'csv:08d1ed41a8e3', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'train', 6, 'csv:b89754973f79', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'train', 7, 'csv:276446f0c187', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'train', 8, 'csv:e3f7f7e7ee15', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'train', 9, 'csv:009383548441', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'train', 10, 'csv:2f3150ad04f5', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'train', 11, 'csv:5d5e8b57ef84', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'train', 12, 'csv:a2c849878456', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'eval', 0, 'csv:5371d643de0b', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'eval', 1, 'csv:ee4876f8e470', 1, 'ada', 1795856869143);
insert into dataset_members (task, digest, side, position, example, revision, approved_by, approved_at) values ('text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', 'eval', 2, 'csv:239db32e4346', 1, 'ada', 1795856869143);
insert into bases (name, path, digest, added_by, added_at) values ('tiny', '{MODEL}', '14118f7ba7cd3d29a6a68699aa6347085ff4d4e9ade9089415aee71982f17068', 'ada', 1795856869327);
insert into runs (id, seq, task, state, method, base_name, dataset, spec, dir, pid, train_samples, eval_samples, final_loss, error, exit_code, created_by, created_at, started_at, finished_at, priority, threads, attempts, max_attempts, fence, lease_owner, lease_clock, lease_until, not_before, wants, phase, after_run, activate, version, request, request_key, kind, place, failure, machine) values ('text-classification-20261127-160000', 1, 'text-classification', 'succeeded', 'lora', 'tiny', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', '{"run":"text-classification-20261127-160000","graft":"0.1.0","base":{"name":"tiny","digest":"14118f7ba7cd3d29a6a68699aa6347085ff4d4e9ade9089415aee71982f17068"},"task":{"name":"text-classification","instruction":"Classify the text.","answer":{"form":"label","labels":["bad","good"]}},"dataset":"f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f","adapter":{"method":"lora","rank":8,"alpha":32.0,"dropout":0.0,"rslora":false,"targets":"all-linear"},"optim":{"epochs":0.5,"lr":0.0005,"schedule":"cosine","warmup":0.05,"batch":8,"weight_decay":0.0,"eps":1e-08,"clip":1.0,"seed":42,"typos":0.0,"exchanged":0.0,"reworded":0.0},"eval":{"per_epoch":1,"patience":0,"examples":64,"checkpoints_per_epoch":4},"limits":{"max_tokens":1024,"max_source":512,"max_target":512,"pass_tokens":512,"recompute":false,"memory":null,"threads":null,"precision":"auto"}}', 'runs/text-classification-20261127-160000', 18186, 13, 3, 5.963195887478915, null, 0, 'ada', 1795856869553, 1795856869673, 1795856870179, 1, null, 1, 1, 1, null, null, null, null, null, 'evaluate', null, 0, null, '{"task":"text-classification","base":"tiny","method":"lora","effort":"recommended","settings":{"epochs":0.5,"rank":8},"eval_share":0.2,"split":"newest","priority":"normal","activate":false,"evaluate":true,"score_base":true,"baseline":false}', null, 'train', 'host:000000000000', null, null);
insert into versions (task, name, seq, run, adapter_dir, adapter_digest, base_name, base_digest, dataset, card, card_digest, metrics, parent, stage, created_by, created_at, method) values ('text-classification', 'v1', 1, 'text-classification-20261127-160000', 'adapters/text-classification/text-classification-20261127-160000', '95e765bdade128b92167edf00e523b39b4c77fdeb88872f649bbfb5a6d60cf03', 'tiny', '14118f7ba7cd3d29a6a68699aa6347085ff4d4e9ade9089415aee71982f17068', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', '{"name":"text-classification","instruction":"Classify the text.","answer":{"form":"label","labels":["bad","good"]}}', 'f30957d9fb0b744c38e387011cc5b515a4f8554e98cf85f4a218b10824da3ec0', '{"training":{"samples":13,"eval_samples":3,"too_long":0,"steps":1,"final_loss":5.9891717274983725,"eval_loss":5.963195887478915,"seconds":0.00777699,"tokens_per_second":56448.57457705359,"peak_memory":68812800},"evaluation":{"dataset":"f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f","at":1795856870071,"adapter":{"task":"text-classification","n":3,"answered":3,"metrics":[{"name":"accuracy","value":0.6666666666666666,"low":0.2076595988078242,"high":0.9385080559790692},{"name":"macro_f1","value":0.4,"low":0.25,"high":1.0}],"labels":[{"label":"bad","support":2,"precision":0.6666666666666666,"recall":1.0,"f1":0.8},{"label":"good","support":1,"precision":0.0,"recall":0.0,"f1":0.0}],"confusion":{"labels":["bad","good"],"counts":[[2,0,0],[1,0,0]]},"headline":"accuracy","per_example":[1.0,1.0,0.0],"truth":"a684a2d3280ce817112877ef01c64e4671ffedef56660de2556a3113d9f49023","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"base":{"task":"text-classification","n":3,"answered":3,"metrics":[{"name":"accuracy","value":0.6666666666666666,"low":0.2076595988078242,"high":0.9385080559790692},{"name":"macro_f1","value":0.4,"low":0.25,"high":1.0}],"labels":[{"label":"bad","support":2,"precision":0.6666666666666666,"recall":1.0,"f1":0.8},{"label":"good","support":1,"precision":0.0,"recall":0.0,"f1":0.0}],"confusion":{"labels":["bad","good"],"counts":[[2,0,0],[1,0,0]]},"headline":"accuracy","per_example":[1.0,1.0,0.0],"truth":"a684a2d3280ce817112877ef01c64e4671ffedef56660de2556a3113d9f49023","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"baseline":{"name":"n-grams","scores":{"task":"text-classification","n":3,"answered":3,"metrics":[{"name":"accuracy","value":1.0,"low":0.4385029643606803,"high":1.0},{"name":"macro_f1","value":1.0,"low":0.4385029643606803,"high":1.0}],"labels":[{"label":"bad","support":2,"precision":1.0,"recall":1.0,"f1":1.0},{"label":"good","support":1,"precision":1.0,"recall":1.0,"f1":1.0}],"confusion":{"labels":["bad","good"],"counts":[[2,0,0],[0,1,0]]},"headline":"accuracy","per_example":[1.0,1.0,1.0],"truth":"a684a2d3280ce817112877ef01c64e4671ffedef56660de2556a3113d9f49023","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"}},"contestants":[{"kind":"n-grams","name":"n-grams","scores":{"task":"text-classification","n":3,"answered":3,"metrics":[{"name":"accuracy","value":1.0,"low":0.4385029643606803,"high":1.0},{"name":"macro_f1","value":1.0,"low":0.4385029643606803,"high":1.0}],"labels":[{"label":"bad","support":2,"precision":1.0,"recall":1.0,"f1":1.0},{"label":"good","support":1,"precision":1.0,"recall":1.0,"f1":1.0}],"confusion":{"labels":["bad","good"],"counts":[[2,0,0],[0,1,0]]},"headline":"accuracy","per_example":[1.0,1.0,1.0],"truth":"a684a2d3280ce817112877ef01c64e4671ffedef56660de2556a3113d9f49023","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"cross_validated":{"task":"text-classification","n":16,"answered":16,"metrics":[{"name":"accuracy","value":1.0,"low":0.8063923170025952,"high":1.0},{"name":"macro_f1","value":1.0,"low":0.8063923170025952,"high":1.0}],"labels":[{"label":"bad","support":8,"precision":1.0,"recall":1.0,"f1":1.0},{"label":"good","support":8,"precision":1.0,"recall":1.0,"f1":1.0}],"confusion":{"labels":["bad","good"],"counts":[[8,0,0],[0,8,0]]},"headline":"accuracy","per_example":[1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0],"truth":"d88e06a09582b8e37c12ca3dc3f2998c9a26f2bfd27d2f9f2ebbd14269bb3728","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"seconds_to_fit":0.004149456,"seconds_per_answer":0.000015586333333333334},{"kind":"nearest","name":"nearest example","scores":{"task":"text-classification","n":3,"answered":3,"metrics":[{"name":"accuracy","value":1.0,"low":0.4385029643606803,"high":1.0},{"name":"macro_f1","value":1.0,"low":0.4385029643606803,"high":1.0}],"labels":[{"label":"bad","support":2,"precision":1.0,"recall":1.0,"f1":1.0},{"label":"good","support":1,"precision":1.0,"recall":1.0,"f1":1.0}],"confusion":{"labels":["bad","good"],"counts":[[2,0,0],[0,1,0]]},"headline":"accuracy","per_example":[1.0,1.0,1.0],"truth":"a684a2d3280ce817112877ef01c64e4671ffedef56660de2556a3113d9f49023","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"cross_validated":{"task":"text-classification","n":16,"answered":16,"metrics":[{"name":"accuracy","value":1.0,"low":0.8063923170025952,"high":1.0},{"name":"macro_f1","value":1.0,"low":0.8063923170025952,"high":1.0}],"labels":[{"label":"bad","support":8,"precision":1.0,"recall":1.0,"f1":1.0},{"label":"good","support":8,"precision":1.0,"recall":1.0,"f1":1.0}],"confusion":{"labels":["bad","good"],"counts":[[8,0,0],[0,8,0]]},"headline":"accuracy","per_example":[1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0],"truth":"d88e06a09582b8e37c12ca3dc3f2998c9a26f2bfd27d2f9f2ebbd14269bb3728","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"seconds_to_fit":0.000112987,"seconds_per_answer":8.552666666666667e-6},{"kind":"most-frequent","name":"always good","scores":{"task":"text-classification","n":3,"answered":3,"metrics":[{"name":"accuracy","value":0.3333333333333333,"low":0.061491944020930805,"high":0.7923404011921757},{"name":"macro_f1","value":0.25,"low":0.0,"high":0.4}],"labels":[{"label":"bad","support":2,"precision":0.0,"recall":0.0,"f1":0.0},{"label":"good","support":1,"precision":0.3333333333333333,"recall":1.0,"f1":0.5}],"confusion":{"labels":["bad","good"],"counts":[[0,2,0],[0,1,0]]},"headline":"accuracy","per_example":[0.0,0.0,1.0],"truth":"a684a2d3280ce817112877ef01c64e4671ffedef56660de2556a3113d9f49023","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"cross_validated":{"task":"text-classification","n":16,"answered":16,"metrics":[{"name":"accuracy","value":0.375,"low":0.1848123245154645,"high":0.6135895962338866},{"name":"macro_f1","value":0.36507936507936506,"low":0.125,"high":0.6}],"labels":[{"label":"bad","support":8,"precision":0.3333333333333333,"recall":0.25,"f1":0.2857142857142857},{"label":"good","support":8,"precision":0.4,"recall":0.5,"f1":0.4444444444444444}],"confusion":{"labels":["bad","good"],"counts":[[2,6,0],[4,4,0]]},"headline":"accuracy","per_example":[0.0,0.0,0.0,0.0,0.0,1.0,1.0,1.0,1.0,1.0,0.0,0.0,0.0,0.0,0.0,1.0],"truth":"d88e06a09582b8e37c12ca3dc3f2998c9a26f2bfd27d2f9f2ebbd14269bb3728","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"seconds_to_fit":6.299e-6,"seconds_per_answer":2.547e-6}],"from_parser":0,"calibration":{"method":{"method":"identity"},"before":{"count":3,"ece":0.5018917563971436,"brier":0.2523587622168715,"bins":[{"count":1,"confidence":0.5110266041100423,"accuracy":1.0},{"count":1,"confidence":0.5155232667401096,"accuracy":1.0},{"count":1,"confidence":0.5322251400415826,"accuracy":0.0}]},"after":{"count":3,"ece":0.5018917563971436,"brier":0.2523587622168715,"bins":[{"count":1,"confidence":0.5110266041100423,"accuracy":1.0},{"count":1,"confidence":0.5155232667401096,"accuracy":1.0},{"count":1,"confidence":0.5322251400415826,"accuracy":0.0}]}},"fields":{},"confidences":[0.5155232667401096,0.5110266041100423,0.5322251400415826],"seconds_per_answer":0.007913667666666667,"worst":[{"place":2,"score":0.0,"answer":"bad"}],"right":[{"place":0,"score":1.0,"answer":"bad"},{"place":1,"score":1.0,"answer":"bad"}]}}', null, 'active', 'ada', 1795856869831, 'adapter');
insert into versions (task, name, seq, run, adapter_dir, adapter_digest, base_name, base_digest, dataset, card, card_digest, metrics, parent, stage, created_by, created_at, method) values ('text-classification', 'v2', 2, null, 'adapters/text-classification/added-e005ae8f2139', '95e765bdade128b92167edf00e523b39b4c77fdeb88872f649bbfb5a6d60cf03', 'tiny', '14118f7ba7cd3d29a6a68699aa6347085ff4d4e9ade9089415aee71982f17068', null, '{"name":"text-classification","instruction":"Classify the text.","answer":{"form":"label","labels":["bad","good"]}}', 'f30957d9fb0b744c38e387011cc5b515a4f8554e98cf85f4a218b10824da3ec0', '{}', null, 'shadow', 'ada', 1795856882798, 'adapter');
insert into activations (seq, task, version, adapter_digest, previous, action, created_by, created_at) values (1, 'text-classification', 'v1', '95e765bdade128b92167edf00e523b39b4c77fdeb88872f649bbfb5a6d60cf03', null, 'activate', 'ada', 1795856882942);
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (1, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:8487d403eacb', null, '{"input":"no no no no no no 0","output":"bad","source":{"kind":"csv","reference":"row 2","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (2, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:192856939b6b', null, '{"input":"yes yes yes yes yes yes 1","output":"good","source":{"kind":"csv","reference":"row 3","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (3, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:644b9038b63a', null, '{"input":"no no no no no no 2","output":"bad","source":{"kind":"csv","reference":"row 4","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (4, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:0cb06c40bc5b', null, '{"input":"yes yes yes yes yes yes 3","output":"good","source":{"kind":"csv","reference":"row 5","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (5, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:2ebba1fe6264', null, '{"input":"no no no no no no 4","output":"bad","source":{"kind":"csv","reference":"row 6","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (6, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:08d1ed41a8e3', null, '{"input":"yes yes yes yes yes yes 5","output":"good","source":{"kind":"csv","reference":"row 7","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (7, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:b89754973f79', null, '{"input":"no no no no no no 6","output":"bad","source":{"kind":"csv","reference":"row 8","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (8, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:276446f0c187', null, '{"input":"yes yes yes yes yes yes 7","output":"good","source":{"kind":"csv","reference":"row 9","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (9, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:e3f7f7e7ee15', null, '{"input":"no no no no no no 8","output":"bad","source":{"kind":"csv","reference":"row 10","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (10, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:009383548441', null, '{"input":"yes yes yes yes yes yes 9","output":"good","source":{"kind":"csv","reference":"row 11","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (11, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:2f3150ad04f5', null, '{"input":"no no no no no no 10","output":"bad","source":{"kind":"csv","reference":"row 12","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (12, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:5d5e8b57ef84', null, '{"input":"yes yes yes yes yes yes 11","output":"good","source":{"kind":"csv","reference":"row 13","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (13, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:5371d643de0b', null, '{"input":"no no no no no no 12","output":"bad","source":{"kind":"csv","reference":"row 14","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (14, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:a2c849878456', null, '{"input":"yes yes yes yes yes yes 13","output":"good","source":{"kind":"csv","reference":"row 15","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (15, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:ee4876f8e470', null, '{"input":"no no no no no no 14","output":"bad","source":{"kind":"csv","reference":"row 16","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (16, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:239db32e4346', null, '{"input":"yes yes yes yes yes yes 15","output":"good","source":{"kind":"csv","reference":"row 17","at":null},"review":{"state":"approved","by":"ada","at":1795856869143},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (17, 1795856869207, 'import by ada', 'import', 'example', 'text-classification', 'csv:18ba750712c3', null, '{"input":"and one without","output":null,"source":{"kind":"csv","reference":"row 18","at":null},"review":{"state":"pending"},"revision":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (18, 1795856869327, 'ada', 'add', 'base', '', 'tiny', null, '{"name":"tiny","path":"{MODEL}","digest":"14118f7ba7cd3d29a6a68699aa6347085ff4d4e9ade9089415aee71982f17068","added_at":1795856869327}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (20, 1795856869553, 'ada', 'add', 'run', 'text-classification', 'text-classification-20261127-160000', null, '{"kind":"train","state":"queued","dir":"runs/text-classification-20261127-160000"}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (21, 1795856869553, 'ada', 'add', 'dataset', 'text-classification', 'f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f', null, '{"train":13,"eval":3,"leaking":[]}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (22, 1795856869564, 'ada', 'state', 'run', 'text-classification', 'text-classification-20261127-160000', '{"state":"queued","phase":null}', '{"state":"starting","phase":null,"exit_code":null,"worker":"host:000000000000/18165/1795856869480","fence":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (23, 1795856869654, 'ada', 'state', 'run', 'text-classification', 'text-classification-20261127-160000', '{"state":"starting","phase":null}', '{"state":"starting","phase":"prepare","exit_code":null,"worker":"host:000000000000/18165/1795856869480","fence":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (24, 1795856869673, 'ada', 'state', 'run', 'text-classification', 'text-classification-20261127-160000', '{"state":"starting","phase":"prepare"}', '{"state":"running","phase":"prepare","exit_code":null,"worker":"host:000000000000/18165/1795856869480","fence":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (25, 1795856869689, 'ada', 'state', 'run', 'text-classification', 'text-classification-20261127-160000', '{"state":"running","phase":"prepare"}', '{"state":"running","phase":"train","exit_code":null,"worker":"host:000000000000/18165/1795856869480","fence":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (26, 1795856869799, 'ada', 'state', 'run', 'text-classification', 'text-classification-20261127-160000', '{"state":"running","phase":"train"}', '{"state":"running","phase":"evaluate","exit_code":null,"worker":"host:000000000000/18165/1795856869480","fence":1}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (27, 1795856869831, 'ada', 'add', 'version', 'text-classification', 'v1', null, '{"stage":"shadow","adapter":"95e765bdade128b92167edf00e523b39b4c77fdeb88872f649bbfb5a6d60cf03","run":"text-classification-20261127-160000"}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (28, 1795856870170, 'ada', 'set', 'version', 'text-classification', 'v1', '{"metrics":{"training":{"samples":13,"eval_samples":3,"too_long":0,"steps":1,"final_loss":5.9891717274983725,"eval_loss":5.963195887478915,"seconds":0.00777699,"tokens_per_second":56448.57457705359,"peak_memory":68812800}}}', '{"metrics":{"training":{"samples":13,"eval_samples":3,"too_long":0,"steps":1,"final_loss":5.9891717274983725,"eval_loss":5.963195887478915,"seconds":0.00777699,"tokens_per_second":56448.57457705359,"peak_memory":68812800},"evaluation":{"dataset":"f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f","at":1795856870071,"adapter":{"task":"text-classification","n":3,"answered":3,"metrics":[{"name":"accuracy","value":0.6666666666666666,"low":0.2076595988078242,"high":0.9385080559790692},{"name":"macro_f1","value":0.4,"low":0.25,"high":1.0}],"labels":[{"label":"bad","support":2,"precision":0.6666666666666666,"recall":1.0,"f1":0.8},{"label":"good","support":1,"precision":0.0,"recall":0.0,"f1":0.0}],"confusion":{"labels":["bad","good"],"counts":[[2,0,0],[1,0,0]]},"headline":"accuracy","per_example":[1.0,1.0,0.0],"truth":"a684a2d3280ce817112877ef01c64e4671ffedef56660de2556a3113d9f49023","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"base":{"task":"text-classification","n":3,"answered":3,"metrics":[{"name":"accuracy","value":0.6666666666666666,"low":0.2076595988078242,"high":0.9385080559790692},{"name":"macro_f1","value":0.4,"low":0.25,"high":1.0}],"labels":[{"label":"bad","support":2,"precision":0.6666666666666666,"recall":1.0,"f1":0.8},{"label":"good","support":1,"precision":0.0,"recall":0.0,"f1":0.0}],"confusion":{"labels":["bad","good"],"counts":[[2,0,0],[1,0,0]]},"headline":"accuracy","per_example":[1.0,1.0,0.0],"truth":"a684a2d3280ce817112877ef01c64e4671ffedef56660de2556a3113d9f49023","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"baseline":{"name":"n-grams","scores":{"task":"text-classification","n":3,"answered":3,"metrics":[{"name":"accuracy","value":1.0,"low":0.4385029643606803,"high":1.0},{"name":"macro_f1","value":1.0,"low":0.4385029643606803,"high":1.0}],"labels":[{"label":"bad","support":2,"precision":1.0,"recall":1.0,"f1":1.0},{"label":"good","support":1,"precision":1.0,"recall":1.0,"f1":1.0}],"confusion":{"labels":["bad","good"],"counts":[[2,0,0],[0,1,0]]},"headline":"accuracy","per_example":[1.0,1.0,1.0],"truth":"a684a2d3280ce817112877ef01c64e4671ffedef56660de2556a3113d9f49023","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"}},"contestants":[{"kind":"n-grams","name":"n-grams","scores":{"task":"text-classification","n":3,"answered":3,"metrics":[{"name":"accuracy","value":1.0,"low":0.4385029643606803,"high":1.0},{"name":"macro_f1","value":1.0,"low":0.4385029643606803,"high":1.0}],"labels":[{"label":"bad","support":2,"precision":1.0,"recall":1.0,"f1":1.0},{"label":"good","support":1,"precision":1.0,"recall":1.0,"f1":1.0}],"confusion":{"labels":["bad","good"],"counts":[[2,0,0],[0,1,0]]},"headline":"accuracy","per_example":[1.0,1.0,1.0],"truth":"a684a2d3280ce817112877ef01c64e4671ffedef56660de2556a3113d9f49023","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"cross_validated":{"task":"text-classification","n":16,"answered":16,"metrics":[{"name":"accuracy","value":1.0,"low":0.8063923170025952,"high":1.0},{"name":"macro_f1","value":1.0,"low":0.8063923170025952,"high":1.0}],"labels":[{"label":"bad","support":8,"precision":1.0,"recall":1.0,"f1":1.0},{"label":"good","support":8,"precision":1.0,"recall":1.0,"f1":1.0}],"confusion":{"labels":["bad","good"],"counts":[[8,0,0],[0,8,0]]},"headline":"accuracy","per_example":[1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0],"truth":"d88e06a09582b8e37c12ca3dc3f2998c9a26f2bfd27d2f9f2ebbd14269bb3728","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"seconds_to_fit":0.004149456,"seconds_per_answer":0.000015586333333333334},{"kind":"nearest","name":"nearest example","scores":{"task":"text-classification","n":3,"answered":3,"metrics":[{"name":"accuracy","value":1.0,"low":0.4385029643606803,"high":1.0},{"name":"macro_f1","value":1.0,"low":0.4385029643606803,"high":1.0}],"labels":[{"label":"bad","support":2,"precision":1.0,"recall":1.0,"f1":1.0},{"label":"good","support":1,"precision":1.0,"recall":1.0,"f1":1.0}],"confusion":{"labels":["bad","good"],"counts":[[2,0,0],[0,1,0]]},"headline":"accuracy","per_example":[1.0,1.0,1.0],"truth":"a684a2d3280ce817112877ef01c64e4671ffedef56660de2556a3113d9f49023","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"cross_validated":{"task":"text-classification","n":16,"answered":16,"metrics":[{"name":"accuracy","value":1.0,"low":0.8063923170025952,"high":1.0},{"name":"macro_f1","value":1.0,"low":0.8063923170025952,"high":1.0}],"labels":[{"label":"bad","support":8,"precision":1.0,"recall":1.0,"f1":1.0},{"label":"good","support":8,"precision":1.0,"recall":1.0,"f1":1.0}],"confusion":{"labels":["bad","good"],"counts":[[8,0,0],[0,8,0]]},"headline":"accuracy","per_example":[1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0],"truth":"d88e06a09582b8e37c12ca3dc3f2998c9a26f2bfd27d2f9f2ebbd14269bb3728","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"seconds_to_fit":0.000112987,"seconds_per_answer":8.552666666666667e-6},{"kind":"most-frequent","name":"always good","scores":{"task":"text-classification","n":3,"answered":3,"metrics":[{"name":"accuracy","value":0.3333333333333333,"low":0.061491944020930805,"high":0.7923404011921757},{"name":"macro_f1","value":0.25,"low":0.0,"high":0.4}],"labels":[{"label":"bad","support":2,"precision":0.0,"recall":0.0,"f1":0.0},{"label":"good","support":1,"precision":0.3333333333333333,"recall":1.0,"f1":0.5}],"confusion":{"labels":["bad","good"],"counts":[[0,2,0],[0,1,0]]},"headline":"accuracy","per_example":[0.0,0.0,1.0],"truth":"a684a2d3280ce817112877ef01c64e4671ffedef56660de2556a3113d9f49023","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"cross_validated":{"task":"text-classification","n":16,"answered":16,"metrics":[{"name":"accuracy","value":0.375,"low":0.1848123245154645,"high":0.6135895962338866},{"name":"macro_f1","value":0.36507936507936506,"low":0.125,"high":0.6}],"labels":[{"label":"bad","support":8,"precision":0.3333333333333333,"recall":0.25,"f1":0.2857142857142857},{"label":"good","support":8,"precision":0.4,"recall":0.5,"f1":0.4444444444444444}],"confusion":{"labels":["bad","good"],"counts":[[2,6,0],[4,4,0]]},"headline":"accuracy","per_example":[0.0,0.0,0.0,0.0,0.0,1.0,1.0,1.0,1.0,1.0,0.0,0.0,0.0,0.0,0.0,1.0],"truth":"d88e06a09582b8e37c12ca3dc3f2998c9a26f2bfd27d2f9f2ebbd14269bb3728","rules":"411a485216e432ece6b9af94fa32154cf79a2a56d4f81266baa50063f45092bd"},"seconds_to_fit":6.299e-6,"seconds_per_answer":2.547e-6}],"from_parser":0,"calibration":{"method":{"method":"identity"},"before":{"count":3,"ece":0.5018917563971436,"brier":0.2523587622168715,"bins":[{"count":1,"confidence":0.5110266041100423,"accuracy":1.0},{"count":1,"confidence":0.5155232667401096,"accuracy":1.0},{"count":1,"confidence":0.5322251400415826,"accuracy":0.0}]},"after":{"count":3,"ece":0.5018917563971436,"brier":0.2523587622168715,"bins":[{"count":1,"confidence":0.5110266041100423,"accuracy":1.0},{"count":1,"confidence":0.5155232667401096,"accuracy":1.0},{"count":1,"confidence":0.5322251400415826,"accuracy":0.0}]}},"fields":{},"confidences":[0.5155232667401096,0.5110266041100423,0.5322251400415826],"seconds_per_answer":0.007913667666666667,"worst":[{"place":2,"score":0.0,"answer":"bad"}],"right":[{"place":0,"score":1.0,"answer":"bad"},{"place":1,"score":1.0,"answer":"bad"}]}}}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (29, 1795856870179, 'ada', 'state', 'run', 'text-classification', 'text-classification-20261127-160000', '{"state":"running","phase":"evaluate"}', '{"state":"succeeded","phase":"evaluate","exit_code":0}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (30, 1795856882798, 'ada', 'add', 'version', 'text-classification', 'v2', null, '{"stage":"shadow","adapter":"95e765bdade128b92167edf00e523b39b4c77fdeb88872f649bbfb5a6d60cf03","run":null}');
insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values (31, 1795856882942, 'ada', 'activate', 'version', 'text-classification', 'v1', '{"active":null}', '{"active":"v1"}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 1, 0, '{"seq":1,"at":1795856869653,"event":"phase","phase":"prepare"}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 2, 0, '{"seq":2,"at":1795856869656,"event":"note","text":"Settings: LoRA of rank 8, alpha 32, dropout 0; learning rate 0.0005, 8 examples a step, 0.5 epochs; at most 1024 tokens an example; seed 42; dataset f7307fd1e397; Graft 0.1.0."}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 3, 0, '{"seq":3,"at":1795856869671,"event":"note","text":"Computing products in bf16 (avx512-bf16)."}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 4, 0, '{"seq":4,"at":1795856869672,"event":"prepared","train":13,"eval":3,"too_long":0,"tokens":731,"supervised":53,"steps":1,"memory":245588485}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 5, 0, '{"seq":5,"at":1795856869673,"event":"phase","phase":"train"}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 6, 0, '{"seq":6,"at":1795856869687,"event":"step","step":1,"of":1,"loss":5.9891717274983725,"lr":0.00025,"grad_norm":2.925722540507014,"tokens_per_s":56448.57457705359,"eta_s":0.0,"memory":64356352}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 7, 0, '{"seq":7,"at":1795856869707,"event":"checkpoint","step":1}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 8, 0, '{"seq":8,"at":1795856869709,"event":"phase","phase":"evaluate"}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 9, 0, '{"seq":9,"at":1795856869712,"event":"eval","step":1,"loss":5.963195887478915,"best":true,"seconds":0.000925179}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 10, 0, '{"seq":10,"at":1795856869743,"event":"done","steps":1,"final_loss":5.9891717274983725}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 11, 0, '{"seq":11,"at":1795856869850,"event":"phase","phase":"evaluate"}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 12, 0, '{"seq":12,"at":1795856869982,"event":"answered","done":1,"of":6}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 13, 0, '{"seq":13,"at":1795856869982,"event":"answered","done":2,"of":6}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 14, 0, '{"seq":14,"at":1795856869983,"event":"answered","done":3,"of":6}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 15, 0, '{"seq":15,"at":1795856869994,"event":"answered","done":4,"of":6}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 16, 0, '{"seq":16,"at":1795856869995,"event":"answered","done":5,"of":6}');
insert into run_events (run, seq, brief, event) values ('text-classification-20261127-160000', 17, 0, '{"seq":17,"at":1795856869995,"event":"answered","done":6,"of":6}');
insert into run_logs (run, stream, begins, ends, text) values ('text-classification-20261127-160000', 'stdout', 0, 1881, 'Preparing the data and the base model …
Settings: LoRA of rank 8, alpha 32, dropout 0; learning rate 0.0005, 8 examples a step, 0.5 epochs; at most 1024 tokens an example; seed 42; dataset f7307fd1e397; Graft 0.1.0.
Base model tiny: from a path on this machine ({MODEL})
Computing products in bf16 (avx512-bf16).
13 training examples, 3 held out; 731 tokens (53 supervised), 1 steps, about 245.6 MB of memory
Training …
step 1/1  loss 5.9892  lr 2.50e-4  56449 tokens/s  0 s left
Measuring the held-out loss …
step 1: held-out loss 5.9632, the best so far
Done after 1 steps; loss 5.9892.
adapter ed2c2c2fb0c0 in /srv/ada/graft/runs/text-classification-20261127-160000/adapter
1 of 6 examples answered
2 of 6 examples answered
3 of 6 examples answered
4 of 6 examples answered
5 of 6 examples answered
6 of 6 examples answered
          version              base model           n-grams
accuracy  0.667 (0.208–0.939)  0.667 (0.208–0.939)  1.000 (0.439–1.000)
macro_f1  0.400 (0.250–1.000)  0.400 (0.250–1.000)  1.000 (0.439–1.000)
On 3 held-out examples; in parentheses, 95 % intervals. With so few examples the true score may be anywhere within the intervals.

who              accuracy  95 % interval  an answer
n-grams          1.000     0.439–1.000    0.0 ms
nearest example  1.000     0.439–1.000    0.0 ms
this version     0.667     0.208–0.939    7.9 ms
base model       0.667     0.208–0.939
always good      0.333     0.061–0.792    0.0 ms

This version''s score is based on 3 examples. Cross-validated on all 16: n-grams accuracy 1.000 (0.806–1.000), nearest example accuracy 1.000 (0.806–1.000), always good accuracy 0.375 (0.185–0.614).

Confidence: calibration error 0.502 before, 0.502 after calibration. At 50 % and above: 100 % of the answers, 67 % of them correct (21–94). 0.01 s an answer.
');
insert into run_cursors (run, events, stdout, stderr, stdout_from, stderr_from, progress, result) values ('text-classification-20261127-160000', 1557, 1881, 0, 721, 0, '{"progress":{"phase":"evaluate","step":6,"of":6,"percent":100.0,"loss":5.9891717274983725,"eta_s":0.0,"tokens_per_s":56448.57457705359,"baseline":null,"seq":17},"since":1795856869850,"stall":null}', '{"run_id":"text-classification-20261127-160000","status":"completed","started_at":1795856869671,"finished_at":1795856869739,"base_model":"tiny","base_digest":"14118f7ba7cd3d29a6a68699aa6347085ff4d4e9ade9089415aee71982f17068","samples":13,"eval_samples":3,"too_long":0,"epochs":0.5,"steps":1,"final_loss":5.9891717274983725,"eval_loss":5.963195887478915,"best_step":1,"hyperparameters":{"run":"text-classification-20261127-160000","graft":"0.1.0","base":{"name":"tiny","digest":"14118f7ba7cd3d29a6a68699aa6347085ff4d4e9ade9089415aee71982f17068"},"task":{"name":"text-classification","instruction":"Classify the text.","answer":{"form":"label","labels":["bad","good"]}},"dataset":"f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f","adapter":{"method":"lora","rank":8,"alpha":32.0,"dropout":0.0,"rslora":false,"targets":"all-linear"},"optim":{"epochs":0.5,"lr":0.0005,"schedule":"cosine","warmup":0.05,"batch":8,"weight_decay":0.0,"beta1":0.9,"beta2":0.999,"eps":1e-8,"clip":1.0,"seed":42,"typos":0.0,"exchanged":0.0,"reworded":0.0},"eval":{"per_epoch":1,"patience":0,"examples":64,"checkpoints_per_epoch":4},"limits":{"max_tokens":1024,"max_source":512,"max_target":512,"pass_tokens":512,"recompute":false,"memory":null,"threads":2,"precision":"auto"}},"dataset_hash":"f7307fd1e3979ac651a9056dbaf04922c3d87f4eb8e0e6bcf10b98703d18863f","adapter_hash":"95e765bdade128b92167edf00e523b39b4c77fdeb88872f649bbfb5a6d60cf03","train_seconds":0.00777699,"tokens_per_second":56448.57457705359,"computed_tokens_per_second":33046.204251259165,"peak_memory":68812800,"products":"avx512-bf16","graft_version":"0.1.0","adapter_bytes":117368}');
