package dev.nola.registry;

import dev.nola.command.ExitCode;
import dev.nola.command.Failure;
import dev.nola.command.Failures;
import dev.nola.command.Output;
import dev.nola.command.Table;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.context.event.ApplicationPreparedEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.event.ContextClosedEvent;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The command line of the server, as settings for Spring. */
@Command(
    name = "serve",
    description = "Run a registry: it catalogs, stores and verifies adapters.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Without --database-url the server runs its own PostgreSQL within the data directory.",
      "Every setting, and its environment variable, is listed in registry-server/README.md.",
      "",
      "Example:",
      "  nola serve --port 8080 --data ./nola-data"
    })
final class ServeCommand implements Callable<Integer> {
  /** Explains why a server, or a copy of its blobs, does not start. */
  static final Failures FAILURES = Failures.STANDARD.with(ServeCommand::failure);

  private static final int MAX_PORT = 65_535;

  /** How log lines are written. */
  enum LogFormat {
    /** For people. */
    text,
    /** One JSON object a line, in the Elastic Common Schema. */
    json
  }

  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = "TCP port; 0 picks a free port. Default: 8080.")
  private @Nullable Integer port;

  @Option(
      names = "--address",
      paramLabel = "ADDRESS",
      description =
          "Address to listen on; 0.0.0.0 listens on all addresses of this machine. Default:"
              + " 127.0.0.1.")
  private @Nullable String address;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Where blobs, the admin token and the server's own database are kept. Default:"
              + " ./nola-data.")
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
  private Map<String, String> otherSettings = new LinkedHashMap<>();

  @Option(
      names = "--check",
      description =
          "Check settings, data directory, bucket, database and port, start nothing, and exit with 0"
              + " if the server can start, else with 1.")
  private boolean check;

  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    if (port != null && (port < 0 || port > MAX_PORT)) {
      throw new ParameterException(
          output.command().commandLine(),
          "invalid --port: %d; must be 0 to %d".formatted(port, MAX_PORT));
    }
    List<String> settings = new ArrayList<>();
    add(settings, "server.port", port);
    add(settings, "server.address", address);
    add(settings, "nola.data", data);
    add(settings, "nola.database.url", databaseUrl);
    add(settings, "logging.structured.format.console", isJson() ? "ecs" : null);
    otherSettings.forEach((key, value) -> add(settings, key, value));
    if (output.isJson()) {
      System.setOut(System.err); // the log: stdout is for the one document
    }
    if (check) {
      return check(settings);
    }
    CountDownLatch closed = new CountDownLatch(1);
    SpringApplication application = new SpringApplication(RegistryServer.class);
    application.setMainApplicationClass(RegistryServer.class);
    application.addListeners((ApplicationListener<ContextClosedEvent>) _ -> closed.countDown());
    // Before the database starts, which takes seconds.
    application.addListeners(
        (ApplicationListener<ApplicationPreparedEvent>)
            event -> ListenPort.of(event.getApplicationContext().getEnvironment()).requireFree());
    ConfigurableApplicationContext context = start(application, settings);
    if (output.isJson()) {
      String url =
          "http://%s:%s"
              .formatted(
                  context.getEnvironment().getProperty("server.address", "0.0.0.0"),
                  context.getEnvironment().getProperty("local.server.port"));
      output.print(new Started(true, url), _ -> {});
    }
    try {
      closed.await();
    } catch (InterruptedException _) {
      // The process was asked to end: Spring's shutdown hook closes the server.
    }
    return ExitCode.OK;
  }

  private int check(List<String> settings) {
    List<StartChecks.Outcome> outcomes = StartChecks.run(settings);
    boolean ok = outcomes.stream().allMatch(StartChecks.Outcome::ok);
    output.print(
        new Checked(ok, outcomes),
        out -> {
          Table table = new Table();
          outcomes.forEach(
              outcome ->
                  table.row(outcome.ok() ? "ok" : "FAILED", outcome.check(), outcome.detail()));
          table.print(out);
        });
    return ok ? ExitCode.OK : ExitCode.REFUSED;
  }

  /** What {@code --check --json} prints. */
  private record Checked(boolean ok, List<StartChecks.Outcome> checks) {}

  /** What {@code --json} prints once the server is ready. */
  private record Started(boolean ok, String url) {}

  private static ConfigurableApplicationContext start(
      SpringApplication application, List<String> settings) {
    try {
      return application.run(settings.toArray(String[]::new));
    } catch (SpringApplication.AbandonedRunException e) {
      throw e; // a start that was only meant to show that it works
    } catch (RuntimeException e) {
      throw new NotStartedException("the server cannot start", e);
    }
  }

  private static @Nullable Failure failure(Exception exception) {
    return exception instanceof NotStartedException
        ? Failures.refused("not-started", exception)
        : null;
  }

  /** Adds nothing for an option that is not set: the environment or files may then set it. */
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
