package dev.nola.client.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.nola.client.oci.DockerCredentials.Login;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Credential helpers are tested by interop/oci, which can put one on the path. */
class DockerCredentialsTest {
  private static final Login ANN = new Login("ann", "pass:word");

  @TempDir private Path folder = Path.of("");

  private @Nullable Login login(String config, String host) throws Exception {
    Files.writeString(folder.resolve("config.json"), config);
    return DockerCredentials.of(Map.of("DOCKER_CONFIG", folder.toString())).login(host);
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
