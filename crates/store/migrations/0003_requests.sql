-- A request that is sent again asks for no second run, even when its server was killed before it answered.
alter table runs add column request_key text;
create unique index runs_request_key on runs (request_key);

-- The process that answers the request: when that one is gone, another may take it up at once.
alter table idempotency add column answering text;
