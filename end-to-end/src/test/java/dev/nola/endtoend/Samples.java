package dev.nola.endtoend;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** Valid adapter files. */
final class Samples {
  private Samples() {}

  /** Writes a small file; every seed gives different content. */
  static Path small(Path folder, long seed) throws IOException {
    return write(folder, seed, adapter(seed).build());
  }

  /** Writes a file with an incompressible dense tensor of the given size. */
  static Path large(Path folder, long seed, int bytes) throws IOException {
    byte[] values = new byte[bytes];
    Random random = new Random(seed);
    for (int i = 0; i < bytes; i += 2) {
      values[i] = (byte) random.nextInt();
      values[i + 1] = 0x3f; // finite in bfloat16
    }
    return write(
        folder,
        seed,
        adapter(seed)
            .dense(
                new DenseTensor(
                    "classifier.weight",
                    DType.BF16,
                    List.of(bytes / 2),
                    MemorySegment.ofArray(values)))
            .build());
  }

  /** Writes a file that adapts five matrices in each of eight blocks. */
  static Path blocks(Path folder, long seed) throws IOException {
    Adapter.Builder adapter = head(seed);
    Random random = new Random(seed);
    for (int block = 0; block < 8; block++) {
      for (String kind :
          List.of("attn.q_proj", "attn.k_proj", "attn.v_proj", "mlp.gate_proj", "mlp.up_proj")) {
        int[] codes = random.ints(32, 0, 16).toArray();
        adapter.layer(
            Layer.ofMatrix(
                "model.layers.%d.%s.weight".formatted(block, kind),
                256,
                256,
                0,
                (float) Math.scalb(1 + random.nextDouble(), -12),
                new Coefficients.LowRank(8, Codes.of(4, codes), Codes.of(4, codes))));
      }
    }
    return write(folder, seed, adapter.build());
  }

  private static Adapter.Builder head(long seed) {
    return Adapter.builder()
        .generator(Generator.SRHT)
        .seed(seed)
        .base(new BaseModel("meta-llama/Llama-2-7b-hf", "main", null))
        .metadata(
            Metadata.of("Tells happy reviews from sad ones", "text-classification", "Apache-2.0")
                .withTags("demo"));
  }

  private static Adapter.Builder adapter(long seed) {
    Codes codes = Codes.of(4, 1, 7, 3, 15, 0, 9, 8, 2);
    return head(seed)
        .layer(
            Layer.ofMatrix(
                "model.layers.0.self_attn.q_proj.weight",
                64,
                32,
                0,
                0x1p-10f,
                new Coefficients.LowRank(4, codes, codes)));
  }

  private static Path write(Path folder, long seed, Adapter adapter) throws IOException {
    Path path = folder.resolve("sample-" + seed + AdapterFile.EXTENSION);
    Reconstructor.standard().seal(adapter).write(path);
    return path;
  }
}
