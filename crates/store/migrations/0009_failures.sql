-- Why a run failed, in parts, as JSON. Runs that failed before have only the text in `error`, which is not written any more.
alter table runs add column failure text;
