package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.nola.api.Scope;
import dev.nola.digest.Sha256;
import dev.nola.endtoend.Nola.Outcome;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Runs the commands against the real server, as a user types them. */
class CommandLineTest {
  private final Registry registry = Registry.shared();
  private final String namespace = Registry.freshName();
  private final String mood = namespace + "/mood";

  @TempDir private Path folder = Path.of("");
  private Nola nola = new Nola(registry, folder);
  private String file = "";

  @BeforeEach
  void logIn() throws Exception {
    nola = new Nola(registry, folder);
    file = Samples.small(folder, 7).toString();
    Outcome loggedIn = nola.runWithInput(registry.token(namespace, Scope.PUBLISH) + "\n", "login");
    assertThat(loggedIn.err()).isEmpty();
    assertThat(loggedIn.out())
        .isEqualTo("logged in to %s as %s\n".formatted(registry.url(), namespace));
  }

  private void publish(String version, String... more) throws Exception {
    String[] args = new String[3 + more.length];
    args[0] = "publish";
    args[1] = file;
    args[2] = mood + "@" + version;
    System.arraycopy(more, 0, args, 3, more.length);
    Outcome published = nola.run(args);
    assertThat(published.err()).isEmpty();
    assertThat(published.exitCode()).isZero();
  }

  @Test
  void storedTokenIsReadableByItsOwnerOnly() throws Exception {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(nola.credentials())))
        .isEqualTo("rw-------");
    JsonNode me = nola.run("whoami", "--json").json();
    assertThat(me.get("account").asString()).isEqualTo(namespace);
    assertThat(me.get("scopes").toString()).isEqualTo("[\"publish\"]");
    assertThat(nola.run("logout").exitCode()).isZero();
    Outcome nobody = nola.run("whoami");
    assertThat(nobody.exitCode()).isEqualTo(4);
    assertThat(nobody.err()).contains("nola login").hasLineCount(1);
  }

  @Test
  void unknownTokenIsNotStored() throws Exception {
    nola.run("logout");
    Outcome refused = nola.runWithInput("nola_" + "x".repeat(43), "login");
    assertThat(refused.exitCode()).isEqualTo(4);
    assertThat(nola.run("whoami").exitCode()).isEqualTo(4);
    assertThat(nola.runWithInput("", "login").exitCode()).isEqualTo(2);
  }

  @Test
  void publishedAdapterIsFoundShownPulledAndVerified() throws Exception {
    Outcome noNamespace = nola.run("publish", file, mood + "@1.0.0");
    assertThat(noNamespace.exitCode()).isEqualTo(4);
    assertThat(noNamespace.err()).contains("--create-namespace").hasLineCount(1);
    publish("1.0.0", "--create-namespace", "--alias", "prod");

    Outcome found = nola.run("search", "happy", "--namespace", namespace);
    assertThat(found.out()).startsWith("ADAPTER").contains(mood).contains("1.0.0");
    JsonNode shown = nola.run("show", mood + "@prod", "--json").json();
    assertThat(shown.get("version").get("version").asString()).isEqualTo("1.0.0");
    assertThat(nola.run("publish", file, mood + "@1.0.0", "--json").json().get("verification"))
        .isEqualTo(shown.get("version").get("verification"));
    assertThat(nola.run("show", mood).out()).contains("verified").contains("prod = 1.0.0");

    Path copy = folder.resolve("copy.nola");
    Outcome pulled = nola.run("pull", mood + "@^1", "-o", copy.toString(), "--json");
    assertThat(copy).hasSameBinaryContentAs(Path.of(file));
    assertThat(pulled.json().get("fromCache").asBoolean()).isFalse();
    assertThat(nola.run("pull", mood, "--json").json().get("fromCache").asBoolean()).isTrue();
    assertThat(nola.run("pull", mood, "-o", copy.toString()).exitCode()).isEqualTo(3);

    assertThat(nola.run("verify", mood + "@1.0.0").out()).startsWith("verified: sha256:");
    assertThat(nola.run("inspect", mood).out()).contains("philox-srht");
    Outcome copied = nola.run("publish", mood + "@1.0.0", mood + "-copy@2.0.0", "--json");
    assertThat(copied.exitCode()).as(copied.err()).isZero();
    assertThat(copied.json().get("digest")).isEqualTo(shown.get("version").get("digest"));
    assertThat(nola.run("diff", mood, file).exitCode()).isZero();
    assertThat(nola.run("pull", mood + "@prod", "--offline").exitCode()).isEqualTo(4);
    assertThat(nola.run("pull", mood + "@^1", "--offline").exitCode()).isZero();
    assertThat(nola.run("cache", "list").out()).contains(mood);
    assertThat(nola.run("cache", "verify").out()).isEqualTo("intact: 1, damaged and removed: 0\n");
    assertThat(nola.run("cache", "clear").out()).startsWith("freed ");
  }

  @Test
  void damagedFilesAreNotPublished() throws Exception {
    byte[] bytes = Files.readAllBytes(Path.of(file));
    bytes[80] ^= 1;
    Files.write(Path.of(file), bytes);
    Outcome refused = nola.run("publish", file, mood + "@1.0.0", "--create-namespace");
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.err()).startsWith("nola publish: " + file + ": checksum failed");
    assertThat(nola.run("show", mood).exitCode()).isEqualTo(4);
  }

  @Test
  void aliasesMoveAndYankedVersionsWarn() throws Exception {
    publish("1.0.0", "--create-namespace");
    publish("1.1.0");
    assertThat(nola.run("alias", "set", mood + "@1.0.0", "prod").out())
        .isEqualTo(mood + "@prod = 1.0.0\n");
    assertThat(nola.run("alias", "set", mood + "@latest", "prod").out())
        .isEqualTo(mood + "@prod = 1.1.0\n");
    assertThat(nola.run("alias", "history", mood, "prod").out())
        .contains("1.0.0")
        .contains("1.1.0");
    assertThat(nola.run("yank", mood + "@1.1.0", "--reason", "wrong split").exitCode()).isZero();
    Outcome pulled = nola.run("pull", mood + "@1.1.0");
    assertThat(pulled.exitCode()).isZero();
    assertThat(pulled.err()).contains("is yanked and should no longer be used: wrong split");
    assertThat(nola.run("show", mood, "--versions").out()).contains("yanked");
    assertThat(nola.run("yank", mood + "@1.1.0", "--undo").exitCode()).isZero();
    assertThat(nola.run("alias", "remove", mood, "prod").exitCode()).isZero();
    assertThat(nola.run("alias", "list", mood).out()).isEmpty();
  }

  @Test
  void loraOfPeftIsPublishedAsAnAdapter() throws Exception {
    String lora = folder.resolve("lora").toString();
    assertThat(nola.run("export", file, "--base-model", "acme/tiny", "-o", lora).exitCode())
        .isZero();

    Outcome published = nola.run("publish", lora, mood + "@1.0.0", "--create-namespace");

    assertThat(published.exitCode()).as(published.err()).isZero();
    assertThat(published.err()).contains("16 bits");
    JsonNode inspected = nola.run("inspect", mood + "@1.0.0", "--json").json();
    assertThat(inspected.get("generator").asString()).isEqualTo("identity");
    JsonNode converted = nola.run("inspect", lora, "--json").json();
    assertThat(inspected.get("reconstructionDigest"))
        .isNotNull()
        .isEqualTo(converted.get("reconstructionDigest"));
    assertThat(nola.run("verify", mood + "@1.0.0").exitCode()).isZero();
  }

  @Test
  void adapterOfWhichAllVersionsAreYankedIsShownWithTheRemedy() throws Exception {
    publish("1.0.0", "--create-namespace");
    assertThat(nola.run("yank", mood + "@1.0.0", "--reason", "bad\nversion  2").exitCode())
        .isZero();
    String undo = "nola yank " + mood + "@1.0.0 --undo";
    Outcome shown = nola.run("show", mood);
    assertThat(shown.exitCode()).isZero();
    assertThat(shown.out())
        .contains("none: all versions are yanked", "1.0.0, yanked: bad", undo)
        .doesNotContain("\nversion  2");
    JsonNode json = nola.run("show", mood, "--json").json();
    assertThat(json.get("adapter").get("name").asString()).isEqualTo("mood");
    assertThat(json.get("version").isNull()).isTrue();
    for (String reference : List.of(mood, mood + "@^1")) {
      Outcome refused = nola.run("pull", reference);
      assertThat(refused.exitCode()).isEqualTo(4);
      assertThat(refused.err())
          .contains("the versions that match are yanked: 1.0.0", undo)
          .hasLineCount(1);
    }
    assertThat(nola.run("pull", mood + "@^2").err()).doesNotContain("yanked");
  }

  @Test
  void searchWithoutAMatchSaysSo() throws Exception {
    Outcome found = nola.run("search", "nothing", "--namespace", namespace);
    assertThat(found.exitCode()).isZero();
    assertThat(found.out()).isEmpty();
    assertThat(found.err()).isEqualTo("no adapter matches\n");
  }

  @Test
  void searchForWhatNoAdapterCanBeIsRefused() throws Exception {
    for (List<String> filter :
        List.of(
            List.of("--bits", "99", "invalid bits: 99; must be 1 to 16"),
            List.of("--rank", "-1", "invalid rank: -1; must be at least 1"),
            List.of("--generator", "foo", "invalid generator: foo; must be one of philox-"),
            List.of("--namespace", "FOO!", "invalid namespace: FOO!; must be 1 to 39"))) {
      Outcome refused = nola.run("search", filter.get(0), filter.get(1));
      assertThat(refused.exitCode()).as(filter.get(0)).isEqualTo(4);
      assertThat(refused.out()).isEmpty();
      assertThat(refused.err()).contains(filter.get(2)).hasLineCount(1);
    }
  }

  @Test
  void versionNeverGetsOtherBytes() throws Exception {
    publish("1.0.0", "--create-namespace");
    assertThat(nola.run("publish", file, mood + "@1.0.0").out()).startsWith("already published");
    String other = Samples.small(folder, 8).toString();
    Outcome conflict = nola.run("publish", other, mood + "@1.0.0", "--json");
    assertThat(conflict.exitCode()).isEqualTo(4);
    assertThat(conflict.json().get("kind").asString()).isEqualTo("conflict");
  }

  @Test
  void lockIsCheckedAgainstTheCurrentBytesOfTheRegistry() throws Exception {
    publish("1.0.0", "--create-namespace", "--alias", "prod");
    String lock = folder.resolve("nola.lock").toString();
    assertThat(nola.run("lock", mood + "@prod", "-o", lock).out())
        .startsWith("locked " + mood + "@1.0.0 sha256:");
    assertThat(nola.run("verify", "--lock", lock).out()).startsWith("verified " + mood + "@1.0.0");

    assertThat(nola.run("lock", mood + "@1.0.0", "-o", lock).out()).startsWith("locked ");
    assertThat(nola.run("lock", mood + "@1.0.0", "-o", lock).out()).startsWith("unchanged ");
    Outcome denied = nola.with("NOLA_TOKEN", "nola_expired").run("verify", "--lock", lock);
    assertThat(denied.out()).contains("error  fetch");
    assertThat(denied.exitCode()).isEqualTo(4);
    Path nested = folder.resolve("reports/ci/report.xml");
    Path summary = folder.resolve("summaries/summary.md");
    assertThat(
            nola.run(
                    "verify",
                    "--lock",
                    lock,
                    "--junit",
                    nested.toString(),
                    "--summary",
                    summary.toString())
                .exitCode())
        .isZero();
    assertThat(nested).exists();
    assertThat(summary).exists();

    // The cache still has the right bytes, but must not be used.
    Path blob = registry.blob(Sha256.hash(Files.readAllBytes(Path.of(file))));
    byte[] bytes = Files.readAllBytes(blob);
    bytes[90] ^= 1;
    Files.write(blob, bytes);
    Path junit = folder.resolve("report.xml");
    Outcome fails = nola.run("verify", "--lock", lock, "--junit", junit.toString());
    assertThat(fails.exitCode()).isEqualTo(1);
    assertThat(fails.out()).startsWith("FAILED   " + mood + "@1.0.0").contains("failed fetch");
    assertThat(junit).content().contains("<failure");
  }

  @Test
  void tokenIsNotSentToAnotherRegistryThatALockFileNames() throws Exception {
    publish("1.0.0", "--create-namespace");
    Path lock = folder.resolve("nola.lock");
    nola.run("lock", mood, "-o", lock.toString());
    Queue<String> tokens = new ConcurrentLinkedQueue<>();
    Queue<String> requests = new ConcurrentLinkedQueue<>();
    HttpServer other =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    other.createContext(
        "/",
        exchange -> {
          requests.add(exchange.getRequestURI().toString());
          tokens.addAll(exchange.getRequestHeaders().getOrDefault("Authorization", List.of()));
          exchange.sendResponseHeaders(404, -1);
          exchange.close();
        });
    other.start();
    try {
      String url = "http://127.0.0.1:" + other.getAddress().getPort();
      Files.writeString(lock, Files.readString(lock).replace(registry.url().toString(), url));
      String token = registry.token(namespace, Scope.READ);
      assertThat(nola.with("NOLA_TOKEN", token).run("verify", "--lock", lock.toString()).exitCode())
          .isEqualTo(1);
      assertThat(requests).isNotEmpty();
      assertThat(tokens).isEmpty();
      nola.with("NOLA_TOKEN", token).run("show", mood, "--registry", url);
      assertThat(tokens).as("token for this registry").contains("Bearer " + token);
    } finally {
      other.stop(0);
    }
  }
}
