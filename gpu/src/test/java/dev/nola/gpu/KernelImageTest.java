package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.format.DType;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whether the compiled kernels that are committed are those of the sources. */
class KernelImageTest {
  private static final Path SOURCES = Path.of("src/main/cuda");
  private static final long LIMIT = 3L << 20;

  private static Path resource(String name) throws URISyntaxException {
    return Path.of(Objects.requireNonNull(KernelImage.class.getResource(name)).toURI());
  }

  @Test
  void images_sourcesUnchanged() throws Exception {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.list(SOURCES)) {
      for (Path file : files.sorted().toList()) {
        String hex = Sha256.hash(file).toString().substring("sha256:".length());
        lines.add(hex + "  " + file.getFileName());
      }
    }
    assertThat(Files.readAllLines(resource("sources.sha256")))
        .as("run gpu/build-ptx --write after changing the CUDA sources")
        .isEqualTo(lines);
  }

  @Test
  void ptx_oldDriversAndEveryKernel() {
    String ptx = new String(KernelImage.read("nola.ptx"), StandardCharsets.US_ASCII);
    assertThat(ptx).contains(".version 7.0").contains(".target sm_75");
    for (FactorKernel kernel : FactorKernel.values()) {
      for (DType dtype : DType.values()) {
        assertThat(ptx).contains(".entry " + kernel.function(ElementType.of(dtype)) + "(");
      }
    }
  }

  @Test
  void images_size_withinLimit() throws Exception {
    long bytes = 0;
    try (Stream<Path> files = Files.list(resource("sources.sha256").getParent())) {
      for (Path file : files.filter(path -> path.toString().endsWith(".gz")).toList()) {
        bytes += Files.size(file);
      }
    }
    assertThat(bytes).isBetween(1L, LIMIT);
  }

  @Test
  void candidates_eachArchitecture_readable() {
    for (int architecture : new int[] {75, 80, 86, 89, 90, 100}) {
      for (String name : KernelImage.candidates(architecture)) {
        assertThat(KernelImage.read(name)).isNotEmpty();
      }
    }
  }
}
