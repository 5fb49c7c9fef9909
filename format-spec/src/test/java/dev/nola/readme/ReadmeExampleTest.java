package dev.nola.readme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.generator.Generator;
import dev.nola.quantize.Quantized;
import dev.nola.quantize.Quantizer;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadmeExampleTest {
  @TempDir private Path folder;

  @Test
  void exampleInTheReadmeRuns() throws IOException {
    float[] alpha = {0.3f, -1.2f, 0.7f, 0.1f};
    float[] beta = {1.5f, -0.2f, 0.4f, 0.9f};
    Path path = folder.resolve("adapter.nola");

    // example
    Quantized a = Quantizer.LEAST_SQUARES.quantize(alpha, 4);
    Quantized b = Quantizer.LEAST_SQUARES.quantize(beta, 4);
    Adapter adapter =
        Adapter.builder()
            .generator(Generator.SRHT)
            .seed(42)
            .layer(
                Layer.ofMatrix(
                    "model.layers.0.self_attn.q_proj.weight",
                    64,
                    64,
                    0, // stream
                    Quantizer.scale(a.step(), b.step()),
                    new LowRank(8, a.codes(), b.codes())))
            .build();
    Reconstructor reconstructor = Reconstructor.standard();
    reconstructor.seal(adapter).write(path);

    AdapterFile file = AdapterFile.read(path);
    reconstructor.verify(file); // throws DigestMismatchException if a bit differs
    double[] row =
        reconstructor
            .open(file.adapter())
            .apply(file.adapter().layers().getFirst())
            .deltaRow(0); // 64 values of ΔW
    // end of example

    assertThat(row).hasSize(64);
    Path readme = Path.of("../README.md");
    assertThat(Files.readString(readme)).contains(example());
  }

  private static String example() throws IOException {
    String source =
        Files.readString(Path.of("src/test/java/dev/nola/readme/ReadmeExampleTest.java"));
    String body =
        source.substring(
            source.indexOf("    // example\n") + "    // example\n".length(),
            source.indexOf("    // end of example"));
    return Arrays.stream(body.split("\n"))
        .map(line -> line.isEmpty() ? line : line.substring(4))
        .collect(Collectors.joining("\n"));
  }
}
