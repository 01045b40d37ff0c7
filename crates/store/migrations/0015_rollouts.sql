-- How a version comes to answer: beside the active one at first, then some requests, then all.
create table rollouts (
    id bigint not null primary key,
    task text not null,
    version text not null,
    against text not null,
    state text not null,
    policy text not null,
    started_at bigint not null,
    stage_at bigint not null,
    ended_at bigint,
    why text,
    failures bigint not null,
    dropped bigint not null,
    created_by text not null
);
create index rollouts_of_task on rollouts (task, id);

-- What both versions answered to one input, and how right they were once a person decided. Each input counts once.
create table rollout_answers (
    rollout bigint not null,
    digest text not null,
    input text not null,
    served text not null,
    active_answer text not null,
    candidate_answer text not null,
    agreement double precision not null,
    answered_at bigint not null,
    decision bigint,
    decided_at bigint,
    active_score double precision,
    candidate_score double precision,
    primary key (rollout, digest)
);
create index rollout_answers_decided on rollout_answers (rollout, decision);
