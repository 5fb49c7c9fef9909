package dev.nola.trainer;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The outcome of a command, run as from a shell.
 *
 * @param out what it wrote on stdout
 * @param err what it wrote on stderr
 */
public record Outcome(int exitCode, String out, String err) {
  private static final JsonMapper ONE_DOCUMENT =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  /** Runs a command. */
  public static Outcome nola(Object... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exitCode =
        TrainerWorker.run(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            Stream.of(args).map(Object::toString).toArray(String[]::new));
    return new Outcome(exitCode, out.toString(), err.toString());
  }

  /** Runs a command with one more option. */
  static Outcome nola(List<?> command, String option) {
    return nola(Stream.concat(command.stream(), Stream.of(option)).toArray());
  }

  /** Returns the one document on stdout. */
  public JsonNode json() {
    return ONE_DOCUMENT.readTree(out);
  }
}
