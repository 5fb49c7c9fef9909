package dev.nola.client.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.client.http.CredentialsException;
import dev.nola.client.oci.DockerCredentials.Login;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** interop/oci has helpers on the path. */
class DockerCredentialsTest {
  private static final Login ANN = new Login("ann", "pass:word");

  private static final Duration LONG = Duration.ofMinutes(1);

  @TempDir private Path folder = Path.of("");

  private @Nullable Login login(String config, String host) throws Exception {
    Files.writeString(folder.resolve("config.json"), config);
    return credentials().login(host);
  }

  private DockerCredentials credentials() {
    return DockerCredentials.of(Map.of("DOCKER_CONFIG", folder.toString()));
  }

  @ParameterizedTest
  @CsvSource({
    "r.example, r.example",
    "r.example:5000, r.example:5000",
    "https://r.example, r.example",
    "http://r.example:5000/v1/, r.example:5000",
    "https://index.docker.io/v1/, docker.io"
  })
  void storedLogin_isFoundByHost(String key, String host) throws Exception {
    String config = "{\"auths\": {\"x\": {}, \"%s\": {\"auth\": \"YW5uOnBhc3M6d29yZA==\"}}}";

    assertThat(login(config.formatted(key), host)).isEqualTo(ANN);
    assertThat(login(config.formatted(key), "other.example")).isNull();
  }

  @Test
  void identityToken_isFound() throws Exception {
    Login login =
        login(
            "{\"auths\": {\"r.example\": {\"auth\": \"eA==\", \"identitytoken\": \"t\"}}}",
            "r.example");

    assertThat(login).isEqualTo(new Login("", "t"));
    assertThat(ANN.toString() + login).doesNotContain("pass").doesNotContain("t\"");
  }

  @Test
  void absentFile_hasNoLogins() throws Exception {
    assertThat(
            DockerCredentials.of(Map.of("DOCKER_CONFIG", folder.resolve("absent").toString()))
                .login("r.example"))
        .isNull();
  }

  @Test
  void deviceOrLargeFile_isRefused() throws IOException {
    Path file = folder.resolve("config.json");
    assertThatThrownBy(() -> login("{" + " ".repeat(1 << 20) + "}", "r.example"))
        .isInstanceOf(CredentialsException.class)
        .hasMessage("credentials file is too large: %s; limit is 1048576 bytes", file);
    Files.delete(file);
    Files.createSymbolicLink(file, Path.of("/dev/zero"));

    assertThatThrownBy(() -> credentials().login("r.example"))
        .hasMessage("invalid credentials file: %s; must be a regular file", file);
  }

  private @Nullable Login ask(String script, Duration limit) throws Exception {
    Path helper = folder.resolve("helper");
    Files.writeString(helper, "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(helper, PosixFilePermissions.fromString("rwx------"));
    return new CredentialHelper(helper.toString(), System.getenv(), limit).login("r.example");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "test $(cat) = r.example && echo '{\"Username\":\"ann\",\"Secret\":\"s\"}'|user ann",
        "echo '{\"Username\":\"<token>\",\"Secret\":\"s\"}'|an identity token",
        "echo '{\"Username\":\"\",\"Secret\":\"\"}'|null",
        "echo '{}'|null",
        "echo credentials not found; exit 1|null"
      })
  void helper_isAsked(String script, String login) throws Exception {
    assertThat(String.valueOf(ask(script, LONG))).isEqualTo(login);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "echo '[1]'|must be a JSON object with Username and Secret",
        "echo null|must be a JSON object with Username and Secret",
        "true|must be a JSON object with Username and Secret",
        "echo '{\"Username\":\"\",\"Secret\":\"s\"}'|must be a JSON object with Username and Secret",
        "echo '{\"Username\":\"<token>\"}'|must be a JSON object with Username and Secret",
        "exec <&-; echo locked; exit 1|failed for r.example: locked",
        "cat /dev/zero|answer of credential helper too large"
      })
  void failureOfAHelper_isReported(String script, String message) {
    assertThatThrownBy(() -> ask(script, LONG))
        .isInstanceOf(CredentialsException.class)
        .hasMessageContaining(message);
  }

  @Test
  void helperWithoutAnAnswer_isEnded() {
    Set<ProcessHandle> before = ProcessHandle.current().children().collect(Collectors.toSet());

    assertThatThrownBy(() -> ask("sleep 1000", Duration.ofMillis(1)))
        .isInstanceOf(CredentialsException.class)
        .hasMessageStartingWith("credential helper timed out: ");
    assertThat(ProcessHandle.current().children().filter(child -> !before.contains(child)))
        .allSatisfy(helper -> assertThat(helper.onExit()).succeedsWithin(Duration.ofSeconds(10)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[]|invalid credentials file: ",
        "{\"auths|invalid credentials file: ",
        "{\"auths\":{\"r.example\":{\"auth\":\"c2VjcmV0\"}}}|invalid login for r.example in ",
        "{\"credsStore\":\"../x\"}|invalid credential helper in ",
        "{\"credHelpers\":{\"r.example\":\"absent-nola\"}}|credential helper not found: docker-credential-absent-nola"
      })
  void invalidFile_isRefusedWithoutItsSecrets(String config, String message) throws IOException {
    assertThatIOException()
        .isThrownBy(() -> login(config, "r.example"))
        .withMessageContaining(message)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("secret", "c2VjcmV0"));
  }
}
