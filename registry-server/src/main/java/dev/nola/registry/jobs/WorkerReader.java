package dev.nola.registry.jobs;

import dev.nola.api.Page;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.job.WorkerDetails;
import dev.nola.api.job.WorkerDetails.HeldModel;
import dev.nola.digest.Sha256;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.keys.WorkerKeyRepository;
import dev.nola.registry.objects.ObjectName;
import dev.nola.registry.objects.ObjectRepository;
import dev.nola.registry.web.Cursor;
import dev.nola.registry.web.Pages;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Component;

/** Lists workers to those who may know what each of them offers and does. */
@Component
public class WorkerReader {
  private static final String LIST = "workers";

  private final WorkerRepository workers;
  private final ObjectRepository objects;
  private final WorkerKeyRepository keys;
  private final Access access;

  WorkerReader(
      WorkerRepository workers, ObjectRepository objects, WorkerKeyRepository keys, Access access) {
    this.workers = workers;
    this.objects = objects;
    this.keys = keys;
    this.access = access;
  }

  /**
   * Lists the workers that asked for jobs within the last day, by account and name, with the models
   * and jobs that the caller may see.
   *
   * @param caller of the request
   * @param limit maximum number of workers
   * @param cursor of the page before; null for the first page
   * @return a page
   * @throws dev.nola.registry.web.Refusal with status 422 if the limit or cursor is invalid
   */
  public ResponseEntity<Page<WorkerDetails>> list(
      Caller caller, int limit, @Nullable String cursor) {
    List<String> last = cursor == null ? List.of("", "") : Cursor.parse(cursor, LIST, 2).key();
    List<KnownWorker> rows = workers.page(last.get(0), last.get(1), Pages.fetch(limit));
    Map<String, List<ObjectName>> names =
        objects.modelNames(
            rows.stream().flatMap(worker -> worker.models().stream()).collect(Collectors.toSet()));
    Map<Sha256, WorkerKey> known =
        keys.find(
            rows.stream()
                .map(KnownWorker::fingerprint)
                .flatMap(Optional::stream)
                .collect(Collectors.toSet()));
    return Pages.of(
        rows,
        limit,
        worker -> new Cursor(LIST, List.of(worker.account(), worker.name())),
        worker -> details(caller, worker, names, known));
  }

  private WorkerDetails details(
      Caller caller,
      KnownWorker worker,
      Map<String, List<ObjectName>> names,
      Map<Sha256, WorkerKey> known) {
    return new WorkerDetails(
        worker.name(),
        worker.account(),
        worker.active(),
        worker.startedAt(),
        worker.lastAskedAt(),
        worker.backends(),
        worker.cuda(),
        worker.memoryBytes(),
        worker.models().stream()
            .flatMap(
                revision ->
                    models(caller, revision, names.getOrDefault(revision, List.of())).stream())
            .toList(),
        worker.key(),
        worker.keyOf(known).map(WorkerKey::state).orElse(null),
        worker.jobs().stream()
            .filter(job -> access.seesPrivate(caller, job.namespace()))
            .map(KnownWorker.RunningJob::id)
            .toList());
  }

  private List<HeldModel> models(Caller caller, String revision, List<ObjectName> names) {
    Optional<Sha256> digest = digest(revision);
    if (digest.isEmpty()) {
      return List.of();
    }
    List<HeldModel> models = new ArrayList<>();
    for (ObjectName name : names) {
      if (access.seesPrivate(caller, name.namespace())) {
        models.add(new HeldModel(name.path(), digest.get()));
      }
    }
    if (names.isEmpty() && caller.readsAll()) {
      models.add(new HeldModel(null, digest.get()));
    }
    return models;
  }

  /** Any text may be sent as a revision; one that is not a digest names no model. */
  private static Optional<Sha256> digest(String revision) {
    try {
      return Optional.of(Sha256.parse(revision));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }
}
