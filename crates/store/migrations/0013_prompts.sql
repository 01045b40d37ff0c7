-- Texts that people submitted to be trained on: a named dataset each, with its examples as a table.
create table prompts (
    id bigint not null primary key,
    dataset text not null unique,
    description text not null,
    task text not null,
    model_type text not null,
    text text not null,
    csv text not null,
    examples bigint not null,
    pending bigint not null,
    run text,
    note text,
    created_by text not null,
    created_at bigint not null
);
create index prompts_of_run on prompts (run);

-- What somebody types and has not submitted, one text a person.
create table prompt_drafts (
    owner text not null primary key,
    draft text not null,
    updated_at bigint not null
);
