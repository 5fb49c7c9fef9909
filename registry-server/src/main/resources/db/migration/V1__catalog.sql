-- Namespaces, who may act in them, and the tokens that accounts act with.

create table namespace (
  id bigint generated always as identity primary key,
  name text not null unique,
  created_at timestamptz not null
);

create table membership (
  namespace_id bigint not null references namespace,
  account text not null,
  role text not null check (role in ('OWNER', 'MEMBER')),
  primary key (namespace_id, account)
);
create index membership_account on membership (account);

create table token (
  id uuid primary key,
  account text not null,
  description text not null,
  hash bytea not null unique, -- SHA-256 of the secret, which has 256 random bits: no salt is needed
  scopes text[] not null,
  namespaces text[], -- null: all of the account's
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);
create index token_account on token (account, created_at);

-- Adapters and their versions. Rows of version are never deleted: a deleted version leaves its row
-- as a tombstone, so that its name cannot come to mean other bytes.

create table adapter (
  id bigint generated always as identity primary key,
  namespace_id bigint not null references namespace,
  name text not null,
  description text not null,
  private boolean not null,
  created_at timestamptz not null,
  unique (namespace_id, name)
);

create table version (
  id bigint generated always as identity primary key,
  adapter_id bigint not null references adapter,
  version text not null,
  precedence text collate "C" not null, -- orders by SemVer 2 precedence; equal for equal precedence
  prerelease boolean not null,
  digest text not null, -- of the file: its blob
  size bigint not null,
  base text not null,
  generator text not null,
  rank int not null,
  bits int not null,
  coefficients bigint not null,
  task text not null,
  license text not null,
  tags text[] not null,
  description text not null,
  verification text not null check (verification in ('UNVERIFIED', 'VERIFIED', 'MISMATCHED')),
  verified_at timestamptz,
  published_by text not null,
  published_at timestamptz not null,
  yanked_at timestamptz,
  yanked_by text,
  yank_reason text,
  deleted_at timestamptz,
  downloads bigint not null default 0,
  unique (adapter_id, precedence)
);
create index version_digest on version (digest) where deleted_at is null;

-- What the file says, as the API shows it: apart, because it is large and seldom asked for.
create table version_contents (
  version_id bigint primary key references version,
  contents json not null
);

create table alias (
  adapter_id bigint not null references adapter,
  name text not null,
  version_id bigint not null references version,
  primary key (adapter_id, name)
);

create table alias_change (
  id bigint generated always as identity primary key,
  adapter_id bigint not null references adapter,
  name text not null,
  version_id bigint references version, -- null: the alias was removed
  changed_by text not null,
  changed_at timestamptz not null
);
create index alias_change_alias on alias_change (adapter_id, name, id);

-- What search sees: one row for each adapter that has a latest version, with what it searches by in
-- one place. Derived from the tables above, and renewed in the transaction that changes them.

create table listing (
  adapter_id bigint primary key references adapter,
  namespace text collate "C" not null,
  name text collate "C" not null,
  private boolean not null,
  version_id bigint not null references version,
  base text not null,
  generator text not null,
  rank int not null,
  bits int not null,
  tags text[] not null,
  verified boolean not null,
  downloads bigint not null,
  updated_at timestamptz not null,
  words tsvector not null
);
create index listing_words on listing using gin (words);
create index listing_tags on listing using gin (tags);
create index listing_updated on listing (updated_at desc, adapter_id desc);
create index listing_downloads on listing (downloads desc, adapter_id desc);
create index listing_name on listing (namespace, name, adapter_id);
create index listing_base on listing (base, updated_at desc, adapter_id desc);

-- Who did what. Rows are only ever added.

create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  account text not null,
  token_id uuid,
  action text not null,
  subject text not null,
  detail text not null,
  request_id text not null
);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % are only ever added', tg_table_name;
end $$;
create trigger audit_append_only before update or delete or truncate on audit
  for each statement execute function refuse_change();
