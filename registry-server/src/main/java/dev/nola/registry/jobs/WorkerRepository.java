package dev.nola.registry.jobs;

import dev.nola.api.job.LeaseRequest;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Refusal;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/** Reads and writes the table of workers, which says what each of them offers. */
@Component
class WorkerRepository {
  /**
   * How long a worker without a job may be silent until it is taken to have ended: twice the
   * longest wait of a request for jobs.
   */
  static final Duration SILENCE = Duration.ofSeconds(60);

  /** How long a worker that has ended stays in the list. */
  private static final Duration REMEMBERED = Duration.ofDays(1);

  /** Whether the worker of row {@code w} is taken to be running. */
  private static final String ACTIVE =
      """
      (w.ended_at is null and w.last_asked_at > now() - make_interval(secs => :silence) or exists (
        select from job j where j.state = 'RUNNING' and j.expires_at > now()
          and j.worker_account = w.account and j.worker = w.name))""";

  private static final String SELECT =
      """
      select w.*, %s as active, array(
        select j.id || ' ' || j.namespace from job j where j.state = 'RUNNING'
          and j.worker_account = w.account and j.worker = w.name order by j.position) as jobs
      from worker w
      """
          .formatted(ACTIVE);

  private final JdbcClient database;

  WorkerRepository(JdbcClient database) {
    this.database = database;
  }

  /**
   * Records what a worker offers.
   *
   * @param caller whose token the worker has
   * @param request for jobs
   * @throws Refusal with status 409 if another instance of that name is running, or this one has
   *     signed off: its late requests must not revive it
   */
  @Transactional
  void record(Caller caller, LeaseRequest request) {
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("account", caller.account());
    values.put("name", request.worker());
    values.put("instance", request.instance() == null ? "" : request.instance());
    values.put("key", request.key());
    values.put("backends", request.backends().toArray(String[]::new));
    values.put("cuda", request.cuda());
    values.put("memory", request.memoryBytes());
    values.put("models", request.models().toArray(String[]::new));
    values.put(
        "namespaces",
        caller.namespaces() == null ? null : caller.namespaces().toArray(String[]::new));
    values.put("silence", SILENCE.toSeconds());
    int recorded =
        database
            .sql(
                """
                insert into worker as w (account, name, instance, key, backends, cuda,
                  memory_bytes, models, namespaces, started_at, last_asked_at)
                values (:account, :name, :instance, :key, :backends, :cuda, :memory, :models,
                  cast(:namespaces as text[]), now(), now())
                on conflict (account, name) do update set instance = excluded.instance,
                  key = excluded.key, backends = excluded.backends, cuda = excluded.cuda,
                  memory_bytes = excluded.memory_bytes, models = excluded.models,
                  namespaces = excluded.namespaces, last_asked_at = excluded.last_asked_at,
                  ended_at = null,
                  started_at = case when w.instance = excluded.instance
                    then w.started_at else excluded.started_at end
                where w.instance = excluded.instance and w.ended_at is null
                  or w.instance = ''
                  or w.instance <> excluded.instance and not\s"""
                    + ACTIVE)
            .params(values)
            .update();
    if (recorded == 0 && hasEnded(values)) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "worker-ended",
          "worker has signed off: %s; it asks for jobs again as a new instance"
              .formatted(request.worker()));
    }
    if (recorded == 0) {
      throw Refusal.of(
          HttpStatus.CONFLICT,
          "worker-name-in-use",
          "worker name in use: another worker of account %s is running as %s; give this one another --name, or stop the other and wait %d seconds"
              .formatted(caller.account(), request.worker(), SILENCE.toSeconds()));
    }
  }

  private boolean hasEnded(Map<String, @Nullable Object> worker) {
    return database
        .sql(
            """
            select exists (select from worker where account = :account and name = :name
              and instance = :instance and ended_at is not null)""")
        .params(worker)
        .query(Boolean.class)
        .single();
  }

  /**
   * Records that a worker has ended, unless another instance has its name by now.
   *
   * @param account that it acts for
   * @param name of the worker
   * @param instance that has ended
   */
  @Transactional
  void end(String account, String name, String instance) {
    database
        .sql(
            """
            update worker set ended_at = now()
            where account = ? and name = ? and instance = ?""")
        .params(account, name, instance)
        .update();
  }

  /** Lists the workers that are taken to be running, by account and name. */
  List<KnownWorker> active() {
    return database
        .sql(SELECT + "where " + ACTIVE + " order by w.account, w.name")
        .param("silence", SILENCE.toSeconds())
        .query((row, _) -> KnownWorker.read(row))
        .list();
  }

  /**
   * Lists workers, by account and name.
   *
   * @param lastAccount account of the last worker of the page before
   * @param lastName name of that worker
   * @param limit maximum number of workers
   * @return the workers, also some that have ended
   */
  List<KnownWorker> page(String lastAccount, String lastName, int limit) {
    return database
        .sql(
            SELECT
                + "where (w.account, w.name) > (:account, :name) order by w.account, w.name limit :limit")
        .param("silence", SILENCE.toSeconds())
        .param("account", lastAccount)
        .param("name", lastName)
        .param("limit", limit)
        .query((row, _) -> KnownWorker.read(row))
        .list();
  }

  /** Deletes workers that have ended long ago. */
  @Transactional
  void forgetEnded() {
    database
        .sql("delete from worker where last_asked_at < now() - make_interval(secs => ?)")
        .param(REMEMBERED.toSeconds())
        .update();
  }
}
