-- Seconds that the provider of a machine bills in full once they have begun; those rented so far are billed by the minute.
alter table rentals add column unit_seconds bigint not null default 60;
