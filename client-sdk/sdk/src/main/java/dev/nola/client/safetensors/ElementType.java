package dev.nola.client.safetensors;

import java.util.Map;

/** How many bits an element of a type takes. */
final class ElementType {
  private static final Map<String, Integer> BITS =
      Map.ofEntries(
          Map.entry("BOOL", 8),
          Map.entry("F4", 4),
          Map.entry("F6_E2M3", 6),
          Map.entry("F6_E3M2", 6),
          Map.entry("U8", 8),
          Map.entry("I8", 8),
          Map.entry("F8_E5M2", 8),
          Map.entry("F8_E4M3", 8),
          Map.entry("F8_E5M2FNUZ", 8),
          Map.entry("F8_E4M3FNUZ", 8),
          Map.entry("F8_E8M0", 8),
          Map.entry("I16", 16),
          Map.entry("U16", 16),
          Map.entry("F16", 16),
          Map.entry("BF16", 16),
          Map.entry("I32", 32),
          Map.entry("U32", 32),
          Map.entry("F32", 32),
          Map.entry("I64", 64),
          Map.entry("U64", 64),
          Map.entry("F64", 64),
          Map.entry("C64", 64));

  private ElementType() {}

  static boolean isKnown(String type) {
    return BITS.containsKey(type);
  }

  /** Bits of an element of a type that {@link #isKnown}. */
  static int bits(String type) {
    return BITS.get(type);
  }

  /** What a tensor's place in a file is a multiple of, in whole bytes: 1, 2, 4 or 8. */
  static int alignment(String type) {
    return Math.max(1, Integer.highestOneBit(BITS.getOrDefault(type, 8)) / 8);
  }
}
