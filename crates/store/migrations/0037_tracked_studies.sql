-- What a tracker has of a study: its place there, or who is about to create it, and whether it was told the end.
create table tracked_studies (
    study text not null,
    tracker text not null,
    place text not null,
    ended bigint not null default 0,
    primary key (study, tracker),
    foreign key (study) references studies (id) on delete cascade
);
-- They were kept beside the stages of versions.
insert into tracked_studies (study, tracker, place, ended)
    select s.id, m.tracker, m.stages, case when e.task is null then 0 else 1 end
    from studies s join tracked_models m on m.task = 'study/' || s.id
    left join tracked_models e on e.task = 'ended/' || s.id and e.tracker = m.tracker;
delete from tracked_models where task like 'study/%' or task like 'ended/%';
