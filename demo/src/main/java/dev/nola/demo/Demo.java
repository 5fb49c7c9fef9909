package dev.nola.demo;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.nola.api.Scope;
import dev.nola.api.TokenRequest;
import dev.nola.api.Visibility;
import dev.nola.api.attestation.WorkerKey;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobEvent;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.ObjectKind;
import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.LoraExport;
import dev.nola.client.export.peft.PeftFormat;
import dev.nola.client.jobs.JobsClient;
import dev.nola.client.jobs.Manifests;
import dev.nola.client.merge.MergeRefusedException;
import dev.nola.client.merge.ModelMerge;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import dev.nola.command.Output;
import dev.nola.files.FileTree;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.text.Label;
import dev.nola.trainer.data.DataFiles;
import dev.nola.trainer.data.Dataset;
import dev.nola.trainer.data.DatasetReader;
import dev.nola.trainer.method.Adaptation;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.method.TrainedAdapter;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Tensors;
import dev.nola.trainer.training.Evaluation;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The steps of the demo, in their order. */
final class Demo {
  private static final String NAMESPACE = "demo";
  private static final String MODEL = NAMESPACE + "/minilm";
  private static final String DATASET = NAMESPACE + "/wordnet-glosses";
  private static final List<String> WORKERS = List.of("worker-1", "worker-2");

  private final Path checkout;
  private final Path folder;
  private final Plan plan;
  private final boolean keep;
  private final Output output;
  private final Narrator narrator;
  private final Measurements measurements = new Measurements();

  Demo(Path checkout, Path folder, Plan plan, boolean keep, Output output) {
    this.checkout = checkout;
    this.folder = folder;
    this.plan = plan;
    this.keep = keep;
    this.output = output;
    this.narrator =
        new Narrator(
            output.isJson() ? output.console().err() : output.console().out(),
            output.console().interactive());
  }

  void run()
      throws IOException, InterruptedException, MergeRefusedException, ExportRefusedException {
    Files.createDirectories(folder);
    narrator.step("MiniLM and WordNet's glosses, from Maven Central");
    DemoInputs inputs = DemoInputs.prepare(checkout, folder);
    try (Servers servers = new Servers(checkout, folder)) {
      narrator.step("A registry with its PostgreSQL, and two workers");
      URI url = servers.registry();
      String adminToken = Files.readString(folder.resolve("registry/admin-token")).strip();
      try (NolaClient admin = NolaClient.builder(url).token(adminToken).build()) {
        String userToken = token(admin, "demo", Scope.PUBLISH);
        startWorkers(servers, admin, url, inputs);
        Path runFolder = newRunFolder();
        try (NolaClient user =
            NolaClient.builder(url)
                .token(userToken)
                .cache(LocalCache.at(runFolder.resolve("cache")))
                .build()) {
          Map<Plan.Contender, String> published = train(servers, user, inputs);
          use(servers, user, inputs, published, runFolder);
        }
        narrator.table(measurements);
        if (plan == Plan.QUICK) {
          narrator
              .out()
              .printf(
                  "These accuracies are from %d steps: they show that everything works, not how"
                      + " well; omit --quick to see that.%n",
                  plan.steps());
        }
        explain(url, runFolder);
        if (output.isJson()) {
          print(url, runFolder);
        }
      }
      if (keep) {
        servers.keep(narrator.out());
      }
    }
  }

  /** Removes what an earlier run merged and exported. */
  private Path newRunFolder() throws IOException {
    Path runFolder = folder.resolve("run");
    FileTree.delete(runFolder);
    return Files.createDirectory(runFolder);
  }

  private static String token(NolaClient admin, String account, Scope scope)
      throws IOException, InterruptedException {
    return admin
        .tokens()
        .issue(
            new TokenRequest(
                account,
                "of nola demo",
                List.of(scope),
                null,
                Instant.now().plus(1, ChronoUnit.DAYS)))
        .secret();
  }

  private static void writePrivate(Path file, String text) throws IOException {
    Files.deleteIfExists(file);
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(file, text);
  }

  private void startWorkers(Servers servers, NolaClient admin, URI url, DemoInputs inputs)
      throws IOException, InterruptedException {
    for (String worker : WORKERS) {
      Path token = folder.resolve(worker + "-token");
      writePrivate(token, token(admin, worker, Scope.WORKER));
      servers.worker(worker, url, token, inputs.models());
    }
    // A person decides which keys count: here, the user of the demo.
    Set<String> approved = new TreeSet<>();
    while (approved.size() < WORKERS.size()) {
      servers.requireAlive();
      for (WorkerKey key : admin.workerKeys().list(null).items()) {
        if (WORKERS.contains(key.account()) && key.state() != WorkerKey.State.REVOKED) {
          if (key.state() == WorkerKey.State.PENDING) {
            admin.workerKeys().approve(key.fingerprint(), null);
          }
          approved.add(key.account());
        }
      }
      Thread.sleep(200);
    }
  }

  /**
   * Trains by jobs, and waits until each is published.
   *
   * @return version of each contender's adapter
   */
  private Map<Plan.Contender, String> train(Servers servers, NolaClient user, DemoInputs inputs)
      throws IOException, InterruptedException {
    JobsClient jobs = user.jobs();
    user.namespaces().create(NAMESPACE);
    narrator.step("The dataset goes to the registry, the model only by its digest");
    user.objects().upload(ObjectKind.DATASET, DATASET, inputs.glosses(), "WordNet 3.1, nouns");
    user.objects()
        .register(ObjectKind.MODEL, MODEL, Manifests.of(inputs.model(), "all-MiniLM-L6-v2"));
    Map<Plan.Contender, UUID> submitted = new EnumMap<>(Plan.Contender.class);
    Map<Plan.Contender, String> versions = new EnumMap<>(Plan.Contender.class);
    // The longest first: two workers share them.
    for (Plan.Contender contender :
        List.of(Plan.Contender.NOLA, Plan.Contender.LORA, Plan.Contender.HEAD)) {
      AdapterName adapter = adapter(contender);
      String version = nextVersion(user, adapter);
      JobDetails job =
          jobs.submit(
              new JobRequest(
                  null,
                  new JobRequest.Train(
                      adapter.toString(),
                      version,
                      Visibility.PUBLIC,
                      MODEL,
                      DATASET,
                      plan.job(contender),
                      null,
                      null,
                      null)));
      submitted.put(contender, job.id());
      versions.put(contender, version);
    }
    narrator.step("Training jobs, two at a time, shown one after the other");
    for (Plan.Contender contender : List.copyOf(submitted.keySet()).reversed()) {
      narrator.step(contender.label);
      follow(servers, jobs, submitted.get(contender));
    }
    return versions;
  }

  private void follow(Servers servers, JobsClient jobs, UUID id)
      throws IOException, InterruptedException {
    long last = 0;
    JobDetails job;
    do { // also what happened before, while another was followed
      last = jobs.follow(id, last, this::show);
      servers.requireAlive();
      job = jobs.get(id);
    } while (!job.state().isEnd());
    narrator.endLine();
    if (job.state() != JobState.SUCCEEDED) {
      throw new IOException(
          "the training job %s %s: %s".formatted(id, Label.of(job.state()), job.reason()));
    }
    measurements.time(
        "training by a job, " + ((JobRequest.Train) job.request().work()).adapter(),
        Duration.between(job.startedAt(), job.finishedAt()));
  }

  private void show(JobEvent event) {
    if (event.event() == JobEvent.Kind.PROGRESS && event.progress() != null) {
      narrator.progress(event.progress());
    } else if (event.event() == JobEvent.Kind.LOG && event.message() != null) {
      narrator.line(event.message());
    }
  }

  private void use(
      Servers servers,
      NolaClient user,
      DemoInputs inputs,
      Map<Plan.Contender, String> versions,
      Path runFolder)
      throws IOException, InterruptedException, MergeRefusedException, ExportRefusedException {
    Reference reference = reference(Plan.Contender.NOLA, versions);
    narrator.step("Workers reconstruct " + reference + " on every backend and sign the result");
    SignedRoots.await(servers, user, reference, WORKERS.size()).report(measurements);

    narrator.step("Pull into an empty cache, verify, merge, export");
    long start = System.nanoTime();
    Pulled pulled = user.pull(reference, Progress.NONE);
    measurements.time("pull of the .nola file", since(start));
    AdapterFile file = pulled.open();
    start = System.nanoTime();
    Reconstructor.standard().verify(file);
    measurements.time("reconstruct and verify", since(start));
    Path merged = runFolder.resolve("merged");
    start = System.nanoTime();
    ModelMerge.into(inputs.model()).adapter(file).build().write(merged);
    measurements.time("merge into the base model", since(start));
    Path lora = runFolder.resolve("peft");
    start = System.nanoTime();
    LoraExport.of(file, PeftFormat.STANDARD)
        .dtype(DType.F16)
        .base(inputs.model())
        .build()
        .write(lora);
    measurements.time("export as a PEFT LoRA, f16", since(start));
    measurements.bytes("the full model", Files.size(inputs.model().resolve("model.safetensors")));
    measurements.bytes(
        "the LoRA of the same rank, in PEFT's format",
        Files.size(lora.resolve(PeftFormat.WEIGHTS)));
    measurements.bytes("the .nola file", Files.size(pulled.path()));

    narrator.step(String.format(Locale.ROOT, "%,d held-out glosses", plan.test()));
    Tensors.use("CPU", 0);
    Dataset data =
        DatasetReader.read(
            new DataFiles(
                new DataFiles.Layout.LabelledTsv("text", "label"),
                inputs.glosses().resolve("train.tsv"),
                inputs.glosses().resolve("test.tsv"),
                Plan.MAX_TOKENS,
                Integer.MAX_VALUE,
                plan.test()),
            inputs.model());
    try (BaseModel base = BaseModel.loadFor(inputs.model(), file.adapter())) {
      for (Plan.Contender contender : List.of(Plan.Contender.HEAD, Plan.Contender.LORA)) {
        AdapterFile other = user.pull(reference(contender, versions), Progress.NONE).open();
        measurements.accuracy(
            contender.label, accuracy(base, TrainedAdapter.ofFile(base, other), data));
      }
    }
    try (BaseModel model = BaseModel.load(merged)) {
      measurements.accuracy(
          Plan.Contender.NOLA.label + ", merged", accuracy(model, List.of(), data));
    }
    evaluateInPython(inputs, merged, lora, runFolder);
  }

  private void evaluateInPython(DemoInputs inputs, Path merged, Path lora, Path runFolder)
      throws IOException, InterruptedException {
    narrator.step("The same glosses in Transformers and PEFT");
    Path texts = inputs.glosses().resolve("test.tsv");
    List<Object> arguments =
        List.of(merged, inputs.model(), lora, texts, plan.test(), Plan.MAX_TOKENS);
    switch (new PythonEvaluation(output.console().environment()).run(runFolder, arguments)) {
      case PythonEvaluation.Result.Accuracy accuracy -> {
        measurements.accuracy("the same in Transformers", accuracy.merged());
        measurements.accuracy("the same as a LoRA of PEFT, f16", accuracy.lora());
      }
      case PythonEvaluation.Result.Skipped skipped -> narrator.line(skipped.reason());
    }
  }

  private static double accuracy(BaseModel base, List<Adaptation> adaptations, Dataset data)
      throws IOException, InterruptedException {
    return Evaluation.of(
            base.network(),
            new AdaptedWeights(base, adaptations, Kernels.chosen()),
            data.validation(),
            32)
        .accuracy();
  }

  private static AdapterName adapter(Plan.Contender contender) {
    return new AdapterName(NAMESPACE, "wordnet-minilm" + contender.suffix);
  }

  private static Reference reference(
      Plan.Contender contender, Map<Plan.Contender, String> versions) {
    return new Reference(adapter(contender), versions.get(contender));
  }

  /** 1.0.0, or a patch more than the latest. */
  private static String nextVersion(NolaClient user, AdapterName adapter)
      throws IOException, InterruptedException {
    try {
      String latest = user.adapters().version(new Reference(adapter, Reference.LATEST)).version();
      int dot = latest.lastIndexOf('.');
      return latest.substring(0, dot + 1) + (Integer.parseInt(latest.substring(dot + 1)) + 1);
    } catch (RegistryException e) {
      if (e.status() != 404) {
        throw e;
      }
      return "1.0.0";
    }
  }

  private static Duration since(long nanos) {
    return Duration.ofNanos(System.nanoTime() - nanos);
  }

  private void print(URI url, Path runFolder) {
    output.print(
        new Report(runFolder.toString(), keep ? url.toString() : null, measurements.report()),
        _ -> {});
  }

  /**
   * What {@code --json} prints.
   *
   * @param folder with the merged model and the LoRA
   * @param registry its URL; null unless it was kept running
   */
  private record Report(
      String folder, @Nullable String registry, @JsonUnwrapped Measurements.Report measurements) {}

  private void explain(URI url, Path runFolder) {
    PrintWriter out = narrator.out();
    out.printf(
        "The merged model and the LoRA are in %s, the logs in %s.%n",
        runFolder, folder.resolve("logs"));
    if (keep) {
      out.printf("The registry is at %s, its API at %s/swagger-ui.html.%n", url, url);
      out.println("Continue with:");
      out.printf("  export NOLA_REGISTRY=%s%n", url);
      out.printf("  ./nola verify %s/wordnet-minilm@latest%n", NAMESPACE);
      out.printf("  ./nola search wordnet%n");
    } else {
      out.println(
          "The next run publishes the next version; with --keep, the registry and the workers keep"
              + " running.");
    }
  }
}
