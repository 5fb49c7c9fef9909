package dev.nola.trainer.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.job.JobFailure;
import dev.nola.api.job.LeaseRequest;
import dev.nola.trainer.Jobs;
import dev.nola.trainer.Outcome;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.databind.JsonNode;

/** {@code nola worker --once}, and a worker that uses plain HTTP. */
class WorkerOnceTest {
  private static final Path VECTORS = Path.of("../format-spec/vectors");

  @TempDir private Path folder = Path.of("");

  private final StubRegistry registry;

  WorkerOnceTest() throws IOException {
    registry = new StubRegistry();
  }

  @AfterEach
  void stop() {
    registry.close();
  }

  private Outcome run(URI url, String... more) throws IOException {
    Path token = Files.writeString(folder.resolve("token"), "token");
    Stream<Object> args =
        Stream.of(
                List.of("worker", "--once", "--json", "--registry", url, "--token-file", token),
                List.of("--name", "one", "--key", folder.resolve("key.pem")),
                List.of("--work", folder.resolve("work")),
                List.of(more))
            .flatMap(List::stream);
    return Outcome.nola(args.toArray());
  }

  private static JsonNode jobs(Outcome outcome) {
    return outcome.json().get("jobs");
  }

  private UUID queueVerification() throws IOException {
    byte[] file = Files.readAllBytes(VECTORS.resolve("valid/metadata.nola"));
    return registry.verify(file, "scalar", StubRegistry.nonce(1));
  }

  @Test
  void ofTwoJobs_oneIsDone() throws Exception {
    UUID first = queueVerification();
    queueVerification();
    Outcome outcome = run(registry.url());
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    assertThat(outcome.json().get("ok").asBoolean()).isTrue();
    assertThat(jobs(outcome).get("done").asInt()).isEqualTo(1);
    assertThat(registry.attested).containsOnlyKeys(first);
    assertThat(registry.leased).containsOnlyKeys(first);
    assertThat(registry.ended).as("signed off").hasSize(1);
  }

  @Test
  void failedJob_isExitCode1() throws Exception {
    byte[] file = Files.readAllBytes(VECTORS.resolve("valid/metadata.nola"));
    UUID job = registry.export(file, "f64");
    Outcome outcome = run(registry.url());
    assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(1);
    assertThat(outcome.json().get("kind").asString()).isEqualTo("job-failed");
    assertThat(jobs(outcome).get("failed").asInt()).isEqualTo(1);
    assertThat(registry.failures.get(job).reason()).startsWith("invalid type: f64");
  }

  @Test
  void noJob_isExitCode5() throws Exception {
    Outcome outcome = run(registry.url(), "--wait", "0");
    assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(5);
    assertThat(outcome.json().get("kind").asString()).isEqualTo("no-job");
    assertThat(outcome.err()).endsWith("nola worker: no job within 0 s\n");
    assertThat(registry.requests).extracting(LeaseRequest::waitSeconds).containsOnly(0);
    assertThat(registry.ended).as("signed off").hasSize(1);
  }

  @Test
  void refusedToken_isExitCode4() throws Exception {
    registry.refusal = 401;
    Outcome outcome = run(registry.url());
    assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(4);
    assertThat(outcome.json().get("kind").asString()).isEqualTo("not-allowed");
  }

  @Test
  void stoppedWorker_handsTheJobBack() throws Exception {
    Path data = Files.createDirectories(folder.resolve("data"));
    Path file =
        Jobs.write(data, "name: nola\nrank: 6\nk: 16\nl: 16\nbits: 4\n", "steps: 10000000\n");
    Map<String, Object> job = new Yaml().load(Files.readString(file));
    Files.delete(file); // not part of the dataset
    UUID id = registry.train(job, registry.object("data", data, true), null);
    FutureTask<Outcome> command = new FutureTask<>(() -> run(registry.url(), "--memory", "4500"));
    Thread thread = Thread.ofPlatform().start(command);
    StubRegistry.await("progress", registry::hasProgress);
    thread.interrupt();
    Outcome outcome = command.get();
    assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(130);
    assertThat(jobs(outcome).get("returned").asInt()).isEqualTo(1);
    assertThat(registry.failures.get(id))
        .extracting(JobFailure::reason, JobFailure::retryable)
        .containsExactly("the worker was stopped", true);
  }

  @Test
  void optionsThatContradictOnce_areUsageErrors() throws Exception {
    Outcome slots = run(registry.url(), "--slots", "2");
    assertThat(slots.exitCode()).isEqualTo(2);
    assertThat(slots.json().get("error").asString())
        .isEqualTo("invalid --slots: 2; must be 1 with --once");
    Outcome negative = run(registry.url(), "--wait", "-1");
    assertThat(negative.exitCode()).isEqualTo(2);
    assertThat(negative.json().get("error").asString()).startsWith("invalid --wait: -1");
    assertThat(registry.requests).isEmpty();
  }

  /** The URL is that of this machine, but its text does not look like it. */
  @Test
  void plainHttpToAnotherMachine_needsTheOption() throws Exception {
    URI url = URI.create("http://[::ffff:127.0.0.1]:" + registry.url().getPort());
    UUID job = queueVerification();
    Outcome refused = run(url);
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.json().get("error").asString())
        .contains("would cross the network unencrypted")
        .contains("--allow-plain-http");
    assertThat(registry.requests).isEmpty();
    Outcome allowed = run(url, "--allow-plain-http");
    assertThat(allowed.exitCode()).as(allowed.err()).isZero();
    assertThat(registry.attested).containsOnlyKeys(job);
  }
}
