-- Workers as they asked for jobs last: what they offer says why a job waits.
create table worker (
  account text not null,
  name text not null,
  instance text not null, -- tells two workers of one name apart; empty for one that does not say
  key text not null,
  backends text[] not null,
  cuda boolean not null,
  memory_bytes bigint not null,
  models text[] not null, -- revisions
  namespaces text[], -- that its token is limited to, or null
  started_at timestamptz not null,
  last_asked_at timestamptz not null,
  primary key (account, name)
);
create index worker_last_asked on worker (last_asked_at);
create index object_revision on object (revision) where kind = 'MODELS';
