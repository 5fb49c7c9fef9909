-- What workers attest, and what follows from it for versions.

create table attestation (
  id bigint generated always as identity primary key,
  digest text not null, -- of the file
  key text not null references worker_key (fingerprint),
  job_id uuid not null unique references job,
  outcome text not null check (outcome in ('MATCH', 'MISMATCH')),
  backend text not null,
  host text not null, -- as attested; tells machines apart
  nonce text not null,
  proof text not null,
  checked boolean not null, -- whether the registry reconstructed the file itself, and got this proof
  payload text not null, -- of the envelope, and what signs it: base64 both
  signature text not null,
  received_at timestamptz not null
);
create index attestation_digest on attestation (digest, id);
create index attestation_key on attestation (key);
create index attestation_nonce on attestation (nonce) where not checked;

-- Files above the registry's budget it cannot check: the workers of one nonce check each other. What
-- one of them sent is not shown before another has sent the same, nor while a third may still: it could
-- copy it. A revoked key vouches for nobody.
create view judged_attestation as
select a.*,
  k.revoked_at is null and (a.outcome = 'MISMATCH' or a.checked or exists (
    select from attestation b join worker_key l on l.fingerprint = b.key
    where b.nonce = a.nonce and b.digest = a.digest and b.proof = a.proof and b.outcome = 'MATCH'
      and not b.checked and b.key <> a.key and b.host <> a.host and l.revoked_at is null)) as counts,
  a.outcome = 'MISMATCH' or a.checked or (exists (
    select from attestation b
    where b.nonce = a.nonce and b.digest = a.digest and b.proof = a.proof and b.outcome = 'MATCH'
      and not b.checked and b.key <> a.key and b.host <> a.host)
    and not exists (
      select from job j
      where j.type = 'VERIFY' and j.digest = a.digest and j.backend = a.backend
        and j.nonce = decode(a.nonce, 'hex') and j.state in ('QUEUED', 'RUNNING'))) as shown
from attestation a join worker_key k on k.fingerprint = a.key;

-- The registry's own word, which was called verified before anyone else could give theirs.
alter table version add column self_verified boolean not null default false;
update version set self_verified = verification = 'VERIFIED';
alter table version drop constraint version_verification_check;
update version set verification = 'SELF_VERIFIED' where verification = 'VERIFIED';
update listing set verified = false;
alter table version add constraint version_verification_check
  check (verification in ('UNVERIFIED', 'SELF_VERIFIED', 'VERIFIED', 'MISMATCHED'));

-- What follows from the attestations that count: renewed in the transaction that changes them.
alter table version add column attested_independent int not null default 0;
alter table version add column attested_backends text[] not null default '{}';
alter table version add column attested_mismatches int not null default 0;

-- Verifications of many versions that an admin asked for.
create table campaign (
  id uuid primary key,
  request json not null,
  versions bigint not null,
  created_by text not null,
  created_at timestamptz not null
);
create table campaign_job (
  campaign_id uuid not null references campaign,
  job_id uuid not null references job,
  primary key (campaign_id, job_id)
);
