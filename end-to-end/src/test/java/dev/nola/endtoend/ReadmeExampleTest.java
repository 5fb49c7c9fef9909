package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.Scope;
import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.export.LoraExport;
import dev.nola.client.export.peft.PeftFormat;
import dev.nola.client.merge.ModelMerge;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadmeExampleTest {
  @TempDir private Path folder = Path.of("");

  @Test
  void exampleInTheClientsReadmeRuns() throws Exception {
    Nola nola = new Nola(Registry.shared(), folder);
    URI registry = Registry.shared().url();
    String token = Registry.shared().token("acme", Scope.PUBLISH);
    nola.runWithInput(token, "login");
    Path file = Samples.small(folder, 3);
    assertThat(
            nola.run(
                    "publish",
                    file.toString(),
                    "acme/mood@1.0.0",
                    "--create-namespace",
                    "--alias",
                    "prod")
                .err())
        .isEmpty();
    Path base = base(folder.resolve("base.safetensors"));
    Path merged = folder.resolve("merged.safetensors");
    Path lora = folder.resolve("lora");

    // example
    try (NolaClient client = NolaClient.builder(registry).token(token).build()) {
      Pulled pulled = client.pull(Reference.parse("acme/mood@prod"), Progress.NONE);
      AdapterFile adapter = pulled.open();
      ModelMerge.into(base).adapter(adapter, 0.5).build().write(merged);
      LoraExport.of(adapter, PeftFormat.STANDARD).dtype(DType.BF16).build().write(lora);
    }
    // end of example

    assertThat(merged).exists();
    assertThat(lora.resolve("adapter_model.safetensors")).exists();
    assertThat(Files.readString(Path.of("../client-sdk/README.md"))).contains(example());
  }

  private static Path base(Path file) throws IOException {
    Slot slot =
        new Slot("model.layers.0.self_attn.q_proj.weight", "F32", List.of(64L, 32L), 64 * 32 * 4);
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, List.of(slot), Map.of())) {
      writer.write(slot.name(), MemorySegment.ofArray(new float[64 * 32]));
    }
    return file;
  }

  private static String example() throws IOException {
    String source =
        Files.readString(Path.of("src/test/java/dev/nola/endtoend/ReadmeExampleTest.java"));
    String body =
        source.substring(
            source.indexOf("    // example\n") + "    // example\n".length(),
            source.indexOf("    // end of example"));
    return Arrays.stream(body.split("\n"))
        .map(line -> line.isEmpty() ? line : line.substring(4))
        .collect(Collectors.joining("\n"));
  }
}
