package dev.nola.registry.jobs;

import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import dev.nola.text.Label;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Counts what happens to jobs: {@code nola.jobs} by type and state as the database has them, {@code
 * nola.jobs.ended}, {@code nola.jobs.leases.expired} and {@code nola.jobs.late}, what workers sent
 * for leases that had ended.
 */
@Component
class JobMetrics {
  /** One query serves all gauges of a scrape. */
  private static final Duration FRESH = Duration.ofSeconds(5);

  private final MeterRegistry registry;
  private final JdbcClient database;
  private Map<JobType, Map<JobState, Long>> counts = Map.of();
  private long countedAt = System.nanoTime() - FRESH.toNanos();

  JobMetrics(MeterRegistry registry, JdbcClient database) {
    this.registry = registry;
    this.database = database;
    for (JobType type : JobType.values()) {
      for (JobState state : JobState.values()) {
        Gauge.builder("nola.jobs", this, metrics -> metrics.count(type, state))
            .description("Jobs")
            .tag("type", Label.of(type))
            .tag("state", Label.of(state))
            .register(registry);
        if (state.isEnd()) {
          ended(type, state, 0); // there from the start, so that it can be watched
        }
      }
    }
    expired(0);
  }

  void ended(JobType type, JobState state, int jobs) {
    registry
        .counter("nola.jobs.ended", "type", Label.of(type), "state", Label.of(state))
        .increment(jobs);
  }

  void expired(int leases) {
    registry.counter("nola.jobs.leases.expired").increment(leases);
  }

  void late(String call, int calls) {
    registry.counter("nola.jobs.late", "call", call).increment(calls);
  }

  private synchronized double count(JobType type, JobState state) {
    if (System.nanoTime() - countedAt >= FRESH.toNanos()) {
      counts = count();
      countedAt = System.nanoTime();
    }
    return counts.getOrDefault(type, Map.of()).getOrDefault(state, 0L);
  }

  private Map<JobType, Map<JobState, Long>> count() {
    Map<JobType, Map<JobState, Long>> found = new EnumMap<>(JobType.class);
    database
        .sql("select type, state, count(*) as jobs from job group by type, state")
        .query(
            row -> {
              found
                  .computeIfAbsent(
                      JobType.valueOf(row.getString("type")), _ -> new EnumMap<>(JobState.class))
                  .put(JobState.valueOf(row.getString("state")), row.getLong("jobs"));
            });
    return found;
  }
}
