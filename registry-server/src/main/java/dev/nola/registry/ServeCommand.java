package dev.nola.registry;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.SpringApplication;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command line of the server, as settings for Spring. */
@Command(
    name = "nola serve",
    description = "Run a registry: it catalogs, stores and verifies adapters.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Without --database-url the server runs a PostgreSQL of its own within the data directory.",
      "Every setting, and its environment variable, is listed in registry-server/README.md.",
      "",
      "Example:",
      "  nola serve --port 8080 --data ./nola-data"
    })
final class ServeCommand implements Callable<Integer> {
  /** How log lines are written. */
  enum LogFormat {
    /** For eyes. */
    text,
    /** One JSON object a line, in the Elastic Common Schema. */
    json
  }

  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = "TCP port; 0 takes a free one. Default: 8080.")
  private @Nullable Integer port;

  @Option(
      names = "--address",
      paramLabel = "ADDRESS",
      description = "Address to listen on; 0.0.0.0 is all of this machine's. Default: 127.0.0.1.")
  private @Nullable String address;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Where blobs, the admin token and the server's own database are kept. Default: ./nola-data.")
  private @Nullable Path data;

  @Option(
      names = "--database-url",
      paramLabel = "URL",
      description =
          "JDBC URL of a PostgreSQL; its role and password come from NOLA_DATABASE_USERNAME and"
              + " NOLA_DATABASE_PASSWORD.")
  private @Nullable String databaseUrl;

  @Option(
      names = "--log-format",
      paramLabel = "FORMAT",
      description = "text or json. Default: text on a terminal, else json.")
  private @Nullable LogFormat logFormat;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Any other setting, such as nola.access.anonymous-read=false.")
  private Map<String, String> others = new LinkedHashMap<>();

  @Override
  public Integer call() {
    List<String> settings = new ArrayList<>();
    add(settings, "server.port", port);
    add(settings, "server.address", address);
    add(settings, "nola.data", data);
    add(settings, "nola.database.url", databaseUrl);
    add(settings, "logging.structured.format.console", isJson() ? "ecs" : null);
    others.forEach((key, value) -> add(settings, key, value));
    SpringApplication.run(RegistryServer.class, settings.toArray(String[]::new));
    return 0;
  }

  /** Nothing for an option that was not given: environment and files may say it then. */
  private static void add(List<String> settings, String key, @Nullable Object value) {
    if (value != null) {
      settings.add("--" + key + "=" + value);
    }
  }

  private boolean isJson() {
    return logFormat == null
        ? System.console() == null || !System.console().isTerminal()
        : logFormat == LogFormat.json;
  }
}
