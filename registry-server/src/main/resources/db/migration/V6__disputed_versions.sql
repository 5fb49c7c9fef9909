-- A worker that attests other bits disputes a version. Alone it proves nothing, since bits that differ
-- cannot be computed again elsewhere: what the registry reconstructed itself stays what it is, and
-- beyond its budget another machine must get the same other bits.

alter table version add column disputed boolean not null default false;
create index version_disputed on version (id) where disputed and deleted_at is null;

-- As before, but for two things. A mismatch that the registry cannot check is hidden while another
-- worker may still copy it, as a match is; and confirmed says that another machine got the same bits.
create or replace view judged_attestation as
select a.*,
  k.revoked_at is null and (a.outcome = 'MISMATCH' or a.checked or exists (
    select from attestation b join worker_key l on l.fingerprint = b.key
    where b.nonce = a.nonce and b.digest = a.digest and b.proof = a.proof and b.outcome = 'MATCH'
      and not b.checked and b.key <> a.key and b.host <> a.host and l.revoked_at is null)) as counts,
  a.checked or ((a.outcome = 'MISMATCH' or exists (
    select from attestation b
    where b.nonce = a.nonce and b.digest = a.digest and b.proof = a.proof and b.outcome = 'MATCH'
      and not b.checked and b.key <> a.key and b.host <> a.host))
    and not exists (
      select from job j
      where j.type = 'VERIFY' and j.digest = a.digest and j.backend = a.backend
        and j.nonce = decode(a.nonce, 'hex') and j.state in ('QUEUED', 'RUNNING'))) as shown,
  k.revoked_at is null and not a.checked and exists (
    select from attestation b join worker_key l on l.fingerprint = b.key
    where b.nonce = a.nonce and b.digest = a.digest and b.proof = a.proof and b.outcome = a.outcome
      and not b.checked and b.key <> a.key and b.host <> a.host and l.revoked_at is null) as confirmed
from attestation a join worker_key k on k.fingerprint = a.key;
