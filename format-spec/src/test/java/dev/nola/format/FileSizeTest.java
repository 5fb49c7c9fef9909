package dev.nola.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Coefficients.LowRank;
import dev.nola.generator.Generator;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The sizes that SPEC.md prints: real layer maps, empty metadata, 32-character base name and
 * revision.
 */
class FileSizeTest {
  private static final Sha256 SOME_DIGEST = Sha256.hash(new byte[0]);
  private static final BaseModel BASE = new BaseModel("n".repeat(32), "r".repeat(32), SOME_DIGEST);

  @Test
  void gpt2LargeQueryValue() {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.SRHT).seed(42).base(BASE);
    int stream = 0;
    for (String projection : List.of("q", "v")) {
      for (int i = 0; i < 36; i++) {
        String name = "transformer.h." + i + ".attn." + projection + ".weight";
        adapter.layer(matrix(name, 1280, 1280, 8, 250, stream++));
      }
    }
    assertThat(size(adapter)).isEqualTo(GPT2_LARGE_BYTES).isLessThanOrEqualTo(18_692);
  }

  @Test
  void llama2AllLinear() {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.SRHT).seed(42).base(BASE);
    int stream = 0;
    for (int i = 0; i < 32; i++) {
      String layer = "model.layers." + i;
      for (String projection : List.of("q", "k", "v", "o")) {
        String name = layer + ".self_attn." + projection + "_proj.weight";
        adapter.layer(matrix(name, 4096, 4096, 16, 128, stream++));
      }
      adapter.layer(matrix(layer + ".mlp.gate_proj.weight", 11008, 4096, 16, 128, stream++));
      adapter.layer(matrix(layer + ".mlp.up_proj.weight", 11008, 4096, 16, 128, stream++));
      adapter.layer(matrix(layer + ".mlp.down_proj.weight", 4096, 11008, 16, 128, stream++));
    }
    assertThat(size(adapter)).isEqualTo(LLAMA2_7B_BYTES).isLessThanOrEqualTo(30_500);
  }

  static final int GPT2_LARGE_BYTES = 18_668;
  static final int LLAMA2_7B_BYTES = 30_420;

  private static int size(Adapter.Builder adapter) {
    return new AdapterFile(adapter.build(), SOME_DIGEST).toBytes().length;
  }

  private static Layer matrix(
      String name, int rows, int cols, int rank, int coefficients, int stream) {
    Codes codes = Codes.of(4, new int[coefficients]);
    return Layer.ofMatrix(name, rows, cols, stream, 0x1p-10f, new LowRank(rank, codes, codes));
  }
}
