package dev.nola.registry.jobs;

import dev.nola.api.Violation;
import dev.nola.api.attestation.Nonce;
import dev.nola.api.job.JobFileKeys;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.ObjectManifest;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.ObjectKind;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.Publisher;
import dev.nola.registry.catalog.ReferenceResolver;
import dev.nola.registry.objects.ObjectName;
import dev.nola.registry.objects.ObjectRepository;
import dev.nola.registry.web.Refusal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;
import tools.jackson.databind.json.JsonMapper;

/**
 * Turns requests into jobs: checks what can be checked before a worker runs them, and pins their
 * references. The worker checks the rest of a training's job file.
 */
@Component
class JobSubmission {
  static final int MAX_PRIORITY = 1_000;

  private static final Pattern NAME = Pattern.compile("([^/@]+)/([^/@]+)");
  private static final Pattern OBJECT =
      Pattern.compile("([^/@]+)/([^/@]+)(?:@(sha256:[0-9a-f]{64}))?");
  private static final Pattern DRIVE = Pattern.compile("[A-Za-z]:.*", Pattern.DOTALL);
  private static final Set<String> EXPORT_TYPES = Set.of("f16", "bf16", "f32");

  /** Maximum size of a job file in bytes. */
  private static final int MAX_JOB = 64 * 1024;

  private static final int MAX_DEPTH = 8;

  private static final Duration RETRY_FULL_QUEUE = Duration.ofMinutes(1);

  private final JobLifecycle lifecycle;
  private final JobRepository jobs;
  private final ObjectRepository objects;
  private final Publisher publishing;
  private final ReferenceResolver references;
  private final Access access;
  private final JobLimits limits;
  private final JsonMapper json;

  /** Takes more than six beans: a submission is checked against objects, versions and rights. */
  JobSubmission(
      JobLifecycle lifecycle,
      JobRepository jobs,
      ObjectRepository objects,
      Publisher publishing,
      ReferenceResolver references,
      Access access,
      JobLimits limits,
      JsonMapper json) {
    this.lifecycle = lifecycle;
    this.jobs = jobs;
    this.objects = objects;
    this.publishing = publishing;
    this.references = references;
    this.access = access;
    this.limits = limits;
    this.json = json;
  }

  /**
   * Adds a job.
   *
   * @param caller who submits it
   * @param request what to do
   * @return id of the job
   * @throws Refusal if the caller may not, or the request breaks a rule
   */
  UUID submit(Caller caller, JobRequest request) {
    requirePriority(caller, request.priority());
    requireRoom(caller);
    NewJob job =
        switch (request.work()) {
          case JobRequest.Train train -> train(caller, request, train);
          case JobRequest.Verify verify -> verify(caller, request, verify);
          case JobRequest.Export export -> export(caller, request, export);
        };
    lifecycle.add(List.of(job));
    return job.id();
  }

  /**
   * Requires a priority that the caller may give a job.
   *
   * @throws Refusal if it is not
   */
  void requirePriority(Caller caller, @Nullable Integer priority) {
    int maximum = caller.isGlobalAdmin() ? MAX_PRIORITY : limits.maxPriority();
    if (priority != null && (priority < -MAX_PRIORITY || priority > maximum)) {
      throw Refusal.invalid(
          "priority",
          "invalid priority: %d; must be -%d to %d%s"
              .formatted(
                  priority,
                  MAX_PRIORITY,
                  maximum,
                  caller.isGlobalAdmin()
                      ? ""
                      : "; higher ones need an admin token without a limit"));
    }
  }

  /**
   * Requires that the caller's account may have another job waiting, and keeps others from adding
   * one for it until the transaction ends.
   *
   * @throws Refusal with status 429 if it may not
   */
  void requireRoom(Caller caller) {
    int queued = jobs.countQueued(caller.account());
    if (queued >= limits.maxQueued()) {
      throw Refusal.tooMany(
          "too many queued jobs of account %s: %d; the limit is %d"
              .formatted(caller.account(), queued, limits.maxQueued()),
          RETRY_FULL_QUEUE);
    }
  }

  /**
   * Queues an ended job again.
   *
   * @param caller who retries it
   * @param job that failed or was cancelled
   * @param request that replaces the job's request
   * @param version that the job makes from now on
   * @throws Refusal if the job has not ended, or its account has too many waiting
   */
  @Transactional
  void queueAgain(Caller caller, Job job, JobRequest request, String version) {
    requireRoom(caller);
    lifecycle.queueAgain(job.id(), request, version, "retried by " + caller.account());
  }

  /**
   * Returns a training with another version number.
   *
   * @throws Refusal if that version is not legal or not free
   */
  JobRequest.Train withVersion(Caller caller, JobRequest.Train train, String version) {
    publishing.requirePossible(
        caller, new Publisher.Target(adapter(train.adapter()), version, train.visibility()));
    return new JobRequest.Train(
        train.adapter(),
        version,
        train.visibility(),
        train.model(),
        train.dataset(),
        train.job(),
        train.cuda(),
        train.memoryBytes(),
        train.timeoutSeconds());
  }

  private NewJob train(Caller caller, JobRequest request, JobRequest.Train train) {
    AdapterName adapter = adapter(train.adapter());
    publishing.requirePossible(
        caller, new Publisher.Target(adapter, train.version(), train.visibility()));
    ObjectRepository.@Nullable Stored model =
        train.model() == null ? null : object(caller, ObjectKind.MODEL, "model", train.model());
    ObjectRepository.Stored dataset =
        object(caller, ObjectKind.DATASET, "dataset", train.dataset());
    requireJob(train, dataset.details().files());
    long memory = memory(train.memoryBytes());
    int timeout = timeout(train.timeoutSeconds());
    JobRequest pinned =
        new JobRequest(
            request.priority(),
            new JobRequest.Train(
                train.adapter(),
                train.version(),
                train.visibility(),
                model == null ? null : model.reference(),
                dataset.reference(),
                train.job(),
                train.cuda(),
                train.memoryBytes(),
                train.timeoutSeconds()));
    return new NewJob(
        UUID.randomUUID(),
        pinned,
        new NewJob.Subject(adapter.namespace(), adapter.name(), train.version()),
        new NewJob.Requirements(null, Boolean.TRUE.equals(train.cuda()), memory, timeout),
        new NewJob.Inputs(model == null ? null : model.id(), dataset.id(), null, null),
        origin(caller));
  }

  private NewJob verify(Caller caller, JobRequest request, JobRequest.Verify verify) {
    if (!NameRule.BACKEND.isMet(verify.backend())) {
      throw Refusal.invalid("verify.backend", NameRule.BACKEND.message(verify.backend()));
    }
    ReferenceResolver.Located version = version(caller, verify.adapter(), verify.version());
    return new NewJob(
        UUID.randomUUID(),
        new JobRequest(
            request.priority(),
            new JobRequest.Verify(verify.adapter(), version.version(), verify.backend())),
        subject(version),
        NewJob.Requirements.ofBackend(verify.backend()),
        new NewJob.Inputs(null, null, version.digest(), Nonce.random()),
        origin(caller));
  }

  private NewJob export(Caller caller, JobRequest request, JobRequest.Export export) {
    if (export.elementType() != null && !EXPORT_TYPES.contains(export.elementType())) {
      throw Refusal.invalid(
          "export.type",
          "invalid type: %s; must be f16, bf16 or f32"
              .formatted(Refusal.shown(export.elementType())));
    }
    ReferenceResolver.Located version = version(caller, export.adapter(), export.version());
    ObjectRepository.@Nullable Stored model =
        export.model() == null ? null : object(caller, ObjectKind.MODEL, "model", export.model());
    return new NewJob(
        UUID.randomUUID(),
        new JobRequest(
            request.priority(),
            new JobRequest.Export(
                export.adapter(),
                version.version(),
                model == null ? null : model.reference(),
                export.elementType())),
        subject(version),
        NewJob.Requirements.NONE,
        new NewJob.Inputs(model == null ? null : model.id(), null, version.digest(), null),
        origin(caller));
  }

  private static NewJob.Subject subject(ReferenceResolver.Located version) {
    return new NewJob.Subject(
        version.adapter().namespace(), version.adapter().name(), version.version());
  }

  private static NewJob.Origin origin(Caller caller) {
    return new NewJob.Origin(caller.account(), caller.tokenId());
  }

  private ReferenceResolver.Located version(Caller caller, String name, String reference) {
    AdapterName adapter = adapter(name);
    ReferenceResolver.Located version = references.find(caller, adapter, reference);
    access.requireMember(caller, adapter.namespace());
    return version;
  }

  private static AdapterName adapter(String text) {
    Matcher name = NAME.matcher(text);
    if (!name.matches()) {
      throw Refusal.invalid(
          "adapter", "invalid adapter: " + Refusal.shown(text) + "; must be namespace/name");
    }
    return new AdapterName(name.group(1), name.group(2));
  }

  private ObjectRepository.Stored object(
      Caller caller, ObjectKind kind, String field, String text) {
    Matcher reference = OBJECT.matcher(text);
    if (!reference.matches()) {
      throw Refusal.invalid(
          field,
          "invalid %s: %s; must be namespace/name or namespace/name@sha256:…"
              .formatted(field, Refusal.shown(text)));
    }
    String namespace = reference.group(1);
    ObjectName name = new ObjectName(kind, namespace, reference.group(2));
    String revision = reference.group(3);
    Optional<ObjectRepository.Stored> found =
        !access.seesPrivate(caller, namespace)
            ? Optional.empty()
            : revision == null ? objects.latest(name) : objects.revision(name, revision);
    return found.orElseThrow(
        () ->
            Refusal.invalid(
                field,
                "%s %s not found; it must be registered and visible to you"
                    .formatted(field, text)));
  }

  private long memory(@Nullable Long requested) {
    long limit = limits.maxMemory().toBytes();
    if (requested != null && (requested < 1 || requested > limit)) {
      throw Refusal.invalid(
          "train.memoryBytes",
          "invalid memoryBytes: %d; must be 1 to %d".formatted(requested, limit));
    }
    return requested == null ? limits.memory().toBytes() : requested;
  }

  private int timeout(@Nullable Integer requested) {
    long limit = limits.maxTimeout().toSeconds();
    if (requested != null && (requested < 1 || requested > limit)) {
      throw Refusal.invalid(
          "train.timeoutSeconds",
          "invalid timeoutSeconds: %d; must be 1 to %d".formatted(requested, limit));
    }
    return requested == null ? Math.toIntExact(limits.timeout().toSeconds()) : requested;
  }

  /** Refuses paths and addresses: a worker reads only what the registry holds. */
  private void requireJob(JobRequest.Train train, List<ObjectManifest.Entry> files) {
    List<Violation> violations = new ArrayList<>();
    int length = json.writeValueAsString(train.job()).getBytes(StandardCharsets.UTF_8).length;
    if (length > MAX_JOB) {
      throw Refusal.invalid(
          "train.job", "job has %d bytes as JSON; the limit is %d".formatted(length, MAX_JOB));
    }
    for (String key : train.job().keySet()) {
      if (key.contains(".")) {
        violations.add(
            new Violation("train.job." + key, "key %s must not contain a dot".formatted(key)));
      }
    }
    if (JobFileKeys.hasBase(train.job())) {
      violations.add(
          new Violation(
              "train.job.model.base",
              "model.base must not be set; train.model names the base model"));
    }
    for (String group : List.of(JobFileKeys.MODEL, JobFileKeys.DATA)) {
      checkTexts("train.job." + group, train.job().get(group), 0, violations);
    }
    Set<String> paths =
        JobFileKeys.paths(train.job(), files.stream().map(ObjectManifest.Entry::path).toList());
    JobFileKeys.dataFiles(train.job())
        .forEach(
            (key, path) -> {
              if (!(path instanceof String text && paths.contains(text))) {
                violations.add(
                    new Violation(
                        "train.job.data." + key,
                        "invalid data.%s: %s; must be the path of a file in %s"
                            .formatted(key, path, train.dataset())));
              }
            });
    if (!violations.isEmpty()) {
      throw Refusal.invalid(violations);
    }
  }

  private static void checkTexts(
      String where, @Nullable Object value, int depth, List<Violation> violations) {
    if (depth > MAX_DEPTH) {
      violations.add(
          new Violation(
              where, "value nested too deep; the limit is %d levels".formatted(MAX_DEPTH)));
      return;
    }
    switch (value) {
      case String text -> {
        if (text.startsWith("/")
            || text.startsWith("~")
            || text.contains("..")
            || text.contains("://")
            || text.contains("\\")
            || DRIVE.matcher(text).matches()) {
          violations.add(
              new Violation(
                  where,
                  "%s must not be an absolute path, contain .. or be a URL".formatted(text)));
        }
      }
      case Map<?, ?> map ->
          map.forEach(
              (key, inner) -> {
                if (String.valueOf(key).contains(".")) {
                  violations.add(
                      new Violation(where, "key %s must not contain a dot".formatted(key)));
                }
                checkTexts(where + "." + key, inner, depth + 1, violations);
              });
      case List<?> list -> list.forEach(inner -> checkTexts(where, inner, depth + 1, violations));
      case null, default -> {}
    }
  }
}
