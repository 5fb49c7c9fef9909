package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.nola.api.name.AdapterName;
import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.registry.NolaClient;
import dev.nola.format.AdapterFile;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The client refuses exactly the names that the registry would refuse. */
class NamesTest {
  private final Registry registry = Registry.shared();
  private final String namespace = Registry.freshName();

  @TempDir private Path folder = Path.of("");

  /** Uses a name in a call of the client. */
  @FunctionalInterface
  private interface Use {
    void apply(String name) throws Exception;
  }

  private static boolean clientAccepts(Use use, String name) throws Exception {
    try {
      use.apply(name);
      return true;
    } catch (IllegalArgumentException _) {
      return false;
    }
  }

  private boolean registryAccepts(String method, String path, String type, byte[] body)
      throws Exception {
    return registry.send(method, path, type, body).statusCode() / 100 == 2;
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  @Test
  void namespacesFollowTheRegistrysRule() throws Exception {
    List<String> taken = new ArrayList<>();
    try (NolaClient client = registry.owner(namespace, folder)) {
      for (String name :
          List.of(
              "a",
              "0",
              "a-b",
              "a--b",
              "-a",
              "a-",
              "-",
              "A",
              "a_b",
              "a.b",
              "ä",
              "a b",
              "a".repeat(39),
              "a".repeat(40))) {
        boolean accepted = clientAccepts(client.namespaces()::create, name);
        assertThat(
                registryAccepts(
                    "PUT", "/api/v1/namespaces/" + encode(name), "text/plain", new byte[0]))
            .as(name)
            .isEqualTo(accepted);
        if (accepted) {
          taken.add(name);
        }
      }
    }
    assertThat(taken).containsExactly("a", "0", "a-b", "a--b", "a".repeat(39));
  }

  @Test
  void adapterNamesFollowTheRegistrysRule() throws Exception {
    Path file = Samples.small(folder, 1);
    byte[] bytes = Files.readAllBytes(file);
    try (NolaClient client = registry.owner(namespace, folder)) {
      for (String name :
          List.of(
              "a",
              "0",
              "a.b",
              "a..b",
              "a_b",
              "a-b",
              "-a",
              "a-",
              ".a",
              "a.",
              "_a",
              "A",
              "ä",
              "a b",
              "m".repeat(96),
              "m".repeat(97))) {
        assertThat(
                clientAccepts(
                    each ->
                        client
                            .adapters()
                            .publish(
                                new AdapterName(namespace, each), "1.0.0", file, Progress.NONE),
                    name))
            .as(name)
            .isEqualTo(
                registryAccepts(
                    "POST",
                    "/api/v1/adapters/" + namespace + "/" + encode(name) + "/versions/1.0.0",
                    AdapterFile.MEDIA_TYPE,
                    bytes));
      }
    }
  }

  @Test
  void versionNumbersFollowTheRegistrysRule() throws Exception {
    Path file = Samples.small(folder, 1);
    byte[] bytes = Files.readAllBytes(file);
    AdapterName mood = new AdapterName(namespace, "mood");
    try (NolaClient client = registry.owner(namespace, folder)) {
      for (String version :
          List.of(
              "1.0.0",
              "0.0.0",
              "1.0",
              "1",
              "v1.0.0",
              "=1.0.0",
              "01.0.0",
              "1.0.0-rc.1",
              "1.0.0-01",
              "1.0.0-",
              "1.0.1+build.5",
              "1.0.0+",
              "2147483647.0.0",
              "2147483648.0.0",
              "1.0.0 ",
              " 1.0.0",
              "latest",
              "-1.0.0",
              "1.0.0-" + "a".repeat(58),
              "1.0.0-" + "a".repeat(59))) {
        assertThat(
                clientAccepts(
                    each -> client.adapters().publish(mood, each, file, Progress.NONE), version))
            .as(version)
            .isEqualTo(
                registryAccepts(
                    "POST",
                    "/api/v1/adapters/" + mood + "/versions/" + encode(version),
                    AdapterFile.MEDIA_TYPE,
                    bytes));
      }
    }
  }

  @Test
  void aliasesFollowTheRegistrysRule() throws Exception {
    AdapterName mood = new AdapterName(namespace, "mood");
    byte[] body = "{\"version\": \"1.0.0\"}".getBytes(StandardCharsets.UTF_8);
    try (NolaClient client = registry.owner(namespace, folder)) {
      client.adapters().publish(mood, "1.0.0", Samples.small(folder, 1), Progress.NONE);
      for (String alias :
          List.of(
              "prod",
              "a",
              "v1-2",
              "latest",
              "x",
              "v1",
              "v1x",
              "1a",
              "a_b",
              "A",
              "a-",
              "ä",
              "a".repeat(39),
              "a".repeat(40))) {
        assertThat(clientAccepts(each -> client.aliases().set(mood, each, "1.0.0"), alias))
            .as(alias)
            .isEqualTo(
                registryAccepts(
                    "PUT",
                    "/api/v1/adapters/" + mood + "/aliases/" + encode(alias),
                    "application/json",
                    body));
      }
    }
  }

  @Test
  void everyReferenceOfTheClientIsUnderstoodByTheRegistry() throws Exception {
    AdapterName mood = new AdapterName(namespace, "mood");
    try (NolaClient client = registry.owner(namespace, folder)) {
      client.adapters().publish(mood, "1.0.0", Samples.small(folder, 1), Progress.NONE);
      for (String found :
          List.of(
              "1",
              "v1",
              "1.x",
              "^1",
              "~1.0",
              ">=1",
              ">=1.0.0 <2.0.0-0",
              "<2 || >3",
              "1 - 2",
              "*",
              "=1.0.0",
              "1.0.0 ")) {
        assertThat(client.adapters().version(new Reference(mood, found)).version())
            .as(found)
            .isEqualTo("1.0.0");
      }
      for (String absent : List.of("2.0.0", "prod", "^2", "<1", "sha256:" + "0".repeat(64))) {
        assertThat(
                catchThrowableOfType(
                        RegistryException.class,
                        () -> client.adapters().version(new Reference(mood, absent)))
                    .kind())
            .as(absent)
            .isEqualTo(RegistryException.Kind.NOT_FOUND);
      }
    }
  }
}
