-- Attestations that workers made for another registry have no job here. The registry checks each by
-- reconstructing the file; sent again, one is not kept twice.

alter table attestation alter column job_id drop not null;
alter table attestation add check (job_id is not null or (checked and outcome = 'MATCH'));
create unique index attestation_copied on attestation (digest, key, backend, host) where job_id is null;
