package dev.nola.registry;

import dev.nola.registry.data.StartCheck;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.FilterType;
import org.springframework.core.env.Environment;

/** Checks whether the server could start with its settings, without starting it. */
final class StartChecks {
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
      outcomes.add(new Outcome("settings", false, StartFailureReason.of(e)));
    }
    return outcomes;
  }

  private static Outcome run(StartCheck check) {
    return outcome(check.subject(), check::run);
  }

  private static Outcome port(Environment environment) {
    ListenPort port = ListenPort.of(environment);
    return outcome(
        "port",
        () -> {
          port.requireFree();
          return port.toString();
        });
  }

  private static Outcome outcome(String subject, Supplier<String> check) {
    try {
      return new Outcome(subject, true, check.get());
    } catch (RuntimeException e) {
      return new Outcome(subject, false, StartFailureReason.of(e));
    }
  }
}
