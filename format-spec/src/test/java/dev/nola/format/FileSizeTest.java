package dev.nola.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import dev.nola.generator.Generator;
import org.junit.jupiter.api.Test;

/**
 * The sizes that SPEC.md prints: real layer maps, empty metadata, 32-character base name and
 * revision.
 */
class FileSizeTest {
  private static final int GPT2_LARGE_BYTES = 18_668;
  private static final int LLAMA2_7B_BYTES = 30_420;

  private static final Sha256 SOME_DIGEST = Sha256.hash(new byte[0]);
  private static final BaseModel BASE = new BaseModel("n".repeat(32), "r".repeat(32), SOME_DIGEST);

  @Test
  void gpt2LargeQueryValueAdapterHasTheExpectedSize() {
    assertThat(size(RealAdapters.gpt2LargeQueryValue(Generator.SRHT, 36, 250)))
        .isEqualTo(GPT2_LARGE_BYTES)
        .isLessThanOrEqualTo(18_692);
  }

  @Test
  void llama2AllLinearAdapterHasTheExpectedSize() {
    assertThat(size(RealAdapters.llama2AllLinear(Generator.SRHT)))
        .isEqualTo(LLAMA2_7B_BYTES)
        .isLessThanOrEqualTo(30_500);
  }

  private static int size(Adapter.Builder adapter) {
    return new AdapterFile(adapter.base(BASE).build(), SOME_DIGEST).toBytes().length;
  }
}
