package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.generator.Generator;
import dev.nola.gpu.check.Comparison;
import dev.nola.gpu.check.GpuCheck;
import dev.nola.gpu.check.Options;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the part of gpu/check that compares bits. */
class GpuCheckTest extends DeviceTest {
  private static final Path VECTOR = Path.of("../format-spec/vectors/valid/metadata.nola");

  @TempDir private Path vectors;

  @Test
  void bits_areThoseOfTheCpu_andEveryKernelOfTheImageRuns() throws IOException {
    Files.copy(VECTOR, vectors.resolve(VECTOR.getFileName()));
    Map<String, Long> before = new HashMap<>();
    kernels().forEach(kernel -> before.put(kernel, driver.launches(kernel)));
    Comparison comparison = new Comparison(device);
    GpuCheck.compareBits(device, vectors, comparison);
    assertThat(comparison.wrong()).isZero();
    assertThat(kernels())
        .hasSizeGreaterThan(FactorKernel.values().length)
        .allSatisfy(
            kernel ->
                assertThat(driver.launches(kernel)).as(kernel).isGreaterThan(before.get(kernel)));
  }

  @Test
  void measurements_beyondTheMemory_areSkipped() throws IOException {
    driver.set("memory", 1 << 20);
    try {
      Options options = Options.parse("vectors", "--blocks", "1", "--repetitions", "1");
      Comparison comparison = new Comparison(device);
      assertThat(GpuCheck.measure(device, options, comparison))
          .as("measurements after the first one were tried")
          .isGreaterThan(Generator.values().length);
    } finally {
      driver.set("memory", 4L << 30);
    }
  }

  private static List<String> kernels() {
    String ptx = new String(KernelImage.read("nola.ptx"), StandardCharsets.US_ASCII);
    return Pattern.compile("\\.entry (\\w+)")
        .matcher(ptx)
        .results()
        .map((MatchResult entry) -> entry.group(1))
        .toList();
  }
}
