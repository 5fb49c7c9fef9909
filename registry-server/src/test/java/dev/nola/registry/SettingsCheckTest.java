package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.registry.data.StartFailure;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.SpringApplication;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

class SettingsCheckTest {
  @ParameterizedTest
  @CsvSource({
    "nola.access.anonymous-reed, nola.access.anonymous-read",
    "nola.acess.anonymousRead, nola.access.anonymous-read",
    "nola.access.trusted-proxy[0], nola.access.trusted-proxies",
    "nola.dat, nola.data",
    "nola.jobs.leases, nola.jobs.lease"
  })
  void unknownSettingIsRefusedWithTheNearestKnown(String name, String nearest) {
    assertThatThrownBy(() -> check(name, "false"))
        .isInstanceOfSatisfying(
            StartFailure.class,
            failure -> {
              assertThat(failure).hasMessage("unknown setting " + name);
              assertThat(failure.advice()).startsWith("Did you mean " + nearest + "?");
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"nola.acess.x", "nola.access.colour", "nola.acess"})
  void unknownSettingThatResemblesNoneIsRefusedWithoutAnotherOne(String name) {
    assertThatThrownBy(() -> check(name, "false"))
        .isInstanceOfSatisfying(
            StartFailure.class,
            failure -> assertThat(failure.advice()).startsWith("registry-server/README.md"));
  }

  @ParameterizedTest
  @CsvSource({
    "NOLA_ACESS_ANONYMOUSREAD, nola.access.anonymous-read",
    "NOLA_ACESS_ANONYMUS_READ, nola.access.anonymous-read",
    "NOLA_ANONYMOUS_READ, nola.access.anonymous-read",
    "nola_acess_anonymousread, nola.access.anonymous-read",
    "NOLA_VERIFICATON_BACKENDS, nola.verification.backends",
    "NOLA_JOB_LEASE, nola.jobs.lease",
    "NOLA_DAT, nola.data",
    "NOLA_ACESS_TRUSTEDPROXIES_0, nola.access.trusted-proxies"
  })
  void variableThatResemblesASettingIsRefused(String name, String nearest) {
    assertThatThrownBy(() -> checkVariable(name))
        .isInstanceOfSatisfying(
            StartFailure.class,
            failure -> {
              assertThat(failure).hasMessage("unknown setting " + name);
              assertThat(failure.advice()).startsWith("Did you mean " + nearest + "?");
            });
  }

  @ParameterizedTest
  @CsvSource({
    "nola.access.anonymous-read",
    "nola.access.anonymousRead",
    "nola.access.anonymous_read",
    "nola.access.trusted-proxies[1]",
    "nola.data",
    "spring.anything"
  })
  void everySpellingOfASettingIsAccepted(String name) {
    check(name, "x");
  }

  @ParameterizedTest
  @CsvSource({"NOLA_ACCESS_ANONYMOUS_REED", "NOLA_DATABASE_POOL"})
  void unknownVariableOfAGroupIsRefused(String name) {
    assertThatThrownBy(() -> checkVariable(name)).hasMessage("unknown setting " + name);
  }

  @ParameterizedTest
  @CsvSource({
    "NOLA_ACCESS_ANONYMOUSREAD",
    "NOLA_ACCESS_ANONYMOUS_READ",
    "NOLA_ACCESS_TRUSTEDPROXIES_0",
    "NOLA_ADMIN_TOKEN",
    "NOLA_REGISTRY",
    "NOLA_TOKEN",
    "NOLA_CACHE",
    "NOLA_CONFIG",
    "NOLA_MODELS",
    "NOLA_JAVA_OPTS",
    "NOLA_TORCH_PYTHON",
    "NOLA_ADMIN_TOKEN_FILE",
    "NOLA_WORKER_TOKEN_FILE",
    "NOLA_SCHEMATHESIS",
    "NOLA_BENCH_OUTPUT",
    "NOLA_BENCH_SOURCES",
    "NOLA_FUZZ_SECONDS",
    "NOLA_PHILOX_H",
    "NOLA_REPOSITORY",
    "MYNOLA_ACESS_ANONYMOUSREAD",
    "NOLA_DATA"
  })
  void otherVariablesAreAccepted(String name) {
    checkVariable(name);
  }

  @Test
  void serverDoesNotStartWithAnUnknownSetting() {
    assertThatThrownBy(() -> TestRegistry.start("nola.access.anonymus-read=false"))
        .isInstanceOf(StartFailure.class);
  }

  private static void check(String name, String value) {
    StandardEnvironment environment = new StandardEnvironment();
    environment.getPropertySources().addFirst(new MapPropertySource("test", Map.of(name, value)));
    new SettingsCheck().postProcessEnvironment(environment, new SpringApplication());
  }

  private static void checkVariable(String name) {
    StandardEnvironment environment = new StandardEnvironment();
    environment
        .getPropertySources()
        .replace(
            StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
            new SystemEnvironmentPropertySource(
                StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, Map.of(name, "x")));
    new SettingsCheck().postProcessEnvironment(environment, new SpringApplication());
  }
}
