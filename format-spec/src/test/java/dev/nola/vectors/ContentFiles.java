package dev.nola.vectors;

import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.BaseModel;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Valid files with dense tensors, texts, and LoRAs as they are. */
final class ContentFiles {
  private final ValidFiles valid;

  ContentFiles(ValidFiles valid) {
    this.valid = valid;
  }

  /** Adds all, in an order that keeps the numbers drawn for each the same. */
  void add() {
    denseTensors();
    texts();
    identities();
  }

  private void denseTensors() {
    valid.add(
        "dense-only",
        "no layer at all",
        Adapter.builder()
            .generator(Generator.SRHT)
            .dense(dense("classifier.weight", DType.F32, 3, 5))
            .dense(dense("classifier.bias", DType.F32, 3)));
    valid.add(
        "dense-of-every-type",
        "f32, f16, bf16, a scalar, and lengths that need padding",
        Adapter.builder()
            .generator(Generator.UNIFORM8)
            .seed(41)
            .layer(
                Layer.ofMatrix(
                    "w",
                    6,
                    7,
                    0,
                    valid.scale(),
                    new LowRank(2, valid.codes(4, 8), valid.codes(4, 8))))
            .dense(dense("norm.weight", DType.BF16, 7))
            .dense(dense("head.weight", DType.F16, 2, 3, 5))
            .dense(dense("head.bias", DType.F32, 17))
            .dense(dense("logit_scale", DType.F32)));
  }

  private void texts() {
    valid.add(
        "metadata",
        "every kind of metadata, and a base model with identity",
        Adapter.builder()
            .generator(Generator.SRHT)
            .seed(51)
            .base(
                new BaseModel(
                    "example/tiny-llama",
                    "0123456789abcdef0123456789abcdef01234567",
                    Sha256.hash(new byte[] {1, 2, 3})))
            .metadata(
                Metadata.of("Glosses to supersenses.", "text-classification", "Apache-2.0")
                    .withTags("wordnet", "english", "émigré")
                    .withMetrics(Map.of("accuracy", 0.8125, "loss", 0.0, "perplexity", 12.5))
                    .withProvenance(Map.of("data", "sha256:00", "trainer", "", "steps", "1000")))
            .layer(
                Layer.ofMatrix(
                    "w",
                    6,
                    7,
                    0,
                    valid.scale(),
                    new LowRank(2, valid.codes(4, 8), valid.codes(4, 8)))));
    Adapter.Builder names = Adapter.builder().generator(Generator.RADEMACHER).seed(52);
    List<String> unusual =
        List.of(
            "w",
            "w.",
            "w.0",
            "w.00",
            "w.1",
            "w.x",
            "0",
            "1.w",
            "7",
            "été",
            "中.0.w",
            "\uFF5A.3",
            "\uD83D\uDE00.3",
            "a.999999999.b",
            "a.1000000000.b",
            "with space",
            "quote\"back\\slash");
    for (int i = 0; i < unusual.size(); i++) {
      names.layer(
          Layer.ofMatrix(
              unusual.get(i),
              2,
              3,
              i,
              valid.scale(),
              new LowRank(1, valid.codes(4, 2), valid.codes(4, 3))));
    }
    valid.add(
        "unusual-names", "names that test the index rule and the order of UTF-8 bytes", names);
  }

  /** Comes last, so that the numbers drawn for the files before stay the same. */
  private void identities() {
    for (int w = 0; w < ValidFiles.WIDTHS.length; w++) {
      int bits = ValidFiles.WIDTHS[w];
      int[] shape = ValidFiles.SHAPES[w % ValidFiles.SHAPES.length];
      int rank = 1 + w % 3;
      valid.add(
          "identity-%d-bit".formatted(bits),
          "a LoRA of %d bits, %d×%d, r=%d".formatted(bits, shape[0], shape[1], rank),
          Adapter.builder()
              .generator(Generator.IDENTITY)
              .layer(
                  Layer.ofMatrix(
                      "layers.0.weight",
                      shape[0],
                      shape[1],
                      0,
                      valid.scale(),
                      new LowRank(
                          rank,
                          valid.codes(bits, rank * shape[0]),
                          valid.codes(ValidFiles.WIDTHS[5 - w], rank * shape[1])))));
    }
    valid.add(
        "identity-direct",
        "ΔW itself, 8 bits, of a tensor of one dimension",
        Adapter.builder()
            .generator(Generator.IDENTITY)
            .layer(
                new Layer(
                    "norm.weight",
                    List.of(21),
                    null,
                    1,
                    21,
                    0,
                    valid.scale(),
                    new Direct(valid.codes(8, 21)))));
    Adapter.Builder several = Adapter.builder().generator(Generator.IDENTITY);
    for (int i = 0; i < 3; i++) {
      several.layer(
          Layer.ofMatrix(
              "layers." + i + ".q.weight",
              12,
              9,
              0,
              i == 1 ? 0 : valid.scale(),
              new LowRank(2, valid.codes(16, 24), valid.codes(16, 18))));
      several.layer(
          new Layer(
              "layers." + i + ".experts",
              List.of(2, 6, 5),
              new Slice(0, 1, 1),
              6,
              5,
              0,
              valid.scale(),
              new LowRank(2, valid.codes(4, 12), valid.codes(4, 10))));
    }
    valid.add("identity-groups", "groups of a LoRA: all streams 0; a scale of 0; slices", several);
  }

  private DenseTensor dense(String name, DType dtype, int... shape) {
    List<Integer> dims = new ArrayList<>();
    int elements = 1;
    for (int dim : shape) {
      dims.add(dim);
      elements *= dim;
    }
    byte[] data = new byte[elements * dtype.bytes()];
    valid.nextBytes(data);
    return new DenseTensor(name, dtype, dims, MemorySegment.ofArray(data));
  }
}
