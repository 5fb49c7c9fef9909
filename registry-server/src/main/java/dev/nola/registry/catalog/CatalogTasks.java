package dev.nola.registry.catalog;

import com.github.kagkarlsson.scheduler.task.helper.RecurringTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import com.github.kagkarlsson.scheduler.task.schedule.Schedules;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.LocalTime;
import java.time.ZoneOffset;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Recurring tasks of the catalog. */
@Configuration(proxyBeanMethods = false)
class CatalogTasks {
  private static final Logger LOG = LoggerFactory.getLogger(CatalogTasks.class);
  private static final LocalTime QUIET = LocalTime.of(3, 0);

  @Bean
  RecurringTask<Void> collectGarbage(BlobMaintenance maintenance) {
    return Tasks.recurring("collect-garbage", Schedules.daily(ZoneOffset.UTC, QUIET))
        .execute(
            (_, _) -> {
              try {
                LOG.info("garbage collection: {}", maintenance.collect());
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
  }
}
