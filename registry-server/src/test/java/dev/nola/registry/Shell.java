package dev.nola.registry;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Runs commands as an operator types them. */
final class Shell {
  private Shell() {}

  /** Fails with what was printed, unless all commands succeed. */
  static void run(String script, Path directory, Map<String, String> environment)
      throws IOException, InterruptedException {
    Path output =
        Files.createTempFile("nola-shell", ".log"); // no pipe: a daemon would keep it open
    ProcessBuilder builder =
        new ProcessBuilder("bash", "-euo", "pipefail", "-c", script)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    builder.environment().putAll(environment);
    int exitCode = builder.start().waitFor();
    String printed = Files.readString(output);
    Files.delete(output);
    if (exitCode != 0) {
      throw new AssertionError(script + "\nended with " + exitCode + ":\n" + printed);
    }
  }
}
