-- What the pages show beside the API: how small each adapter is, tasks to filter by, and the sessions
-- of people who signed in.

alter table version
  add lora_bytes bigint, -- of a LoRA of the same ranks in 16 bits; null if a layer is of the direct form
  add tensor_bytes bigint not null default 0; -- of the adapted tensors in 16 bits

create aggregate pg_temp.product(bigint) (sfunc = int8mul, stype = bigint, initcond = '1');

with layer as (
  select c.version_id, l.value as entry
  from version_contents c, json_array_elements(c.contents -> 'layers') l),
lora as (
  select version_id,
    case when min((entry ->> 'rank')::int) > 0 then
      sum(2 * (entry ->> 'rank')::bigint * ((entry ->> 'rows')::bigint + (entry ->> 'cols')::bigint))
    end as bytes
  from layer group by version_id),
tensor as (
  -- once, even if several slices of it are adapted
  select distinct on (version_id, entry ->> 'tensor') version_id,
    (select 2 * pg_temp.product(d.value::bigint) from json_array_elements_text(entry -> 'shape') d)
      as bytes
  from layer),
tensors as (select version_id, sum(bytes) as bytes from tensor group by version_id)
update version v set lora_bytes = lora.bytes, tensor_bytes = tensors.bytes
from lora join tensors using (version_id) where lora.version_id = v.id;

alter table listing add task text not null default '';
update listing l set task = v.task from version v where v.id = l.version_id;
create index listing_task on listing (task, updated_at desc, adapter_id desc);

-- Spring Session's tables (its schema-postgresql.sql).
create table spring_session (
  primary_id char(36) primary key,
  session_id char(36) not null unique,
  creation_time bigint not null,
  last_access_time bigint not null,
  max_inactive_interval int not null,
  expiry_time bigint not null,
  principal_name varchar(100)
);
create index spring_session_expiry on spring_session (expiry_time);
create index spring_session_principal on spring_session (principal_name);

create table spring_session_attributes (
  session_primary_id char(36) not null references spring_session on delete cascade,
  attribute_name varchar(200) not null,
  attribute_bytes bytea not null,
  primary key (session_primary_id, attribute_name)
);
