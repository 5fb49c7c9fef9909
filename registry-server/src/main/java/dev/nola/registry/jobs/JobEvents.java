package dev.nola.registry.jobs;

import dev.nola.api.job.Heartbeat;
import dev.nola.api.job.JobEvent;
import dev.nola.api.job.JobProgress;
import dev.nola.api.job.JobState;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/** Reads and writes the events of jobs, in the transaction that has the job's row. */
@Component
class JobEvents {
  /** Maximum number of log lines and metrics kept for one job; later ones are dropped. */
  static final int MAX_KEPT = 100_000;

  private static final Pattern UNSTORABLE = Pattern.compile("[\\x00\\p{Cs}]");

  private final JdbcClient database;
  private final JdbcTemplate batches;
  private final JsonMapper json;

  JobEvents(JdbcClient database, JdbcTemplate batches, JsonMapper json) {
    this.database = database;
    this.batches = batches;
    this.json = json;
  }

  /** Adds the change of a job's state. */
  void addState(UUID job, JobState state, @Nullable String message) {
    addStates(List.of(job), state, message);
  }

  /** Adds the same change of state for several jobs. */
  void addStates(Collection<UUID> jobs, JobState state, @Nullable String message) {
    database
        .sql(
            """
            insert into job_event (job_id, event, at, state, message)
            select id, 'STATE', clock_timestamp(), ?, ? from unnest(?::uuid[]) as id""")
        .params(state.name(), message, jobs.toArray(UUID[]::new))
        .update();
  }

  /** Adds what a worker reports. */
  void addReport(UUID job, Heartbeat report, boolean keepLines) {
    List<@Nullable Object[]> rows = new ArrayList<>();
    if (keepLines) {
      for (String line : report.log()) {
        rows.add(new @Nullable Object[] {job, "LOG", storable(line), null, null, null, null});
      }
      for (Heartbeat.Metric metric : report.metrics()) {
        rows.add(
            new @Nullable Object[] {
              job, "METRIC", null, null, storable(metric.name()), metric.step(), metric.value()
            });
      }
    }
    if (report.progress() != null) {
      rows.add(
          new @Nullable Object[] {
            job, "PROGRESS", null, json.writeValueAsString(report.progress()), null, null, null
          });
    }
    if (!rows.isEmpty()) {
      batches.batchUpdate(
          """
          insert into job_event (job_id, event, at, message, progress, name, step, value)
          values (?, ?, clock_timestamp(), ?, ?::json, ?, ?, ?)""",
          rows);
    }
  }

  /**
   * Lists events of a job.
   *
   * @param job id of the job
   * @param id that theirs must exceed
   * @param limit maximum number of events
   * @return events in their order
   */
  List<JobEvent> after(UUID job, long id, int limit) {
    return database
        .sql("select * from job_event where job_id = ? and id > ? order by id limit ?")
        .params(job, id, limit)
        .query(this::read)
        .list();
  }

  private JobEvent read(ResultSet row, int number) throws SQLException {
    String state = row.getString("state");
    JobProgress progress = Job.progress(row, json);
    return new JobEvent(
        row.getLong("id"),
        JobEvent.Kind.valueOf(row.getString("event")),
        row.getTimestamp("at").toInstant(),
        state == null ? null : JobState.valueOf(state),
        row.getString("message"),
        progress,
        row.getString("name"),
        row.getObject("step", Long.class),
        row.getObject("value", Double.class),
        null);
  }

  /** Replaces NUL and halves of surrogate pairs, which PostgreSQL does not store. */
  static String storable(String text) {
    return UNSTORABLE.matcher(text).replaceAll("\ufffd");
  }
}
