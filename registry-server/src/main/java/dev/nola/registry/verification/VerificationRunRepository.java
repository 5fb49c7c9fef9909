package dev.nola.registry.verification;

import dev.nola.api.attestation.VerificationReport;
import dev.nola.api.attestation.VerificationRequest;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads and writes verification runs: verifications that were requested together, in the tables
 * {@code campaign} and {@code campaign_job}.
 */
@Component
public class VerificationRunRepository {
  private static final int MAX_NAMES = 1_000;

  private final JdbcClient database;
  private final JdbcTemplate batches;
  private final JsonMapper json;
  private final Clock clock;

  VerificationRunRepository(
      JdbcClient database, JdbcTemplate batches, JsonMapper json, Clock clock) {
    this.database = database;
    this.batches = batches;
    this.json = json;
    this.clock = clock;
  }

  void add(UUID id, VerificationRequest request, String createdBy) {
    database
        .sql(
            "insert into campaign (id, request, versions, created_by, created_at)"
                + " values (?, ?::json, 0, ?, ?)")
        .params(id, json.writeValueAsString(request), createdBy, Timestamp.from(clock.instant()))
        .update();
  }

  void addJobs(UUID id, List<UUID> jobs) {
    batches.batchUpdate(
        "insert into campaign_job (campaign_id, job_id) values (?, ?)",
        jobs.stream().map(job -> new Object[] {id, job}).toList());
  }

  void found(UUID id, long versions) {
    database.sql("update campaign set versions = ? where id = ?").params(versions, id).update();
  }

  /**
   * A run in the list of runs.
   *
   * @param id of the run
   * @param request which versions, backends and copies
   * @param versions number of versions that the request found
   * @param createdBy account that asked
   * @param createdAt time of the request
   */
  public record Run(
      UUID id, VerificationRequest request, long versions, String createdBy, Instant createdAt) {}

  /**
   * Lists the latest runs.
   *
   * @param limit maximum number of runs
   * @return runs, latest first
   */
  public List<Run> latest(int limit) {
    return database
        .sql("select * from campaign order by created_at desc, id limit ?")
        .param(limit)
        .query(
            (row, _) ->
                new Run(
                    row.getObject("id", UUID.class),
                    json.readValue(row.getString("request"), VerificationRequest.class),
                    row.getLong("versions"),
                    row.getString("created_by"),
                    row.getTimestamp("created_at").toInstant()))
        .list();
  }

  /**
   * Reads the report of a run.
   *
   * @param id of the run
   * @return its report, or empty if the run is absent
   */
  public Optional<VerificationReport> report(UUID id) {
    List<VerificationReport.Backend> backends =
        database
            .sql(
                """
                select j.backend,
                  count(*) filter (where j.state in ('QUEUED', 'RUNNING')) as waiting,
                  count(*) filter (where j.outcome = 'match') as matched,
                  count(*) filter (where j.outcome = 'mismatch') as mismatched,
                  count(*) filter (where j.outcome = 'unsupported') as unsupported,
                  count(*) filter (where j.state in ('FAILED', 'CANCELLED')) as failed
                from campaign_job c join job j on j.id = c.job_id
                where c.campaign_id = ? group by j.backend order by j.backend""")
            .param(id)
            .query(
                (row, _) ->
                    new VerificationReport.Backend(
                        row.getString("backend"),
                        row.getLong("waiting"),
                        row.getLong("matched"),
                        row.getLong("mismatched"),
                        row.getLong("unsupported"),
                        row.getLong("failed")))
            .list();
    List<String> mismatched =
        database
            .sql(
                """
                select distinct j.namespace || '/' || j.adapter || '@' || j.version as name
                from campaign_job c join job j on j.id = c.job_id
                where c.campaign_id = ? and j.outcome = 'mismatch' order by name limit ?""")
            .params(id, MAX_NAMES)
            .query(String.class)
            .list();
    return database
        .sql("select * from campaign where id = ?")
        .param(id)
        .query(
            (row, _) ->
                new VerificationReport(
                    id,
                    json.readValue(row.getString("request"), VerificationRequest.class),
                    row.getLong("versions"),
                    backends.stream().allMatch(backend -> backend.waiting() == 0),
                    backends,
                    mismatched,
                    row.getString("created_by"),
                    row.getTimestamp("created_at").toInstant()))
        .optional();
  }
}
