-- Requests that owners of a namespace want to receive when something happens in it.

create table webhook (
  id uuid primary key,
  namespace_id bigint not null references namespace on delete cascade,
  url text not null,
  events text[] not null,
  -- SHA-256 of the secret, which is derived from the id and a key outside of the database: shows whether
  -- the key is still the one that the receiver's secret was derived from.
  secret_hash bytea not null,
  url_by text not null, -- account that set the URL, or activated the webhook since
  changed_by text not null,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  last_delivered_at timestamptz,
  inactive_reason text -- null: active
);
create index webhook_namespace on webhook (namespace_id, created_at);

-- An event for a webhook: written with the change that it is about, and kept as a log for a while.
create table webhook_delivery (
  id uuid primary key, -- also that of the task that sends it
  position bigint generated always as identity unique,
  webhook_id uuid not null references webhook on delete cascade,
  event text not null,
  payload text not null,
  state text not null check (state in ('PENDING', 'DELIVERED', 'FAILED')),
  created_at timestamptz not null,
  attempts int not null default 0,
  last_attempt_at timestamptz,
  next_attempt_at timestamptz,
  response_status int,
  error text,
  check ((state = 'PENDING') = (next_attempt_at is not null))
);
create index webhook_delivery_webhook on webhook_delivery (webhook_id, position desc);
create index webhook_delivery_pending on webhook_delivery (webhook_id) where state = 'PENDING';
create index webhook_delivery_ended on webhook_delivery (created_at) where state <> 'PENDING';

-- Deliveries to attempt: a second table of db-scheduler, whose threads may wait for slow receivers
-- while those of scheduled_tasks go on.
create table webhook_tasks (
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
create index webhook_tasks_execution_time on webhook_tasks (execution_time);
create index webhook_tasks_last_heartbeat on webhook_tasks (last_heartbeat);
