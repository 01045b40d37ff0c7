-- Lists of tasks: how many examples come from where, and which short answers (labels) there are.
create index examples_sources on examples (task, source_kind);
create index example_revisions_short on example_revisions (task, output) where length(output) <= 500;
create index example_revisions_long on example_revisions (task) where length(output) > 500;
