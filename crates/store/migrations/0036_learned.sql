-- How many new, older and corrected examples a snapshot of a live adapter learned.
alter table live_snapshots add column learned text;
