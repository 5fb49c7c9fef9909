package dev.nola.api;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A comparison of a file's size with other ways to store the same change.
 *
 * @param loraBytes size in bytes of a LoRA of the same ranks in 16 bits, Σ 2·r·(R+C); null if a
 *     layer is of the direct form, which has no rank
 * @param loraRatio {@code loraBytes} divided by the file's size, or null
 * @param tensorBytes size in bytes of the adapted tensors in 16 bits
 * @param tensorRatio {@code tensorBytes} divided by the file's size
 */
public record Comparison(
    @Nullable Long loraBytes, @Nullable Double loraRatio, long tensorBytes, double tensorRatio) {
  private static final long BYTES_PER_ELEMENT = 2;

  /**
   * Compares a file with a LoRA and with the tensors it adapts.
   *
   * @param contents contents of the file
   * @param size size of the file in bytes
   * @return the comparison
   */
  public static Comparison of(Contents contents, long size) {
    long lora = 0;
    Map<String, Long> tensors = new HashMap<>();
    for (Contents.LayerEntry layer : contents.layers()) {
      lora += BYTES_PER_ELEMENT * layer.rank() * ((long) layer.rows() + layer.cols());
      // Counts a tensor once, even if several slices of it are adapted.
      tensors.put(
          layer.tensor(),
          layer.shape().stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact));
    }
    boolean lowRank = contents.layers().stream().allMatch(layer -> layer.rank() > 0);
    long full = BYTES_PER_ELEMENT * tensors.values().stream().mapToLong(Long::longValue).sum();
    return of(lowRank ? lora : null, full, size);
  }

  /**
   * Compares sizes that are known.
   *
   * @param loraBytes size in bytes of a LoRA of the same ranks; null if there can be none
   * @param tensorBytes size in bytes of the adapted tensors
   * @param size size of the file in bytes
   * @return the comparison
   */
  public static Comparison of(@Nullable Long loraBytes, long tensorBytes, long size) {
    return new Comparison(
        loraBytes,
        loraBytes == null ? null : (double) loraBytes / size,
        tensorBytes,
        (double) tensorBytes / size);
  }
}
