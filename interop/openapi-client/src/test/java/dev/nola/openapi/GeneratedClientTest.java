package dev.nola.openapi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.openapi.api.AdaptersApi;
import dev.nola.openapi.api.NamespacesApi;
import dev.nola.openapi.api.TokensApi;
import dev.nola.openapi.api.VersionsApi;
import dev.nola.openapi.model.AdapterSummary;
import dev.nola.openapi.model.IssuedToken;
import dev.nola.openapi.model.PageAdapterSummary;
import dev.nola.openapi.model.TokenRequest;
import dev.nola.openapi.model.VersionDetails;
import dev.nola.openapi.model.VersionSummary;
import dev.nola.registry.RegistryServer;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

/** The client that openapi-generator makes works with a real registry. */
class GeneratedClientTest {
  private static final String ADMIN = "openapi-client-admin-token-of-enough-characters";
  private static final Path FILE = Path.of("../../format-spec/vectors/valid/metadata.nola");

  @TempDir private static Path data;
  private static ConfigurableApplicationContext registry;

  @BeforeAll
  static void startRegistry() {
    SpringApplication application = new SpringApplication(RegistryServer.class);
    application.setRegisterShutdownHook(false);
    registry =
        application.run(
            "--server.port=0",
            "--server.address=127.0.0.1",
            "--nola.data=" + data,
            "--nola.access.admin-token=" + ADMIN);
  }

  @AfterAll
  static void stopRegistry() {
    registry.close();
  }

  private static ApiClient client(String token) {
    ApiClient client = new ApiClient();
    client.setBasePath(
        "http://127.0.0.1:" + registry.getEnvironment().getProperty("local.server.port"));
    if (!token.isEmpty()) {
      client.setBearerToken(token);
    }
    return client;
  }

  @Test
  void publishedAdapterIsFoundAndPulled() throws Exception {
    IssuedToken token =
        new TokensApi(client(ADMIN))
            .tokenCreate(
                new TokenRequest().account("ann").scopes(List.of(TokenRequest.ScopesEnum.PUBLISH)));
    ApiClient ann = client(token.getSecret());
    new NamespacesApi(ann).namespaceCreate("ann");

    VersionSummary published =
        new VersionsApi(ann).versionPublish("ann", "mood", "1.0.0", FILE.toFile(), null);

    ApiClient anyone = client("");
    PageAdapterSummary page =
        new AdaptersApi(anyone)
            .adapterSearch(
                "mood", null, null, null, null, null, null, null, null, null, null, null);
    assertThat(page.getItems()).extracting(AdapterSummary::getLatest).containsExactly("1.0.0");
    assertThat(page.getNext()).isNull();
    VersionDetails details = new VersionsApi(anyone).versionGet("ann", "mood", "latest");
    assertThat(details.getDigest()).isEqualTo(published.getDigest());
    assertThat(details.getYanked()).isNull();
    File pulled = new VersionsApi(anyone).fileDownload("ann", "mood", "^1");
    assertThat(pulled).hasBinaryContent(Files.readAllBytes(FILE));
  }

  @Test
  void refusalIsAnException() {
    assertThatThrownBy(() -> new VersionsApi(client("")).versionGet("no", "such", "1.0.0"))
        .isInstanceOfSatisfying(
            ApiException.class,
            refusal -> {
              assertThat(refusal.getCode()).isEqualTo(404);
              assertThat(refusal.getResponseBody()).contains("urn:nola:problem:not-found");
            });
  }
}
