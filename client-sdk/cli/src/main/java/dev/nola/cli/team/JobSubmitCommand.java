package dev.nola.cli.team;

import dev.nola.api.Visibility;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobType;
import dev.nola.api.job.ObjectDetails;
import dev.nola.api.name.BackendName;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.ObjectKind;
import dev.nola.api.name.Reference;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.ExitCode;
import dev.nola.format.DType;
import dev.nola.text.Label;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParseResult;

/** Submits a job. */
@Command(
    name = "submit",
    description = {
      "Submit a job: the job file of nola train, or a whole request of the REST API, in YAML or"
          + " JSON.",
      "The base model and the data files of a job file are replaced by --model and by the files of"
          + " --dataset with the same path or name.",
      "Jobs that verify or export a version need no file, but --type and --adapter."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola job submit job.yaml --adapter acme/mood@1.1.0 --dataset acme/e2e --model acme/llama"
          + " -f",
      "  nola job submit --type export --adapter acme/mood@1.1.0 --dtype bf16",
      "  nola job submit --type verify --adapter acme/mood@prod --backend vector"
    })
final class JobSubmitCommand extends RegistryAction {
  private static final long MEGABYTE = 1_000_000;

  /** The options that describe each type of job. */
  private static final Map<JobType, List<String>> OPTIONS =
      Map.of(
          JobType.TRAIN,
          List.of(
              "--adapter",
              "--dataset",
              "--model",
              "--visibility",
              "--cuda",
              "--memory",
              "--timeout"),
          JobType.VERIFY,
          List.of("--adapter", "--backend"),
          JobType.EXPORT,
          List.of("--adapter", "--model", "--dtype"));

  @Parameters(
      arity = "0..1",
      paramLabel = "FILE",
      description = "The job file, or a request with its type.")
  private @Nullable Path file;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      description =
          "train, by a job file (the default); verify: reconstruct a version on one backend and attest"
              + " the result; or export: write a version as a LoRA of PEFT, for nola job result.")
  private @Nullable JobType type;

  @Option(
      names = "--adapter",
      paramLabel = "NAMESPACE/NAME@VERSION",
      description = "What to publish the trained adapter as; or the version to verify or export.")
  private @Nullable String adapter;

  @Option(
      names = "--dataset",
      paramLabel = "NAMESPACE/NAME",
      description = "The dataset with the job's data files; see nola dataset push.")
  private @Nullable String dataset;

  @Option(
      names = "--model",
      paramLabel = "NAMESPACE/NAME",
      description = "The base model; see nola model push. Some exports need it.")
  private @Nullable String model;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      completionCandidates = Backends.class,
      description = "Where to verify: scalar, vector, torch or cuda (default: ${DEFAULT-VALUE}).")
  private String backend = BackendName.SCALAR.label();

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description = "Type of exported factors: f32, f16 or bf16 (default: f16).")
  private @Nullable DType dtype;

  @Option(
      names = "--visibility",
      paramLabel = "VISIBILITY",
      description = "public or private, of the adapter if it is new.")
  private @Nullable Visibility visibility;

  @Option(names = "--cuda", description = "Run it on a worker with a GPU only.")
  private boolean cuda;

  @Option(
      names = "--memory",
      paramLabel = "MB",
      description = "Memory that it may use (default: the registry's).")
  private @Nullable Long memory;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      description = "Time that it may take (default: the registry's).")
  private @Nullable Integer timeout;

  @Option(
      names = "--priority",
      paramLabel = "N",
      description = "Its priority; higher goes first (default: 0).")
  private @Nullable Integer priority;

  @Option(
      names = {"-f", "--follow"},
      description =
          "Print its events until it has ended; the exit code is 1 if it does not succeed.")
  private boolean follow;

  @Override
  int run(NolaClient client) throws IOException, InterruptedException {
    JobRequest request =
        file != null ? ofFile(client, file) : new JobRequest(priority, ofVersion(client));
    JobDetails job = client.jobs().submit(request);
    if (follow) {
      output.message("submitted job %s", job.id());
      return new JobFollower(client.jobs(), output).follow(job.id());
    }
    output.print(job, out -> out.println(job.id()));
    JobTexts.waiting(job).forEach(reason -> output.message("waiting: %s", reason.message()));
    return ExitCode.OK;
  }

  private JobRequest ofFile(NolaClient client, Path source)
      throws IOException, InterruptedException {
    SubmittedFile submitted = SubmittedFile.read(source);
    if (submitted.isRequest()) {
      if (type != null || !used().isEmpty()) {
        throw new IllegalArgumentException(
            "%s is a whole request; of the options only --priority and --follow apply to it"
                .formatted(source));
      }
      JobRequest request = submitted.request();
      return priority == null ? request : new JobRequest(priority, request.work());
    }
    if (type != null && type != JobType.TRAIN) {
      throw new IllegalArgumentException(
          "%s is a job file, which trains; --type %s takes no file"
              .formatted(source, Label.of(type)));
    }
    return training(client, submitted, source);
  }

  /** Returns the options that describe the job. */
  private List<String> used() {
    ParseResult parsed = output.command().commandLine().getParseResult();
    return OPTIONS.values().stream()
        .flatMap(List::stream)
        .distinct()
        .filter(parsed::hasMatchedOption)
        .toList();
  }

  private void requireOptionsOf(JobType wanted) {
    List<String> others =
        used().stream().filter(option -> !OPTIONS.get(wanted).contains(option)).toList();
    if (!others.isEmpty()) {
      throw new IllegalArgumentException(
          "%s does not apply to --type %s; its options are %s"
              .formatted(
                  others.getFirst(), Label.of(wanted), String.join(", ", OPTIONS.get(wanted))));
    }
  }

  /** Makes the work that needs a version only. */
  private JobRequest.Work ofVersion(NolaClient client) throws IOException, InterruptedException {
    if (type == null || type == JobType.TRAIN) {
      throw new ParameterException(
          output.command().commandLine(),
          "missing FILE; name a job file, or pass --type verify or --type export");
    }
    requireOptionsOf(type);
    if (adapter == null) {
      throw new IllegalArgumentException(
          "missing --adapter; --type %s needs the version, such as acme/mood@1.1.0"
              .formatted(Label.of(type)));
    }
    Reference reference = Reference.parse(adapter);
    String version = client.adapters().version(reference).version();
    String name = reference.adapter().toString();
    return type == JobType.VERIFY
        ? new JobRequest.Verify(name, version, NameRule.BACKEND.require(backend))
        : new JobRequest.Export(name, version, model, dtype == null ? null : Label.of(dtype));
  }

  private JobRequest training(NolaClient client, SubmittedFile submitted, Path source)
      throws IOException, InterruptedException {
    requireOptionsOf(JobType.TRAIN);
    if (adapter == null || dataset == null) {
      throw new IllegalArgumentException(
          "%s is a job file; --adapter and --dataset say what to publish and which data to use"
              .formatted(source));
    }
    if (submitted.hasBase() && model == null) {
      throw new IllegalArgumentException(
          "%s has model.base; --model names the registered model to use in its place"
              .formatted(source));
    }
    Reference target = Reference.parse(adapter);
    NameRule.VERSION.require(target.version());
    ObjectDetails data = client.objects().get(ObjectKind.DATASET, dataset);
    return new JobRequest(
        priority,
        new JobRequest.Train(
            target.adapter().toString(),
            target.version(),
            visibility,
            model,
            "%s/%s@%s".formatted(data.namespace(), data.name(), data.revision()),
            submitted.job(data.files()),
            cuda ? true : null,
            memory == null ? null : memory * MEGABYTE,
            timeout));
  }

  /** The names of backends, for completion. */
  static final class Backends implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return BackendName.LABELS.iterator();
    }
  }
}
