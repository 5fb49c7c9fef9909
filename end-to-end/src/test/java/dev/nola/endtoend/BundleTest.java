package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.Scope;
import dev.nola.client.bundle.Bundle;
import dev.nola.client.bundle.BundleIndex;
import dev.nola.client.bundle.InvalidBundleException;
import dev.nola.digest.Sha256;
import dev.nola.endtoend.Nola.Outcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Carries versions from one registry to another in a file, which others may have altered. */
class BundleTest {
  private static final String INDEX = "index.json";
  private static long seed = 41_000;

  private final Registry source = Registry.shared();
  private final Registry target = Registry.other();
  private final String namespace = Registry.freshName();
  private final String first = namespace + "/mood@1.0.0";
  private final String second = namespace + "/mood@2.0.0";
  private final Attester attester = Attester.create();

  @TempDir private Path folder = Path.of("");
  private Path file = folder;
  private Path bundle = folder;
  private Nola outside = new Nola(source, folder);
  private Nola inside = new Nola(target, folder);

  @BeforeEach
  void write() throws Exception {
    bundle = folder.resolve("mood.bundle");
    outside = new Nola(source, folder.resolve("outside"));
    inside = new Nola(target, folder.resolve("inside"));
    outside.runWithInput(source.token(namespace, Scope.PUBLISH) + "\n", "login");
    inside.runWithInput(target.token(namespace, Scope.PUBLISH) + "\n", "login");
    file = Samples.small(folder, ++seed);
    run(outside, "publish", file.toString(), first, "--create-namespace", "--alias", "prod");
    run(outside, "adapter", "edit", namespace + "/mood", "--description", "Moods of reviews");
    run(outside, "publish", Samples.small(folder, ++seed).toString(), second);
    run(outside, "yank", second, "--reason", "wrong split");
    attester.attest(source, first, file);
    run(outside, "bundle", second, namespace + "/mood@prod", "-o", bundle.toString());
  }

  private static Outcome run(Nola nola, String... args) {
    Outcome outcome = nola.run(args);
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    return outcome;
  }

  private Outcome load(String... options) {
    List<String> args = new ArrayList<>(List.of("bundle", "import", bundle.toString()));
    args.addAll(List.of(options));
    return inside.run(args.toArray(String[]::new));
  }

  @Test
  void versionsGetToTheOtherRegistryWithAllThatBelongsToThem() throws Exception {
    Path again = folder.resolve("again.bundle");
    run(outside, "bundle", first, second, first, "-o", again.toString());
    assertThat(again).hasSameBinaryContentAs(bundle);
    assertThat(run(outside, "bundle", "show", bundle.toString()).out())
        .contains(first, second, "Moods of reviews", "Apache-2.0", "wrong split", "prod")
        .contains("key", attester.fingerprint())
        .endsWith("valid: %s %s\n".formatted(bundle, Sha256.hash(bundle)));

    assertThat(load("--dry-run").out()).contains("would publish " + first);
    assertThat(inside.run("show", first).exitCode()).isEqualTo(4);
    assertThat(load().err()).contains("not found; pass --create-namespace to create the namespace");
    Outcome unknownKey = load("--create-namespace", "--aliases");
    assertThat(unknownKey.exitCode()).as(unknownKey.err()).isZero();
    assertThat(unknownKey.err()).contains("key not approved: " + attester.fingerprint());
    attester.approve(target);
    assertThat(load("--json").json().at("/0/attestations").asInt()).isEqualTo(1);
    assertThat(load().out())
        .contains("already published: " + first + ", 0 attestations added")
        .contains("already published: " + second);

    JsonNode shown = run(inside, "show", namespace + "/mood@prod", "--json").json();
    assertThat(shown.toString()).contains("Moods of reviews", "\"verified\"");
    assertThat(run(inside, "show", second).out()).contains("wrong split");
    Path copy = folder.resolve("copy.nola");
    run(inside, "pull", first, "--key", attester.fingerprint(), "-o", copy.toString());
    assertThat(copy).hasSameBinaryContentAs(file);
  }

  @Test
  void nothingIsPublishedIfOneVersionHasOtherBytesThere() throws Exception {
    Path other = Samples.small(folder, ++seed);
    run(inside, "publish", other.toString(), second, "--create-namespace");

    Outcome refused = load();

    assertThat(refused.exitCode()).isEqualTo(4);
    assertThat(refused.err())
        .contains("so nothing was published: " + second + " is " + Sha256.hash(other));
    assertThat(inside.run("show", first).exitCode()).isEqualTo(4);

    String renamed = Registry.freshName();
    assertThat(load("--namespace", renamed, "--create-namespace").out())
        .contains("published " + renamed + "/mood@1.0.0");
  }

  @Test
  void onlyAttestationsByGivenKeysCount() {
    Outcome foreign = load("--create-namespace", "--key", Attester.create().fingerprint());
    assertThat(foreign.exitCode()).isEqualTo(1);
    assertThat(foreign.err()).contains("attested by 0 independent machines with the given keys");
    assertThat(inside.run("show", first).exitCode()).isEqualTo(4);
    assertThat(load("--require-verified", "1").err()).contains("missing --key");

    Path one = folder.resolve("one.bundle");
    run(outside, "bundle", first, "-o", one.toString());
    bundle = one;
    assertThat(load("--create-namespace", "--key", attester.fingerprint()).exitCode()).isZero();
  }

  @Test
  void everyAlteredByteIsRefusedOrMeansNothing() throws Exception {
    Map<BundleIndex.Version, byte[]> contents = contents(bundle);
    byte[] bytes = Files.readAllBytes(bundle);
    Path altered = folder.resolve("altered.bundle");
    int refused = 0;
    int position = 0;
    for (int i = 0; position < bytes.length; i++, position += 29) {
      byte[] changed = bytes.clone();
      changed[position] ^= (byte) (1 << i % 8);
      Files.write(altered, changed);
      try {
        assertThat(contents(altered))
            .as("byte %d", position)
            .usingRecursiveComparison()
            .isEqualTo(contents);
      } catch (InvalidBundleException e) {
        assertThat(e).hasMessageContaining(altered.toString());
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(bytes.length / 29 / 2);
  }

  @Test
  void truncatedBundleIsRefused() throws Exception {
    byte[] bytes = Files.readAllBytes(bundle);
    for (int length : new int[] {0, 10, bytes.length / 2, bytes.length - 1}) {
      Files.write(bundle, Arrays.copyOf(bytes, length));
      Outcome refused = load("--create-namespace");
      assertThat(refused.exitCode()).as(refused.err()).isEqualTo(1);
      assertThat(refused.err()).contains("is not a bundle").contains("truncated");
    }
  }

  @Test
  void entriesThatTheIndexDoesNotAllowAreRefused() throws Exception {
    String adapter = "adapters/" + Sha256.hash(file).hex() + ".nola";
    String key = "keys/" + attester.key().publicKey().fingerprint().hex() + ".pem";

    assertRefused("invalid entry: " + adapter + "; missing", all -> all.remove(adapter));
    assertRefused("invalid entry: " + key + "; missing", all -> all.remove(key));
    assertRefused("invalid entry: index.json; missing", all -> all.remove(INDEX));
    assertRefused(
        "invalid entry: ../../etc/cron.d/nola; must be adapters/HEX.nola",
        all -> all.put("../../etc/cron.d/nola", new byte[1]));
    assertRefused(
        "must be adapters/HEX.nola", index(json -> json.replace(key, "keys/../../evil.pem")));
    assertRefused(
        "not in index.json, which must list every entry",
        all -> all.put("keys/" + "0".repeat(64) + ".pem", new byte[1]));
    assertRefused("unknown key: extra", index(json -> json.replaceFirst("\\{", "{\"extra\": 1,")));
    assertRefused(
        "invalid namespace: ..", index(json -> json.replace(namespace + "/mood", "../mood")));
  }

  @Test
  void keyOfAnotherIsRefused() throws Exception {
    String key = "keys/" + attester.key().publicKey().fingerprint().hex() + ".pem";
    byte[] other = Attester.create().key().publicKey().toPem().getBytes(StandardCharsets.US_ASCII);
    assertRefused("invalid entry: " + key + "; wrong digest", all -> all.put(key, other));
    assertRefused(
        "invalid entry: " + key + "; wrong digest: ",
        all -> {
          String listed = Sha256.hash(Objects.requireNonNull(all.put(key, other))).toString();
          index(json -> json.replace(listed, Sha256.hash(other).toString())).accept(all);
        });
  }

  @Test
  void forgedSignatureIsRefusedThoughAllDigestsAreRight() throws Exception {
    assertRefused(
        "it is forged, or the statement was altered",
        all -> {
          String name =
              all.keySet().stream().filter(each -> each.endsWith(".dsse.json")).findFirst().get();
          String envelope =
              new String(Objects.requireNonNull(all.remove(name)), StandardCharsets.UTF_8);
          byte[] forged =
              envelope
                  .replaceFirst("\"sig\":\"....", "\"sig\":\"AAAA")
                  .getBytes(StandardCharsets.UTF_8);
          String digest = Sha256.hash(forged).hex();
          all.put("attestations/" + digest + ".dsse.json", forged);
          index(json -> json.replace(name.substring(13, 77), digest)).accept(all);
        });
  }

  /** Everything that a bundle says, checked. */
  private static Map<BundleIndex.Version, byte[]> contents(Path path) throws IOException {
    Map<BundleIndex.Version, byte[]> contents = new LinkedHashMap<>();
    try (Bundle opened = Bundle.open(path)) {
      for (BundleIndex.Version version : opened.index().versions()) {
        opened.verify(version, Set.of());
        contents.put(version, opened.file(version));
      }
    }
    return contents;
  }

  private static Consumer<Map<String, byte[]>> index(UnaryOperator<String> change) {
    return all ->
        all.computeIfPresent(
            INDEX,
            (_, json) ->
                change
                    .apply(new String(json, StandardCharsets.UTF_8))
                    .getBytes(StandardCharsets.UTF_8));
  }

  private void assertRefused(String message, Consumer<Map<String, byte[]>> change)
      throws IOException {
    Map<String, byte[]> all = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(bundle.toFile())) {
      for (ZipEntry entry : zip.stream().map(ZipEntry.class::cast).toList()) {
        all.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
      }
    }
    change.accept(all);
    Path whole = bundle;
    bundle = folder.resolve("changed.bundle");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(bundle))) {
      for (Map.Entry<String, byte[]> entry : all.entrySet()) {
        CRC32 checksum = new CRC32();
        checksum.update(entry.getValue());
        ZipEntry stored = new ZipEntry(entry.getKey());
        stored.setMethod(ZipEntry.STORED);
        stored.setTimeLocal(LocalDateTime.of(1980, 1, 1, 0, 0));
        stored.setSize(entry.getValue().length);
        stored.setCrc(checksum.getValue());
        zip.putNextEntry(stored);
        zip.write(entry.getValue());
      }
    }
    Outcome refused = load("--create-namespace");
    bundle = whole;
    assertThat(refused.exitCode()).as(refused.err()).isEqualTo(1);
    assertThat(refused.err()).contains(message);
    assertThat(inside.run("show", first).exitCode()).isEqualTo(4);
  }
}
