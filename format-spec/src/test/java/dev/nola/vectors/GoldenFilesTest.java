package dev.nola.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Reads the files that every frozen version of the format left in {@code golden} (SPEC.md section
 * 12). Nothing there is ever changed or removed; a new version adds a folder.
 */
class GoldenFilesTest {
  private static final Path FOLDER = Path.of("golden");

  static Stream<Path> versions() throws IOException {
    try (Stream<Path> folders = Files.list(FOLDER)) {
      return folders.sorted().toList().stream();
    }
  }

  @Test
  void folderOfTheFirstVersionExists() throws IOException {
    assertThat(versions()).contains(FOLDER.resolve("1.0"));
  }

  @ParameterizedTest
  @MethodSource("versions")
  void filesAreUnchangedAndReconstructToTheirDigests(Path version) throws IOException {
    Map<String, Sha256> listed = listed(version.resolve("SHA256SUMS"));
    try (Stream<Path> files = Files.list(version)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .filteredOn(name -> name.endsWith(AdapterFile.EXTENSION))
          .containsExactlyInAnyOrderElementsOf(listed.keySet());
    }
    Reconstructor reconstructor = Reconstructor.standard();
    for (Map.Entry<String, Sha256> entry : listed.entrySet()) {
      Path path = version.resolve(entry.getKey());
      assertThat(Sha256.hash(path)).as(entry.getKey()).isEqualTo(entry.getValue());
      AdapterFile file = AdapterFile.read(path);
      assertThat(reconstructor.verify(file).root())
          .as(entry.getKey())
          .isEqualTo(file.reconstructionDigest());
    }
  }

  /** Reads what {@code sha256sum} writes: a digest, two spaces and a name a line. */
  private static Map<String, Sha256> listed(Path sums) throws IOException {
    Map<String, Sha256> listed = new TreeMap<>();
    List<String> lines = Files.readAllLines(sums);
    for (String line : lines) {
      listed.put(line.substring(66), Sha256.parse("sha256:" + line.substring(0, 64)));
    }
    assertThat(listed).hasSameSizeAs(lines).isNotEmpty();
    return listed;
  }
}
