alter table trials add column latency_ms double precision;
