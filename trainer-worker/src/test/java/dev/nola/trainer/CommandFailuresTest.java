package dev.nola.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * With --json a failure is exactly one document on stdout, and the exit code is the one in --help.
 */
class CommandFailuresTest {
  @TempDir private Path folder;

  private record Failed(int exitCode, String kind, String error, String err) {
    static Failed run(String... args) {
      Outcome outcome = Outcome.nola((Object[]) args);
      JsonNode document = outcome.json();
      assertThat(document.get("ok").asBoolean()).isFalse();
      return new Failed(
          outcome.exitCode(),
          document.get("kind").asString(),
          document.get("error").asString(),
          outcome.err());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "train",
        "evaluate",
        "nearest",
        "predict",
        "targets",
        "generate",
        "choose",
        "rank-coverage",
        "worker",
        "import-onnx",
        "import-wordnet",
        "import-webnlg",
        "import-dart",
        "import-e2e"
      })
  void unknownOption_isAUsageError(String command) {
    Failed failed = Failed.run(command, "--bogus", "--json");
    assertThat(failed.exitCode).isEqualTo(2);
    assertThat(failed.kind).isEqualTo("usage");
    assertThat(failed.err).contains("--bogus", "nola " + command + " --help").hasLineCount(1);
  }

  @Test
  void missingJobFile_isUnreadable() {
    Failed failed = Failed.run("train", "nofile.yaml", "-o", file("x.nola"), "--json");
    assertThat(failed.exitCode).isEqualTo(3);
    assertThat(failed.kind).isEqualTo("unreadable");
    assertThat(failed.error).contains("nofile.yaml", "no such file");
  }

  @Test
  void missingTokenFile_isUnreadable() {
    Failed failed = Failed.run("worker", "--token-file", file("none"), "--json");
    assertThat(failed.exitCode).isEqualTo(3);
    assertThat(failed.error).contains("none: no such file");
  }

  @Test
  void stoppedWorker_reportsItsJobs() throws Exception {
    String token = Files.writeString(folder.resolve("token"), "secret").toString();
    FutureTask<Outcome> ended =
        new FutureTask<>(
            () ->
                Outcome.nola(
                    "worker",
                    "--registry",
                    "http://127.0.0.1:1",
                    "--token-file",
                    token,
                    "--key",
                    file("key.pem"),
                    "--work",
                    file("work"),
                    "--json"));
    Thread worker = Thread.ofPlatform().start(ended);
    // It pauses before it tries to reach the registry again.
    while (worker.getState() != Thread.State.TIMED_WAITING
        || !Files.exists(folder.resolve("work/.lock"))) {
      assertThat(ended.isDone()).isFalse();
      Thread.sleep(10);
    }
    worker.interrupt();
    Outcome outcome = ended.get();
    assertThat(outcome.exitCode()).isEqualTo(130);
    assertThat(outcome.json())
        .isEqualTo(
            JsonMapper.shared()
                .readTree(
                    """
                {"ok": false, "kind": "interrupted", "error": "interrupted",
                 "jobs": {"done": 0, "failed": 0, "returned": 0}}
                """));
    assertThat(outcome.err()).isEqualTo("nola worker: interrupted\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"foo", "ht tp://x"})
  void registryThatIsNoUrl_isAUsageError(String url) throws Exception {
    String token = Files.writeString(folder.resolve("token"), "secret").toString();
    Failed failed =
        Failed.run(
            "worker",
            "--registry",
            url,
            "--token-file",
            token,
            "--key",
            file("key.pem"),
            "--work",
            file("work"),
            "--json");
    assertThat(failed.exitCode).isEqualTo(2);
    assertThat(failed.error)
        .isEqualTo("invalid --registry: " + url + "; must be a URL such as https://nola.example");
  }

  @Test
  void adapterToGenerateWith_isAFileAReferenceOrALora() throws Exception {
    String[] args = {"generate", "--base", file("model"), "--prompt", "a", "--json", "--adapter"};
    Failed missing = Failed.run(with(args, "none.nola"));
    assertThat(missing.exitCode).isEqualTo(3);
    assertThat(missing.error).isEqualTo("none.nola: no such file");
    Failed unreachable =
        Failed.run(with(args, "acme/mood@prod", "--registry", "http://127.0.0.1:1"));
    assertThat(unreachable.exitCode).isEqualTo(4);
    assertThat(unreachable.kind).isEqualTo("unavailable");
    String garbage = Files.writeString(folder.resolve("a"), "garbage ".repeat(10)).toString();
    Failed damaged = Failed.run(with(args, garbage));
    assertThat(damaged.kind).isEqualTo("corrupt");
    assertThat(damaged.error).startsWith(garbage + ": not a .nola file");
    Failed noLora = Failed.run(with(args, folder.toString()));
    assertThat(noLora.error).startsWith(folder + ": is not a LoRA of PEFT");
  }

  private static String[] with(String[] args, String... more) {
    return Stream.of(args, more).flatMap(Stream::of).toArray(String[]::new);
  }

  @Test
  void unsupportedModel_isRefused() throws Exception {
    Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"mamba\"}");
    Failed failed = Failed.run("generate", "--base", folder.toString(), "--prompt", "a", "--json");
    assertThat(failed.exitCode).isEqualTo(1);
    assertThat(failed.kind).isEqualTo("unsupported-model");
    assertThat(failed.error).contains("mamba");
  }

  @Test
  void invalidData_isRefused() throws Exception {
    Path archive = Files.writeString(folder.resolve("wordnet.jar"), "not a zip");
    Failed failed =
        Failed.run("import-wordnet", "--jar", archive.toString(), "-o", file("out"), "--json");
    assertThat(failed.exitCode).isEqualTo(1);
    assertThat(failed.kind).isEqualTo("invalid-data");
  }

  private String file(String name) {
    return folder.resolve(name).toString();
  }
}
