package dev.nola.endtoend;

import dev.nola.cli.Main;
import dev.nola.command.Console;
import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A user's command line, with a registry, a cache and credentials. Commands run in this process:
 * {@link LauncherTest} starts them as a user does.
 */
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

  Outcome run(String... args) {
    return runWithInput("", args);
  }

  Outcome runWithInput(String input, String... args) {
    Map<String, String> variables = new HashMap<>(System.getenv());
    variables.keySet().removeIf(name -> name.startsWith("NOLA_"));
    variables.put("NOLA_REGISTRY", registry.url().toString());
    variables.put("NOLA_CACHE", cache().toString());
    variables.put("NOLA_CONFIG", credentials().getParent().toString());
    variables.putAll(environment);
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Console console =
        new Console(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
            variables,
            false);
    int exitCode = new Main(console).execute(args);
    return new Outcome(exitCode, out.toString(), err.toString());
  }

  Path cache() {
    return home.resolve("cache");
  }

  Path credentials() {
    return home.resolve("config").resolve("credentials.json");
  }
}
