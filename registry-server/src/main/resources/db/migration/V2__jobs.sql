-- Models and datasets that jobs name: revisions of manifests, which never change.

create table object (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('DATASETS', 'MODELS')),
  namespace_id bigint not null references namespace,
  name text collate "C" not null,
  revision text not null, -- digest of the manifest
  description text not null,
  stored boolean not null, -- whether the registry has all its files
  created_by text not null,
  created_at timestamptz not null,
  unique (kind, namespace_id, name, revision)
);
create index object_latest on object (kind, namespace_id, name, id desc);

create table object_file (
  object_id bigint not null references object,
  path text collate "C" not null,
  size bigint not null,
  digest text not null,
  primary key (object_id, path)
);
create index object_file_digest on object_file (digest);

-- Bytes that a namespace has sent. A namespace can name only its own in a manifest: else whoever knows
-- the digest of another's private file could read it.
create table object_blob (
  namespace_id bigint not null references namespace,
  digest text not null,
  size bigint not null,
  uploaded_at timestamptz not null,
  primary key (namespace_id, digest)
);
create index object_blob_digest on object_blob (digest);

-- Jobs. Each lease takes a fencing number from one sequence, so that a later lease has a higher one.

create sequence lease_fence;

create table job (
  id uuid primary key,
  position bigint generated always as identity unique, -- of equal priority the lowest goes first
  type text not null check (type in ('TRAIN', 'VERIFY', 'EXPORT')),
  state text not null check (state in ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  priority int not null,
  namespace text collate "C" not null references namespace (name),
  adapter text collate "C" not null, -- name within the namespace
  version text not null, -- to publish a training as; else of the adapter
  request json not null,
  -- What a worker needs to fit.
  backend text, -- of a verification
  cuda boolean not null,
  memory_bytes bigint not null,
  timeout_seconds int not null,
  model_id bigint references object,
  dataset_id bigint references object,
  digest text, -- of the file to verify or export
  nonce bytea, -- of a verification
  excluded_keys text[] not null default '{}', -- whose verification of this job was refused
  created_by text not null,
  token_id uuid, -- that it was made with; null if the server made it
  created_at timestamptz not null,
  not_before timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  attempts int not null default 0,
  max_attempts int not null,
  cancel_requested boolean not null default false,
  reason text,
  -- The lease. fence, worker and key stay when it has ended.
  fence bigint,
  worker text,
  worker_account text,
  worker_key text,
  expires_at timestamptz, -- null unless the job is running
  progress json,
  events int not null default 0, -- log lines and metrics that were kept
  checkpoint_digest text,
  checkpoint_size bigint,
  result_digest text,
  result_size bigint,
  result_metrics json,
  outcome text, -- of a verification
  check ((state = 'RUNNING') = (expires_at is not null))
);
create index job_queue on job (priority desc, position) where state = 'QUEUED';
create index job_leases on job (expires_at) where state = 'RUNNING';
create index job_namespace on job (namespace, position desc);
create index job_adapter on job (namespace, adapter, position desc);
create index job_verification on job (digest, backend, worker_key) where type = 'VERIFY';
create index job_checkpoint on job (checkpoint_digest) where checkpoint_digest is not null;
create index job_result on job (result_digest) where result_digest is not null;
create index job_ended on job (finished_at)
  where checkpoint_digest is not null or result_digest is not null;

-- What happened to jobs. Written while the job's row is locked: so within a job ids become visible in
-- their order, and a reader that has seen one has seen all before it.
create table job_event (
  id bigint generated always as identity primary key,
  job_id uuid not null references job,
  event text not null check (event in ('STATE', 'PROGRESS', 'LOG', 'METRIC')),
  at timestamptz not null,
  state text,
  message text,
  progress json,
  name text,
  step bigint,
  value double precision
);
create index job_event_job on job_event (job_id, id);

-- Recurring work of the server, done by one replica at a time: the table of db-scheduler.
create table scheduled_tasks (
  task_name text not null,
  task_instance text not null,
  task_data bytea,
  execution_time timestamptz not null,
  picked boolean not null,
  picked_by text,
  last_success timestamptz,
  last_failure timestamptz,
  consecutive_failures int,
  last_heartbeat timestamptz,
  version bigint not null,
  priority smallint,
  primary key (task_name, task_instance)
);
create index scheduled_tasks_execution_time on scheduled_tasks (execution_time);
create index scheduled_tasks_last_heartbeat on scheduled_tasks (last_heartbeat);
