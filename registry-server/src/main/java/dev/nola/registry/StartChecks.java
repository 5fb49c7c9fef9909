package dev.nola.registry;

import dev.nola.registry.data.StartCheck;
import dev.nola.registry.data.StartFailure;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.FilterType;
import org.springframework.core.env.Environment;

/** Checks whether the server could start with its settings, without starting it. */
final class StartChecks {
  private static final int BACKLOG = 1;

  private StartChecks() {}

  /** The beans of a check: settings, which are validated when they are bound, and checks. */
  @ComponentScan(
      basePackageClasses = RegistryServer.class,
      useDefaultFilters = false,
      includeFilters =
          @ComponentScan.Filter(type = FilterType.ASSIGNABLE_TYPE, classes = StartCheck.class))
  @ConfigurationPropertiesScan(basePackageClasses = RegistryServer.class)
  private static final class SettingsAndChecks {}

  /**
   * The outcome of one check.
   *
   * @param check what was checked
   * @param ok whether the server can start with it
   * @param detail what was found, or what is wrong and what to do
   */
  record Outcome(String check, boolean ok, String detail) {}

  /**
   * Runs all checks. If the settings are wrong, the rest is not known.
   *
   * @param arguments settings as Spring takes them, such as {@code --server.port=80}
   * @return the outcomes
   */
  static List<Outcome> run(List<String> arguments) {
    SpringApplication application = new SpringApplication(SettingsAndChecks.class);
    application.setWebApplicationType(WebApplicationType.NONE);
    application.setLogStartupInfo(false);
    List<Outcome> outcomes = new ArrayList<>();
    try (ConfigurableApplicationContext context =
        application.run(arguments.toArray(String[]::new))) {
      outcomes.add(new Outcome("settings", true, "all are known and valid"));
      context.getBeansOfType(StartCheck.class).values().forEach(check -> outcomes.add(run(check)));
      outcomes.add(port(context.getEnvironment()));
    } catch (RuntimeException e) {
      outcomes.add(new Outcome("settings", false, ServeCommand.reason(e)));
    }
    return outcomes;
  }

  private static Outcome run(StartCheck check) {
    try {
      return new Outcome(check.subject(), true, check.run());
    } catch (StartFailure e) {
      return new Outcome(check.subject(), false, e.getMessage() + ". " + e.advice());
    }
  }

  private static Outcome port(Environment environment) {
    int port = environment.getProperty("server.port", Integer.class, 0);
    String address = environment.getProperty("server.address", "0.0.0.0");
    try (ServerSocket socket = new ServerSocket(port, BACKLOG, InetAddress.getByName(address))) {
      return new Outcome(
          "port",
          true,
          port == 0 ? "a free one" : "%d on %s".formatted(socket.getLocalPort(), address));
    } catch (IOException e) {
      return new Outcome(
          "port",
          false,
          "cannot listen on port %d of %s: %s; choose another with --port or --address"
              .formatted(port, address, e.getMessage()));
    }
  }
}
