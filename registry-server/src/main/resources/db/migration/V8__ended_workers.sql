-- A worker that is stopped says so; without that, it is taken to be running for a while.
alter table worker add column ended_at timestamptz; -- null for one that has not said so
