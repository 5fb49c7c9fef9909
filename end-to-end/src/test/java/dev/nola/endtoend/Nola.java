package dev.nola.endtoend;

import dev.nola.cli.Main;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A user's command line, with a registry, a cache and credentials; one process per command. */
final class Nola {
  private final Registry registry;
  private final Path home;
  private final Map<String, String> environment = new HashMap<>();

  /**
   * @param home the folder of the user's cache and credentials
   */
  Nola(Registry registry, Path home) {
    this.registry = registry;
    this.home = home;
  }

  /** Returns the same user with one more environment variable. */
  Nola with(String variable, String value) {
    Nola other = new Nola(registry, home);
    other.environment.putAll(environment);
    other.environment.put(variable, value);
    return other;
  }

  /** The exit code and output of a command. */
  record Outcome(int exitCode, String out, String err) {
    JsonNode json() {
      return JsonMapper.shared().readTree(out);
    }
  }

  Outcome run(String... args) throws IOException, InterruptedException {
    return runWithInput("", args);
  }

  Outcome runWithInput(String input, String... args) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(args));
    Path out = Files.createTempFile(home, "out", ".txt");
    Path err = Files.createTempFile(home, "err", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("NOLA_"));
    builder.environment().put("NOLA_REGISTRY", registry.url().toString());
    builder.environment().put("NOLA_CACHE", cache().toString());
    builder.environment().put("NOLA_CONFIG", credentials().getParent().toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    try (OutputStream stdin = process.getOutputStream()) {
      stdin.write(input.getBytes(StandardCharsets.UTF_8));
    }
    if (!process.waitFor(2, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("does not end: " + String.join(" ", args));
    }
    return new Outcome(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  Path cache() {
    return home.resolve("cache");
  }

  Path credentials() {
    return home.resolve("config").resolve("credentials.json");
  }
}
