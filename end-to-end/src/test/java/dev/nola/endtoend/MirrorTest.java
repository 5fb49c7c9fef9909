package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.Scope;
import dev.nola.api.Verification;
import dev.nola.api.VersionDetails;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.Reference;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.registry.NolaClient;
import dev.nola.digest.Sha256;
import dev.nola.endtoend.Nola.Outcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Keeps adapters of one real registry in step with another. */
class MirrorTest {
  private static long seed = 51_000;

  private final Registry source = Registry.shared();
  private final Registry target = Registry.other();
  private final String namespace = Registry.freshName();
  private final AdapterName mood = new AdapterName(namespace, "mood");
  private final String first = mood + "@1.0.0";
  private final String second = mood + "@2.0.0";

  @TempDir private Path folder = Path.of("");
  private Path file = folder;
  private Nola outside = new Nola(source, folder);
  private Nola mirror = new Nola(target, folder);
  private NolaClient copies = client();

  private NolaClient client() {
    return NolaClient.builder(target.url()).cache(LocalCache.at(folder.resolve("copies"))).build();
  }

  @BeforeEach
  void publish() throws Exception {
    outside = new Nola(source, folder.resolve("outside"));
    mirror = new Nola(target, folder.resolve("mirror"));
    outside.runWithInput(source.token(namespace, Scope.PUBLISH) + "\n", "login");
    mirror.runWithInput(target.token(namespace, Scope.PUBLISH) + "\n", "login");
    run(mirror, "namespace", "create", namespace);
    copies = client();
    file = Samples.small(folder, ++seed);
    run(outside, "publish", file.toString(), first, "--create-namespace", "--alias", "prod");
    run(outside, "publish", Samples.small(folder, ++seed).toString(), second);
  }

  @AfterEach
  void close() {
    copies.close();
  }

  private static Outcome run(Nola nola, String... args) {
    Outcome outcome = nola.run(args);
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    return outcome;
  }

  private String[] command(String... options) {
    String[] command = {
      "mirror", "--from", source.url().toString(), "--to", target.url().toString(),
    };
    return Stream.concat(Arrays.stream(command), Arrays.stream(options)).toArray(String[]::new);
  }

  private Outcome round() {
    return mirror.run(command("--namespace", namespace, "--once"));
  }

  private VersionDetails copy(String reference) throws Exception {
    return copies.adapters().version(Reference.parse(reference));
  }

  @Test
  void copyFollowsEveryChange() throws Exception {
    run(outside, "adapter", "edit", mood.toString(), "--description", "Moods of reviews");
    run(outside, "yank", second, "--reason", "wrong split");

    Outcome made = round();

    assertThat(made.exitCode()).as(made.err()).isZero();
    assertThat(made.out())
        .contains(mood + ": published 1.0.0", mood + ": yanked 2.0.0: wrong split");
    assertThat(copy(mood + "@prod").digest()).isEqualTo(Sha256.hash(file));
    assertThat(Objects.requireNonNull(copy(second).yanked()).reason()).isEqualTo("wrong split");
    assertThat(copies.adapters().get(mood).description()).isEqualTo("Moods of reviews");

    Outcome again = round();
    assertThat(again.out()).isEmpty();
    assertThat(again.err()).contains("in step: nothing to copy");

    run(outside, "yank", second, "--undo");
    run(outside, "yank", first, "--reason", "leaks names");
    run(outside, "alias", "set", second, "live");
    run(outside, "alias", "remove", mood.toString(), "prod");
    assertThat(round().exitCode()).isZero();
    assertThat(Objects.requireNonNull(copy(first).yanked()).reason()).isEqualTo("leaks names");
    assertThat(copy(second).yanked()).isNull();
    assertThat(copies.adapters().get(mood).aliases()).containsOnly(Map.entry("live", "2.0.0"));
  }

  @Test
  void adapterWithoutAnyUsableVersionIsFollowedToo() throws Exception {
    assertThat(round().exitCode()).isZero();
    run(outside, "yank", first, "--reason", "leaks names");
    run(outside, "yank", second, "--reason", "leaks names");

    assertThat(round().exitCode()).isZero();

    assertThat(copy(first).yanked()).isNotNull();
    assertThat(copy(second).yanked()).isNotNull();
  }

  @Test
  void deletedVersionIsYankedInTheCopy() throws Exception {
    assertThat(round().exitCode()).isZero();
    String path = "/api/v1/adapters/" + mood + "/versions/2.0.0";
    assertThat(source.send("DELETE", path, "text/plain", new byte[0]).statusCode()).isEqualTo(204);

    assertThat(round().out()).contains("yanked 2.0.0: deleted in the registry");
    assertThat(round().out()).isEmpty();
    assertThat(copy(mood.toString()).version()).isEqualTo("1.0.0");
  }

  @Test
  void attestationsFollowOnceTheirKeyIsApprovedAndItsRevocationIsReported() throws Exception {
    Attester attester = Attester.create();
    attester.attest(source, first, file);

    Outcome unapproved = round();
    assertThat(unapproved.exitCode()).as(unapproved.err()).isZero();
    assertThat(unapproved.err())
        .contains("key not approved in " + target.url() + ": " + attester.fingerprint());
    assertThat(copy(first).verification()).isEqualTo(Verification.SELF_VERIFIED);
    attester.approve(target);
    JsonNode added =
        mirror.run(command("--adapter", mood.toString(), "--json")).json().at("/reports/0");
    assertThat(added.at("/changes/0").asString()).isEqualTo("attestations added to 1.0.0: 1");
    assertThat(copy(first).verification()).isEqualTo(Verification.VERIFIED);
    assertThat(mirror.run("verify", first, "--key", attester.fingerprint()).exitCode()).isZero();
    assertThat(round().out()).isEmpty();

    attester.revoke(source, "disk stolen");
    Outcome revoked = round();
    assertThat(revoked.exitCode()).isEqualTo(4);
    assertThat(revoked.err())
        .contains("key revoked in " + source.url())
        .contains("(disk stolen)", "nola key revoke " + attester.fingerprint());
    attester.revoke(target, "disk stolen");
    assertThat(round().exitCode()).isZero();
    assertThat(copy(first).verification()).isEqualTo(Verification.SELF_VERIFIED);
  }

  @Test
  void missingNamespaceAndMissingMembershipAreReportedWithTheirRemedies() throws Exception {
    String absent = Registry.freshName();
    outside.runWithInput(source.token(absent, Scope.PUBLISH) + "\n", "login");
    run(outside, "publish", file.toString(), absent + "/mood@1.0.0", "--create-namespace");
    String[] command = command("--namespace", absent);

    Outcome missing = mirror.run(command);
    assertThat(missing.exitCode()).isEqualTo(4);
    assertThat(missing.err())
        .contains(
            "namespace %s not found in %s; run nola namespace create %s --registry %s"
                .formatted(absent, target.url(), absent, target.url()));

    Nola owner = new Nola(target, folder.resolve("owner"));
    owner.runWithInput(target.token(absent, Scope.PUBLISH) + "\n", "login");
    run(owner, "namespace", "create", absent);
    Outcome stranger = mirror.run(command);
    assertThat(stranger.exitCode()).isEqualTo(4);
    assertThat(stranger.err())
        .contains("not a member of namespace " + absent, "nola member add " + absent + " ACCOUNT");

    run(owner, "member", "add", absent, namespace);
    run(mirror, command);
    assertThat(copy(absent + "/mood@1.0.0").digest()).isEqualTo(Sha256.hash(file));
  }

  @Test
  void listingOfAnotherNamespacePublishesNothingThere() throws Exception {
    String victim = Registry.freshName();
    outside.runWithInput(source.token(victim, Scope.PUBLISH) + "\n", "login");
    run(outside, "publish", file.toString(), victim + "/mood@1.0.0", "--create-namespace");
    target.owner(victim, folder.resolve("victim")).close();
    // The mirror could publish there, too.
    target.send(
        "PUT",
        "/api/v1/namespaces/%s/members/%s".formatted(victim, namespace),
        "application/json",
        "{\"role\":\"member\"}".getBytes(StandardCharsets.UTF_8));
    String ours = "\"namespace\":\"%s\"".formatted(namespace);

    Outcome outcome =
        mirrorOf("/api/v1/adapters", body -> body.replace(ours, ours.replace(namespace, victim)));

    assertThat(outcome.exitCode()).isEqualTo(4);
    assertThat(outcome.err())
        .contains("listed an adapter of another namespace in " + namespace + ": " + victim);
    assertThat(copies.adapters().find(new AdapterName(victim, "mood"))).isEmpty();
    assertThat(copies.adapters().find(mood)).isEmpty();
  }

  @Test
  void illegalNamesInAnswersAreProblemsAndDoNotStopOthers() throws Exception {
    String path = "../" + Registry.freshName() + "/mood";

    Outcome listed =
        mirrorOf("/api/v1/adapters", body -> body.replace("\"mood\"", "\"" + path + "\""));
    assertThat(listed.exitCode()).isEqualTo(4);
    assertThat(listed.err()).contains(namespace + ": ", path);

    Outcome named =
        mirrorOf("/api/v1/adapters/" + mood, body -> body.replace("\"prod\"", "\"" + path + "\""));
    assertThat(named.exitCode()).isEqualTo(4);
    assertThat(named.err()).contains(mood + ": ", path);
    assertThat(copy(first).version()).isEqualTo("1.0.0");
  }

  @Test
  void fileWithAnotherDigestThanListedIsNotPublished() throws Exception {
    String sent = Sha256.hash(file).toString();
    String listed = Sha256.hash("another".getBytes(StandardCharsets.UTF_8)).toString();

    Outcome outcome =
        mirrorOf("/api/v1/adapters/" + mood + "/versions", body -> body.replace(sent, listed));

    assertThat(outcome.exitCode()).isEqualTo(4);
    assertThat(outcome.err())
        .contains("lists " + first + " with digest " + listed + ", but sent " + sent);
    assertThat(copies.adapters().find(Reference.parse(first))).isEmpty();
    assertThat(copy(second).version()).isEqualTo("2.0.0");
  }

  /** Runs a round from a registry that alters its answers at one path. */
  private Outcome mirrorOf(String path, UnaryOperator<String> change) throws IOException {
    try (LyingRegistry liar = LyingRegistry.start(source, path, change)) {
      return mirror.run(
          "mirror",
          "--from",
          liar.url().toString(),
          "--to",
          target.url().toString(),
          "--namespace",
          namespace);
    }
  }

  @Test
  void oneAdapterThatDiffersDoesNotStopOthers() throws Exception {
    Path other = Samples.small(folder, ++seed);
    run(mirror, "publish", other.toString(), first);
    String tone = namespace + "/tone@1.0.0";
    run(outside, "publish", other.toString(), tone);

    Outcome failed = round();

    assertThat(failed.exitCode()).isEqualTo(4);
    assertThat(failed.err()).contains(mood + ": 1.0.0: different bytes: " + Sha256.hash(file));
    assertThat(copy(first).digest()).isEqualTo(Sha256.hash(other));
    assertThat(copy(second).version()).isEqualTo("2.0.0");
    assertThat(copy(tone).digest()).isEqualTo(Sha256.hash(other));
    Outcome absent =
        mirror.run(command("--adapter", namespace + "/absent", "--adapter", tone.split("@")[0]));
    assertThat(absent.exitCode()).isEqualTo(4);
    assertThat(absent.err()).contains(namespace + "/absent: ", "not found");
  }

  @Test
  void privateAdapterIsNeverPublicInTheCopy() throws Exception {
    assertThat(round().exitCode()).isZero();
    run(outside, "adapter", "edit", mood.toString(), "--visibility", "private");
    String secret = namespace + "/secret@1.0.0";
    run(outside, "publish", file.toString(), secret, "--private");
    // The account's login at the source is the mirror's, too.
    mirror.runWithInput(
        source.token(namespace, Scope.READ) + "\n", "login", "--registry", source.url().toString());

    Outcome hidden = round();

    assertThat(hidden.exitCode()).as(hidden.err()).isZero();
    assertThat(hidden.out()).contains(mood + ": made private");
    assertThat(copies.adapters().find(mood)).isEmpty();
    assertThat(copies.adapters().find(AdapterName.parse(namespace + "/secret"))).isEmpty();
    JsonNode shown = run(mirror, "show", secret, "--json").json();
    assertThat(shown.toString()).contains(Sha256.hash(file).toString());
  }

  @Test
  void repeatedMirrorFollowsUntilItIsInterrupted() throws Exception {
    CompletableFuture<Outcome> ended = new CompletableFuture<>();
    Thread running =
        Thread.ofPlatform()
            .start(
                () ->
                    ended.complete(mirror.run(command("--namespace", namespace, "--every", "1s"))));
    Waiting.until(
        "the first round", () -> copies.adapters().find(Reference.parse(second)).isPresent());
    String third = mood + "@3.0.0";
    run(outside, "publish", Samples.small(folder, ++seed).toString(), third);
    Waiting.until(
        "a later round", () -> copies.adapters().find(Reference.parse(third)).isPresent());

    running.interrupt();

    assertThat(ended.get().exitCode()).isEqualTo(130);
  }

  @Test
  void unreachableSourceFailsAndChangesNothing() throws Exception {
    assertThat(round().exitCode()).isZero();
    Outcome failed =
        mirror.run(
            "mirror",
            "--from",
            "http://127.0.0.1:1",
            "--to",
            target.url().toString(),
            "--namespace",
            namespace);

    assertThat(failed.exitCode()).isEqualTo(4);
    assertThat(failed.err()).contains("the rest is left to the next round");
    assertThat(copy(mood.toString()).version()).isEqualTo("2.0.0");
  }

  @Test
  void wrongCommandLinesAreRefused() {
    assertThat(mirror.run(command()).err()).contains("missing --namespace or --adapter");
    assertThat(mirror.run(command("--namespace", "a", "--every", "10")).err())
        .contains("invalid time: 10; must be a number and s, m or h");
    assertThat(mirror.run(command("--namespace", "a", "--every", "1s", "--once")).exitCode())
        .isEqualTo(2);
    assertThat(
            mirror
                .run(
                    "mirror",
                    "--from",
                    "http://a.example",
                    "--to",
                    "http://a.example/",
                    "--namespace",
                    "a")
                .err())
        .contains("are the same registry");
  }
}
