-- Keys that workers sign attestations with. Rows are never deleted: what a key signed names it.

create table worker_key (
  id bigint generated always as identity primary key,
  fingerprint text not null unique, -- sha256:HEX of the SubjectPublicKeyInfo
  public_key text not null, -- base64 of it
  account text not null,
  description text not null,
  registered_at timestamptz not null,
  approved_by text,
  approved_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz,
  revoke_reason text,
  check ((approved_by is null) = (approved_at is null)),
  check ((revoked_at is null) = (revoke_reason is null))
);
