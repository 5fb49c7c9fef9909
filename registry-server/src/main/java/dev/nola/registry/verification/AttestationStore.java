package dev.nola.registry.verification;

import dev.nola.api.Attestations;
import dev.nola.api.attestation.Attestation;
import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.Outcome;
import dev.nola.api.attestation.Reconstruction;
import dev.nola.api.attestation.Statement;
import dev.nola.digest.Sha256;
import dev.nola.registry.catalog.Versions;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Reads and writes the table of attestations. */
@Component
class AttestationStore {
  private static final Versions.Evidence NONE =
      new Versions.Evidence(new Attestations(0, List.of(), 0, false), 0);

  private final JdbcClient database;
  private final JdbcTemplate batches;
  private final Clock clock;

  AttestationStore(JdbcClient database, JdbcTemplate batches, Clock clock) {
    this.database = database;
    this.batches = batches;
    this.clock = clock;
  }

  /**
   * An attestation to be kept.
   *
   * @param job that it was made for; null if another registry requested it
   * @param checked whether the registry got the same proof
   */
  record Received(@Nullable UUID job, AttestationVerifier.Attested attested, boolean checked) {}

  /**
   * Names what a worker attests of a file that the registry reconstructed itself.
   *
   * @param key fingerprint of the key
   * @param host digest that identifies the machine
   */
  record Checked(Sha256 key, String backend, Sha256 host) {}

  /** Returns which checked matches of a file are kept already. */
  Set<Checked> checked(Sha256 digest) {
    return new HashSet<>(
        database
            .sql(
                """
                select distinct key, backend, host from attestation
                where digest = ? and checked and outcome = 'MATCH'""")
            .param(digest.toString())
            .query(
                (row, _) ->
                    new Checked(
                        Sha256.parse(row.getString("key")),
                        row.getString("backend"),
                        Sha256.parse("sha256:" + row.getString("host"))))
            .list());
  }

  void add(List<Received> all) {
    Timestamp now = Timestamp.from(clock.instant());
    batches.batchUpdate(
        """
        insert into attestation (digest, key, job_id, outcome, backend, host, nonce, proof, checked,
          payload, signature, received_at)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        all.stream()
            .map(
                received -> {
                  AttestationVerifier.Attested attested = received.attested();
                  Reconstruction reconstruction = attested.reconstruction();
                  return new Object[] {
                    attested.statement().subject().toString(),
                    attested.key().toString(),
                    received.job(),
                    reconstruction.outcome().name(),
                    reconstruction.backend(),
                    reconstruction.host().hex(),
                    reconstruction.nonce().hex(),
                    reconstruction.proof().hex(),
                    received.checked(),
                    attested.envelope().payload(),
                    attested.envelope().signatures().getFirst().sig(),
                    now
                  };
                })
            .toList());
  }

  /** Returns the attestations that count for and against each of these files. */
  Map<String, Versions.Evidence> evidence(Collection<String> digests) {
    Map<String, Versions.Evidence> evidence = new HashMap<>();
    digests.forEach(digest -> evidence.put(digest, NONE));
    database
        .sql(
            """
            select digest,
              count(distinct key) filter (where outcome = 'MATCH') as keys,
              count(distinct host) filter (where outcome = 'MATCH') as hosts,
              string_agg(distinct backend, ',' order by backend)
                filter (where outcome = 'MATCH') as backends,
              count(*) filter (where outcome = 'MISMATCH') as mismatches,
              count(distinct key) filter (where outcome = 'MISMATCH' and confirmed) as other_keys,
              count(distinct host) filter (where outcome = 'MISMATCH' and confirmed) as other_hosts
            from judged_attestation where digest = any(?) and counts group by digest""")
        .params((Object) digests.toArray(String[]::new))
        .query(
            row -> {
              String backends = row.getString("backends");
              evidence.put(
                  row.getString("digest"),
                  new Versions.Evidence(
                      new Attestations(
                          Math.min(row.getInt("keys"), row.getInt("hosts")),
                          backends == null ? List.of() : List.of(backends.split(",")),
                          row.getInt("mismatches"),
                          false),
                      Math.min(row.getInt("other_keys"), row.getInt("other_hosts"))));
            });
    return evidence;
  }

  /** Returns the keys that attest other bits of a file and count, by the backend that they used. */
  Map<String, List<String>> disputingKeys(String digest) {
    Map<String, List<String>> keys = new TreeMap<>();
    database
        .sql(
            """
            select distinct backend, key from judged_attestation
            where digest = ? and counts and outcome = 'MISMATCH' order by backend, key""")
        .param(digest)
        .query(
            row -> {
              keys.computeIfAbsent(row.getString("backend"), _ -> new ArrayList<>())
                  .add(row.getString("key"));
            });
    return keys;
  }

  /** Returns the digests of the files that a key has attested. */
  List<String> attestedBy(Sha256 key) {
    return database
        .sql("select distinct digest from attestation where key = ?")
        .param(key.toString())
        .query(String.class)
        .list();
  }

  /**
   * Returns the jobs whose proof another worker contradicts: with the same nonce and file it got
   * another. One of the two did not reconstruct the file.
   */
  List<UUID> contradicted(Collection<UUID> jobs) {
    return database
        .sql(
            """
            select a.job_id from attestation a where a.job_id = any(?) and not a.checked
              and a.outcome = 'MATCH' and exists (
                select from attestation b where b.nonce = a.nonce and b.digest = a.digest
                  and b.outcome = 'MATCH' and b.proof <> a.proof)""")
        .params((Object) jobs.toArray(UUID[]::new))
        .query(UUID.class)
        .list();
  }

  /**
   * Returns the number of different keys that have an attestation of a file that counts, by
   * backend.
   */
  Map<String, Integer> keysByBackend(String digest) {
    Map<String, Integer> keys = new HashMap<>();
    database
        .sql(
            """
            select backend, count(distinct key) as keys from judged_attestation
            where digest = ? and counts group by backend""")
        .param(digest)
        .query(
            row -> {
              keys.put(row.getString("backend"), row.getInt("keys"));
            });
    return keys;
  }

  /** Returns a page of a file's attestations, in the order in which they were received. */
  List<Attestation> page(String digest, long lastId, int limit) {
    return database
        .sql(
            """
            select * from judged_attestation where digest = ? and shown and id > ?
            order by id limit ?""")
        .params(digest, lastId, limit)
        .query((row, _) -> attestation(row))
        .list();
  }

  private static Attestation attestation(ResultSet row) throws SQLException {
    return new Attestation(
        row.getLong("id"),
        Sha256.parse(row.getString("digest")),
        Sha256.parse(row.getString("key")),
        Outcome.valueOf(row.getString("outcome")),
        row.getString("backend"),
        row.getBoolean("counts"),
        row.getTimestamp("received_at").toInstant(),
        new Envelope(
            row.getString("payload"),
            Statement.PAYLOAD_TYPE,
            List.of(new Envelope.Signature(row.getString("key"), row.getString("signature")))));
  }
}
