package dev.nola.client.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LockFileTest {
  private static final Sha256 DIGEST = Sha256.hash(new byte[] {1});
  private static final Sha256 BITS = Sha256.hash(new byte[] {2});
  private static final URI REGISTRY = URI.create("https://nola.example");

  @TempDir private Path folder;

  @Test
  void whatIsWrittenIsRead() throws IOException {
    LockFile lock =
        new LockFile(
            List.of(
                new LockFile.Entry(
                    "acme/mood@1.2.0",
                    "acme/mood@prod",
                    REGISTRY,
                    DIGEST,
                    BITS,
                    2,
                    List.of(DIGEST)),
                new LockFile.Entry("adapters/tone.nola", null, null, DIGEST, BITS, 0, List.of())));
    Path file = folder.resolve(LockFile.NAME);
    lock.write(file);
    assertThat(LockFile.read(file)).isEqualTo(lock);
    assertThat(Files.readString(file))
        .startsWith("{\n  \"version\" : 1,")
        .contains("\"reference\" : \"acme/mood@1.2.0\"", "\"requested\" : \"acme/mood@prod\"")
        .contains("\"file\" : \"adapters/tone.nola\"")
        .endsWith("}\n");
    assertThat(folder).isDirectoryContaining("glob:**" + LockFile.NAME);
    assertThat(folder.toFile().list()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "' '|lock file is empty",
        "{}|is not a lock file: version missing",
        "null|is not a lock file: version missing",
        "{'version':1}|is not a lock file: adapters missing",
        "[]|must be one JSON object with version and adapters",
        "{'version':1,'adapters':[null]}|null in place of an adapter",
        "{'version':1,'adapters':['x']}|invalid value of adapters[0]",
        "{'version':2,'adapters':[]}|of version 2; this program reads version 1",
        "{'version':1,'adapters':[{}]}|either reference and registry, or file",
        "{'version':1,'adapters':[{'file':'a','digest':'x','reconstructionDigest':'y','requiredVerifications':0}]}|invalid"
            + " digest: \"x\"",
        "{'version':1,'adapters':[],'more':1}|unknown key: more",
        "{'version':1,'version':1,'adapters':[]}|key given twice: version",
        "{'version':1,'adap|truncated or invalid JSON",
        "{'version':1,'adapters':[]} x|is not a lock file",
      })
  void invalidLockFileIsRefused(String json, String message) throws IOException {
    Path file = Files.writeString(folder.resolve("x.lock"), json.replace('\'', '"'));
    assertThatThrownBy(() -> LockFile.read(file))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(message)
        .hasMessageNotContaining("Wire");
  }

  @Test
  void fileThatAWindowsEditorSaved_meansTheSame() throws IOException {
    Path file = folder.resolve(LockFile.NAME);
    LockFile lock =
        new LockFile(
            List.of(
                new LockFile.Entry("acme/mood@1.2.0", null, REGISTRY, DIGEST, BITS, 0, List.of())));
    lock.write(file);
    String text = Files.readString(file);

    for (byte[] bytes :
        List.of(
            text.replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8),
            ("\uFEFF" + text).getBytes(StandardCharsets.UTF_8),
            text.getBytes(StandardCharsets.UTF_16),
            ("\uFEFF" + text).getBytes(StandardCharsets.UTF_16LE))) {
      Files.write(file, bytes);
      assertThat(LockFile.read(file)).isEqualTo(lock);
    }
  }

  @Test
  void aReferenceThatMovesIsRefused() {
    for (String reference : List.of("acme/mood", "acme/mood@prod", "acme/mood@^1")) {
      assertThatThrownBy(
              () -> new LockFile.Entry(reference, null, REGISTRY, DIGEST, BITS, 0, List.of()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("may resolve to a different file later");
    }
  }

  @Test
  void requestedReferenceToAnotherAdapter_isRefused() {
    assertThatThrownBy(
            () ->
                new LockFile.Entry(
                    "acme/mood@1.0.0", "acme/tone@prod", REGISTRY, DIGEST, BITS, 0, List.of()))
        .hasMessage(
            "invalid requested: acme/tone@prod; must be a reference to the same adapter as"
                + " acme/mood@1.0.0");
    assertThatThrownBy(
            () -> new LockFile.Entry("a.nola", "acme/a", null, DIGEST, BITS, 0, List.of()))
        .hasMessageStartingWith("invalid requested: acme/a");
  }

  @Test
  void listedKeysWithoutRequiredVerificationsAreRefused() {
    assertThatThrownBy(
            () ->
                new LockFile.Entry(
                    "acme/a@1.0.0", null, REGISTRY, DIGEST, BITS, 0, List.of(DIGEST)))
        .hasMessage("invalid requiredVerifications: 0; must be at least 1, since keys are listed");
  }

  @Test
  void lockFileWithoutAdaptersIsRefused() throws IOException {
    Path file = folder.resolve(LockFile.NAME);
    Files.writeString(file, "{\"version\": 1, \"adapters\": []}");
    assertThatThrownBy(() -> LockFile.read(file))
        .isInstanceOf(InvalidLockFileException.class)
        .hasMessageEndingWith("adapters is empty; a lock file pins at least one");
  }

  @Test
  void absolutePathsAndNegativeNumbersAreRefused() {
    assertThatThrownBy(() -> new LockFile.Entry("/a.nola", null, null, DIGEST, BITS, 0, List.of()))
        .hasMessageContaining("relative to the lock file");
    assertThatThrownBy(() -> new LockFile.Entry("a.nola", null, null, DIGEST, BITS, -1, List.of()))
        .hasMessageContaining("invalid requiredVerifications: -1");
  }

  @Test
  void anAdapterMayBeThereOnlyOnce() {
    LockFile.Entry entry = new LockFile.Entry("a.nola", null, null, DIGEST, BITS, 0, List.of());
    assertThatThrownBy(() -> new LockFile(List.of(entry, entry)))
        .hasMessage("adapter listed twice: a.nola; list it once");
  }
}
