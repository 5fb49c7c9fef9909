package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.gpu.check.SampleAdapters;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs what the README shows, but for where file and device come from. */
class ReadmeExampleTest extends DeviceTest {
  private static final Path README = Path.of("README.md");
  private static final Path SOURCE = Path.of("src/test/java/dev/nola/gpu/ReadmeExampleTest.java");

  @TempDir private Path folder;

  @Test
  void exampleInTheReadmeRuns() throws IOException {
    Path path = folder.resolve("mood.nola");
    Reconstructor.standard().seal(SampleAdapters.alike(Generator.SRHT, 1).getFirst()).write(path);
    AdapterFile mood = AdapterFile.read(path);
    // example
    try (AdapterPlan plan = AdapterPlan.of(device, mood.adapter());
        DeviceAdapterPool pool = DeviceAdapterPool.open(plan, DType.BF16, 1000, 16)) {
      pool.put(Map.of("mood", mood)); // verifies the digest, on the device
      try (DeviceAdapterPool.Lease lease = pool.activate("mood")) {
        DeviceFactors factors = lease.factors();
        long loraB = factors.address(0, 0, Side.A); // row-major, as PEFT and vLLM store it
        assertThat(loraB).isPositive();
      }
    }
    // end of example
    String readme = Files.readString(README);
    String source = Files.readString(SOURCE);
    String example =
        source.substring(source.indexOf("// example"), source.indexOf("// end of example"));
    example
        .lines()
        .skip(2)
        .map(String::strip)
        .filter(line -> !line.startsWith("assertThat"))
        .forEach(line -> assertThat(readme).contains(line));
  }
}
