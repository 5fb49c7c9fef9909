package dev.nola.registry.jobs;

import com.github.kagkarlsson.scheduler.task.helper.RecurringTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import com.github.kagkarlsson.scheduler.task.schedule.FixedDelay;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Recurring tasks: expire leases, and delete the remains of ended jobs. */
@Configuration(proxyBeanMethods = false)
class JobTasks {
  private static final Logger LOG = LoggerFactory.getLogger(JobTasks.class);

  /** Rounds run every second; a longer pause means that the server was away. */
  private static final Duration PAUSE = Duration.ofSeconds(3);

  /** Longest pause between rounds before workers get time to renew their leases. */
  private static final Duration OUTAGE = Duration.ofSeconds(10);

  /**
   * State that one round of expiry passes to the next.
   *
   * @param last when the last round was
   * @param holdUntil no lease expires before
   */
  record Expiry(Instant last, Instant holdUntil) {
    /** State before the first round. */
    static final Expiry NONE = new Expiry(Instant.EPOCH, Instant.EPOCH);
  }

  @Bean
  RecurringTask<Expiry> expireLeases(
      LeaseService leasing, QueueSignal waiting, JobSettings settings, Clock clock) {
    AtomicBoolean begun = new AtomicBoolean();
    return Tasks.recurring("expire-leases", FixedDelay.ofSeconds(1), Expiry.class)
        .initialData(Expiry.NONE)
        .executeStateful(
            (task, _) -> {
              Expiry state = task.getData() == null ? Expiry.NONE : task.getData();
              if (waiting.isEnding()) {
                return state; // workers are not heard any more
              }
              Instant now = clock.instant();
              Duration tolerated = begun.getAndSet(true) ? tolerated(settings.lease()) : PAUSE;
              // While no server ran, or none had a database, workers could not renew their leases:
              // they get the time of one to do so.
              Instant holdUntil =
                  state.last().plus(tolerated).isBefore(now)
                      ? now.plus(settings.lease())
                      : state.holdUntil();
              if (!now.isBefore(holdUntil)) {
                int expired = leasing.expire();
                if (expired > 0) {
                  LOG.warn("{} leases expired: their workers stopped sending heartbeats", expired);
                }
              }
              return new Expiry(now, holdUntil);
            });
  }

  /**
   * Returns the tolerated time without a round. A worker renews its lease in the first third of it,
   * and tries again in the second: a third remains for a short outage.
   */
  private static Duration tolerated(Duration lease) {
    Duration third = lease.dividedBy(3);
    if (third.compareTo(PAUSE) < 0) {
      return PAUSE;
    }
    return third.compareTo(OUTAGE) < 0 ? third : OUTAGE;
  }

  @Bean
  RecurringTask<Void> forgetEndedJobs(
      JobRepository jobs, WorkerRepository workers, JobSettings settings) {
    return Tasks.recurring("forget-ended-jobs", FixedDelay.ofHours(1))
        .execute(
            (_, _) -> {
              jobs.forgetEnded(settings.retention());
              workers.forgetEnded();
            });
  }
}
