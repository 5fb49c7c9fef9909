package dev.nola.registry.jobs;

import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.api.job.JobType;
import dev.nola.api.job.ObjectDetails;
import dev.nola.api.job.WaitingReason;
import dev.nola.api.job.WaitingReason.Kind;
import dev.nola.digest.Sha256;
import dev.nola.registry.keys.WorkerKeyRepository;
import dev.nola.registry.objects.ObjectName;
import dev.nola.registry.objects.ObjectRepository;
import dev.nola.text.Label;
import java.time.Clock;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Says why queued jobs wait. A worker counts under the first condition that it fails, in the order
 * of {@link Kind}; the conditions are those under which {@link LeaseService} leases jobs.
 */
@Component
class WaitingReasons {
  private static final double MEGABYTE = 1_000_000;

  private final JdbcClient database;
  private final WorkerRepository workers;
  private final WorkerKeyRepository keys;
  private final ObjectRepository objects;
  private final Clock clock;

  WaitingReasons(
      JdbcClient database,
      WorkerRepository workers,
      WorkerKeyRepository keys,
      ObjectRepository objects,
      Clock clock) {
    this.database = database;
    this.workers = workers;
    this.keys = keys;
    this.objects = objects;
    this.clock = clock;
  }

  /**
   * Adds to queued jobs why they wait.
   *
   * @param jobs of any state
   * @return the jobs in the same order; those that are not queued as they were
   */
  List<Job> explain(List<Job> jobs) {
    List<Job> queued = jobs.stream().filter(job -> job.state() == JobState.QUEUED).toList();
    if (queued.isEmpty()) {
      return jobs;
    }
    Situation situation = situation(queued);
    return jobs.stream()
        .map(job -> job.state() == JobState.QUEUED ? job.withWaiting(reasons(job, situation)) : job)
        .toList();
  }

  /**
   * Adds to a job why it waits, if it is queued.
   *
   * @param job of any state
   * @return the job
   */
  Job explain(Job job) {
    return explain(List.of(job)).getFirst();
  }

  private List<WaitingReason> reasons(Job job, Situation situation) {
    if (job.details().notBefore().isAfter(clock.instant())) {
      return List.of(
          new WaitingReason(
              Kind.BACKOFF,
              "the next attempt is not before " + job.details().notBefore(),
              List.of()));
    }
    if (situation.running().isEmpty()) {
      return List.of(
          new WaitingReason(
              Kind.NO_WORKER,
              "no worker is running: none has asked for jobs within %d seconds and was not stopped since; start one with nola worker"
                  .formatted(WorkerRepository.SILENCE.toSeconds()),
              List.of()));
    }
    Model model = situation.model(job);
    Map<Kind, List<KnownWorker>> unfit = new EnumMap<>(Kind.class);
    List<KnownWorker> fit = new ArrayList<>();
    for (KnownWorker worker : situation.running()) {
      Kind kind = obstacle(job, worker, model, situation);
      (kind == null ? fit : unfit.computeIfAbsent(kind, _ -> new ArrayList<>())).add(worker);
    }
    if (fit.isEmpty()) {
      return unfit.entrySet().stream()
          .map(
              entry ->
                  reason(
                      entry.getKey(),
                      message(entry.getKey(), job, situation, entry.getValue()),
                      entry.getValue()))
          .toList();
    }
    return fit.stream().allMatch(worker -> !worker.jobs().isEmpty())
        ? List.of(
            reason(
                Kind.BUSY,
                "the workers that can run it are running other jobs: " + names(fit),
                fit))
        : List.of(); // one of them is about to take it
  }

  private static WaitingReason reason(Kind kind, String message, List<KnownWorker> workers) {
    return new WaitingReason(kind, message, workers.stream().map(KnownWorker::name).toList());
  }

  /** Returns the first condition that a worker fails, or null if it can run a job. */
  private static @Nullable Kind obstacle(
      Job job, KnownWorker worker, Model model, Situation situation) {
    String backend = backend(job);
    if (worker.namespaces() != null && !worker.namespaces().contains(job.details().namespace())) {
      return Kind.NAMESPACE;
    }
    if (!model.isStored() && !worker.models().contains(model.revision())) {
      return Kind.MODEL;
    }
    if (backend != null && !worker.backends().contains(backend)) {
      return Kind.BACKEND;
    }
    if (needsCuda(job) && !worker.cuda()) {
      return Kind.CUDA;
    }
    if (job.memoryBytes() > worker.memoryBytes()) {
      return Kind.MEMORY;
    }
    return job.type() == JobType.VERIFY
            && (situation.usedKeys(job).contains(worker.key()) || !situation.isApproved(worker))
        ? Kind.KEY
        : null;
  }

  private static String message(
      Kind kind, Job job, Situation situation, List<KnownWorker> lacking) {
    Model model = situation.model(job);
    return switch (kind) {
      case NAMESPACE ->
          "the tokens of these workers are not valid in namespace %s: %s"
              .formatted(job.details().namespace(), names(lacking));
      case MODEL ->
          "no worker has model %s@%s: %s; upload its files with nola model push, or start a worker that has them in --models"
              .formatted(
                  model.name(),
                  model.revision(),
                  listed(lacking, worker -> held(situation.held(worker, model))));
      case BACKEND ->
          "no worker has backend %s: %s"
              .formatted(
                  backend(job),
                  listed(lacking, worker -> "has " + String.join(", ", worker.backends())));
      case CUDA -> "no worker has a GPU: " + names(lacking);
      case MEMORY ->
          "the job may use %s MB of memory; %s; submit it with less, or start a worker with more --memory"
              .formatted(
                  megabytes(job.memoryBytes()),
                  listed(lacking, worker -> "offers " + megabytes(worker.memoryBytes()) + " MB"));
      case KEY ->
          "no worker may verify it: %s"
              .formatted(listed(lacking, worker -> keyState(worker, situation)));
      case NO_WORKER, BUSY, BACKOFF -> throw new IllegalArgumentException(kind.name());
    };
  }

  private static String names(List<KnownWorker> workers) {
    return workers.stream().map(KnownWorker::name).collect(Collectors.joining(", "));
  }

  private static String listed(List<KnownWorker> workers, Function<KnownWorker, String> text) {
    return workers.stream()
        .map(worker -> worker.name() + " " + text.apply(worker))
        .collect(Collectors.joining(", "));
  }

  private static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%,.0f", bytes / MEGABYTE);
  }

  private static String held(List<String> revisions) {
    return revisions.isEmpty()
        ? "holds no revision of it"
        : "holds revision " + String.join(", ", revisions);
  }

  private static String keyState(KnownWorker worker, Situation situation) {
    if (situation.isApproved(worker)) {
      return "has verified it with the same key";
    }
    String state =
        situation
            .key(worker)
            .map(found -> "is " + Label.of(found.state()))
            .orElse("is not registered");
    return "has key %s, which %s".formatted(worker.key().isEmpty() ? "\"\"" : worker.key(), state);
  }

  private static @Nullable String backend(Job job) {
    return job.details().request().work() instanceof JobRequest.Verify verify
        ? verify.backend()
        : null;
  }

  private static boolean needsCuda(Job job) {
    return job.details().request().work() instanceof JobRequest.Train train
        && Boolean.TRUE.equals(train.cuda());
  }

  /** Returns for each verification the keys with which it must not be signed. */
  private Map<UUID, Set<String>> usedKeys(List<UUID> verifications) {
    if (verifications.isEmpty()) {
      return Map.of();
    }
    return database
        .sql(
            """
            select j.id, unnest(j.excluded_keys) as key from job j where j.id = any(:ids)
            union select j.id, o.worker_key from job j join job o on o.type = 'VERIFY'
              and o.digest = j.digest and o.backend = j.backend and o.worker_key is not null
              and (o.state = 'RUNNING' or o.state = 'SUCCEEDED' and o.created_at = j.created_at)
            where j.id = any(:ids)""")
        .param("ids", verifications.toArray(UUID[]::new))
        .query((row, _) -> Map.entry(row.getObject("id", UUID.class), row.getString("key")))
        .list()
        .stream()
        .collect(
            Collectors.groupingBy(
                Map.Entry::getKey, Collectors.mapping(Map.Entry::getValue, Collectors.toSet())));
  }

  /**
   * The base model of a job.
   *
   * @param name {@code namespace/name}; empty if the job needs none
   * @param revision that the job is pinned to
   * @param isStored whether workers can download it; also if the job needs none
   */
  private record Model(String name, String revision, boolean isStored) {
    static final Model NONE = new Model("", "", true);
  }

  /**
   * What the reasons of several jobs have in common.
   *
   * @param running workers
   * @param models base models of the jobs, by row
   * @param names names of the models that workers hold, by revision
   * @param keys the workers' keys that are registered, by fingerprint
   * @param usedKeys fingerprints of the keys that must not sign a verification, by its id
   */
  private record Situation(
      List<KnownWorker> running,
      Map<Long, ObjectDetails> models,
      Map<String, List<ObjectName>> names,
      Map<Sha256, WorkerKey> keys,
      Map<UUID, Set<String>> usedKeys) {
    Optional<WorkerKey> key(KnownWorker worker) {
      return worker.keyOf(keys);
    }

    boolean isApproved(KnownWorker worker) {
      return key(worker).filter(key -> key.state() == WorkerKey.State.APPROVED).isPresent();
    }

    Set<String> usedKeys(Job job) {
      return usedKeys.getOrDefault(job.id(), Set.of());
    }

    Model model(Job job) {
      ObjectDetails model = job.modelId() == null ? null : models.get(job.modelId());
      return model == null
          ? Model.NONE
          : new Model(
              model.namespace() + "/" + model.name(), model.revision().toString(), model.stored());
    }

    /** Returns the revisions of a model that a worker holds. */
    List<String> held(KnownWorker worker, Model model) {
      return worker.models().stream()
          .filter(
              revision ->
                  names.getOrDefault(revision, List.of()).stream()
                      .anyMatch(name -> name.path().equals(model.name())))
          .sorted()
          .toList();
    }
  }

  private Situation situation(List<Job> queued) {
    List<KnownWorker> running = workers.active();
    Set<Long> ids =
        queued.stream().map(Job::modelId).filter(Objects::nonNull).collect(Collectors.toSet());
    Set<String> held =
        running.stream().flatMap(worker -> worker.models().stream()).collect(Collectors.toSet());
    List<UUID> verifications =
        queued.stream().filter(job -> job.type() == JobType.VERIFY).map(Job::id).toList();
    return new Situation(
        running,
        objects.byId(ids),
        ids.isEmpty() ? Map.of() : objects.modelNames(held),
        verifications.isEmpty()
            ? Map.of()
            : keys.find(
                running.stream()
                    .map(KnownWorker::fingerprint)
                    .flatMap(Optional::stream)
                    .collect(Collectors.toSet())),
        running.isEmpty() ? Map.of() : usedKeys(verifications));
  }
}
