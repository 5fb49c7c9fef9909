package dev.nola.demo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Evaluates what the demo exports in the libraries that it is exported for. */
final class PythonEvaluation {
  /** The environment variable that names the Python to use; python3 if it is not set. */
  static final String PYTHON = "NOLA_TORCH_PYTHON";

  private static final String SCRIPT = "evaluate.py";

  private final String python;

  PythonEvaluation(Map<String, String> environment) {
    this.python = environment.getOrDefault(PYTHON, "python3");
  }

  /** A result. */
  sealed interface Result {
    /**
     * Accuracies.
     *
     * @param merged of the merged model in Transformers
     * @param lora of the base with the LoRA in PEFT
     */
    record Accuracy(double merged, double lora) implements Result {}

    /**
     * No result, because there is no Python with the libraries.
     *
     * @param reason for the user
     */
    record Skipped(String reason) implements Result {}
  }

  /**
   * Runs the script.
   *
   * @param folder receives the script and its log
   * @param arguments arguments of the script
   * @return the accuracies, or why there are none
   * @throws IOException if Python has the libraries and fails, or a file cannot be written
   */
  Result run(Path folder, List<Object> arguments) throws IOException, InterruptedException {
    Path script = folder.resolve(SCRIPT);
    try (InputStream in =
        Objects.requireNonNull(PythonEvaluation.class.getResourceAsStream(SCRIPT), SCRIPT)) {
      Files.copy(in, script);
    }
    Path log = folder.resolve("evaluate.log");
    ProcessBuilder builder =
        new ProcessBuilder(
                Stream.concat(Stream.of(python, script), arguments.stream())
                    .map(Object::toString)
                    .toList())
            .redirectError(log.toFile());
    builder.environment().put("HF_HUB_OFFLINE", "1");
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      return skipped("does not run (%s)".formatted(e.getMessage()));
    }
    try {
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (process.waitFor() != 0) {
        throw new IOException(
            "%s ended with %d; see %s".formatted(script, process.exitValue(), log));
      }
      return result(script, output);
    } finally {
      process.destroy();
    }
  }

  private Result result(Path script, String output) throws IOException {
    try {
      JsonNode json = JsonMapper.shared().readTree(output.substring(output.lastIndexOf('\n') + 1));
      return json.has("missing")
          ? skipped("has no " + json.path("missing").asString())
          : new Result.Accuracy(json.path("merged").asDouble(), json.path("lora").asDouble());
    } catch (JacksonException e) {
      throw new IOException("%s printed no result: %s".formatted(script, output), e);
    }
  }

  private Result skipped(String problem) {
    return new Result.Skipped(
        "Not evaluated in Transformers: %s %s; install torch, transformers and peft, or name a Python that has them in %s."
            .formatted(python, problem, PYTHON));
  }
}
