package dev.nola.registry.jobs;

import com.github.kagkarlsson.scheduler.task.helper.RecurringTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import com.github.kagkarlsson.scheduler.task.schedule.FixedDelay;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** What happens to jobs by itself. */
@Configuration(proxyBeanMethods = false)
class JobTasks {
  private static final Logger LOG = LoggerFactory.getLogger(JobTasks.class);

  /** Between two rounds of expiry; when more has passed, no worker could renew its lease either. */
  private static final Duration OUTAGE = Duration.ofSeconds(10);

  /**
   * What the next round of expiry must know.
   *
   * @param last when the last round was
   * @param holdUntil no lease expires before
   */
  record Expiry(Instant last, Instant holdUntil) {
    /** Before the first round. */
    static final Expiry NONE = new Expiry(Instant.EPOCH, Instant.EPOCH);
  }

  @Bean
  RecurringTask<Expiry> expireLeases(Jobs jobs, JobSettings settings, Clock clock) {
    Duration outage =
        settings.lease().dividedBy(2).compareTo(OUTAGE) > 0
            ? settings.lease().dividedBy(2)
            : OUTAGE;
    return Tasks.recurring("expire-leases", FixedDelay.ofSeconds(1), Expiry.class)
        .initialData(Expiry.NONE)
        .executeStateful(
            (task, _) -> {
              Expiry state = task.getData() == null ? Expiry.NONE : task.getData();
              Instant now = clock.instant();
              // While no server ran, or none had a database, workers could not renew their leases:
              // they get the time of one to do so.
              Instant holdUntil =
                  state.last().plus(outage).isBefore(now)
                      ? now.plus(settings.lease())
                      : state.holdUntil();
              if (!now.isBefore(holdUntil)) {
                int expired = jobs.expire();
                if (expired > 0) {
                  LOG.warn("{} leases expired: their workers were not heard of any more", expired);
                }
              }
              return new Expiry(now, holdUntil);
            });
  }

  @Bean
  RecurringTask<Void> forgetEndedJobs(Jobs jobs) {
    return Tasks.recurring("forget-ended-jobs", FixedDelay.ofHours(1))
        .execute((_, _) -> jobs.forgetEnded());
  }
}
