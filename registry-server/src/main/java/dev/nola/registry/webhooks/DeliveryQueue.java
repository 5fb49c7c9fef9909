package dev.nola.registry.webhooks;

import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.boot.autoconfigure.Jackson3Serializer;
import com.github.kagkarlsson.scheduler.task.CompletionHandler;
import com.github.kagkarlsson.scheduler.task.ExecutionComplete;
import com.github.kagkarlsson.scheduler.task.ExecutionOperations;
import com.github.kagkarlsson.scheduler.task.TaskInstance;
import com.github.kagkarlsson.scheduler.task.helper.CustomTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import com.github.kagkarlsson.scheduler.task.schedule.FixedDelay;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.springframework.context.SmartLifecycle;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Has deliveries attempted until they end, each by one server at a time: a scheduler with threads
 * of its own, since receivers are slow, and those of the server's other tasks must not wait for
 * them.
 */
@Component
class DeliveryQueue implements SmartLifecycle {
  static final int THREADS = 16;

  private static final String TABLE = "webhook_tasks";

  /** After six of them are missed, another server attempts what a server that crashed did. */
  private static final Duration HEARTBEAT = Duration.ofSeconds(20);

  private static final Duration POLLING = Duration.ofSeconds(1);
  private static final Duration MAX_SHUTDOWN = Duration.ofSeconds(10);

  private final CustomTask<Void> task;
  private final Scheduler scheduler;
  private final Clock clock;
  private volatile boolean running;

  DeliveryQueue(DataSource database, DeliveryAttempts attempts, Clock clock) {
    this.clock = clock;
    task =
        Tasks.custom("deliver-webhook", Void.class)
            .onFailureReschedule(FixedDelay.ofMinutes(1)) // the database's: others are recorded
            .onDeadExecutionRevive()
            .execute((delivery, _) -> next(attempts.attempt(UUID.fromString(delivery.getId()))));
    scheduler =
        Scheduler.create(new TransactionAwareDataSourceProxy(database), task)
            .tableName(TABLE)
            .threads(THREADS)
            .pollingInterval(POLLING)
            .heartbeatInterval(HEARTBEAT)
            .serializer(new Jackson3Serializer())
            .clock(clock::instant)
            .shutdownMaxWait(MAX_SHUTDOWN)
            .build();
  }

  private static CompletionHandler<Void> next(Optional<Instant> time) {
    return (ExecutionComplete complete, ExecutionOperations<Void> operations) ->
        time.ifPresentOrElse(retry -> operations.reschedule(complete, retry), operations::remove);
  }

  /**
   * Queues deliveries, as part of the transaction that records them.
   *
   * @param deliveries ids of the new ones
   */
  @Transactional(propagation = Propagation.MANDATORY)
  void add(List<UUID> deliveries) {
    List<TaskInstance<?>> tasks =
        deliveries.stream().<TaskInstance<?>>map(id -> task.instance(id.toString())).toList();
    scheduler.scheduleBatch(tasks, clock.instant());
    TransactionSynchronizationManager.registerSynchronization(
        new TransactionSynchronization() {
          @Override
          public void afterCommit() {
            scheduler.triggerCheckForDueExecutions();
          }
        });
  }

  @Override
  public void start() {
    scheduler.start();
    running = true;
  }

  @Override
  public void stop() {
    scheduler.stop();
    running = false;
  }

  @Override
  public boolean isRunning() {
    return running;
  }
}
