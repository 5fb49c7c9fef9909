package dev.nola.cli.team;

import dev.nola.api.Visibility;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.ObjectDetails;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.ObjectKind;
import dev.nola.api.name.Reference;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.ExitCode;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Submits a job. */
@Command(
    name = "submit",
    description = {
      "Submit a job: the job file of nola train, or a whole request of the REST API, in YAML or"
          + " JSON.",
      "The base model and the data files of a job file are replaced by --model and by the files of"
          + " --dataset with the same path or name."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Example:",
      "  nola job submit job.yaml --adapter acme/mood@1.1.0 --dataset acme/e2e --model acme/llama"
          + " -f"
    })
final class JobSubmitCommand extends RegistryAction {
  private static final long MEGABYTE = 1_000_000;

  @Parameters(paramLabel = "FILE", description = "The job file, or a request with its type.")
  private Path file = Path.of("");

  @Option(
      names = "--adapter",
      paramLabel = "NAMESPACE/NAME@VERSION",
      description = "What to publish the trained adapter as.")
  private @Nullable String adapter;

  @Option(
      names = "--dataset",
      paramLabel = "NAMESPACE/NAME",
      description = "The dataset with the job's data files; see nola dataset push.")
  private @Nullable String dataset;

  @Option(
      names = "--model",
      paramLabel = "NAMESPACE/NAME",
      description = "The base model; see nola model push.")
  private @Nullable String model;

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
    SubmittedFile submitted = SubmittedFile.read(file);
    JobRequest request = submitted.isRequest() ? request(submitted) : training(client, submitted);
    JobDetails job = client.jobs().submit(request);
    if (follow) {
      output.message("submitted job %s", job.id());
      return new JobFollower(client.jobs(), output).follow(job.id());
    }
    output.print(job, out -> out.println(job.id()));
    JobTexts.waiting(job).forEach(reason -> output.message("waiting: %s", reason.message()));
    return ExitCode.OK;
  }

  private JobRequest request(SubmittedFile submitted) {
    if (adapter != null
        || dataset != null
        || model != null
        || visibility != null
        || cuda
        || memory != null
        || timeout != null) {
      throw new IllegalArgumentException(
          "%s is a whole request; of the options only --priority and --follow apply to it"
              .formatted(file));
    }
    JobRequest request = submitted.request();
    return priority == null ? request : new JobRequest(priority, request.work());
  }

  private JobRequest training(NolaClient client, SubmittedFile submitted)
      throws IOException, InterruptedException {
    if (adapter == null || dataset == null) {
      throw new IllegalArgumentException(
          "%s is a job file; --adapter and --dataset say what to publish and which data to use"
              .formatted(file));
    }
    if (submitted.hasBase() && model == null) {
      throw new IllegalArgumentException(
          "%s has model.base; --model names the registered model to use in its place"
              .formatted(file));
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
}
