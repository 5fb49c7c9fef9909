package dev.nola.client.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Decodes blocks as ggml does, with the same f32 operations in the same order. */
final class BlockDecoder {
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Elements with one scale in the types of 256. */
  private static final int SUB_BLOCK = 32;

  private static final int HALF = 16;

  private BlockDecoder() {}

  /**
   * Decodes elements of a tensor.
   *
   * @param start index of the first, a multiple of the elements of a block
   * @param target receives the elements
   * @param offset where the first goes
   * @param count how many, a multiple of the elements of a block
   */
  static void decode(GgufTensor tensor, long start, float[] target, int offset, int count) {
    GgmlType type = tensor.type();
    MemorySegment data = tensor.data();
    long place = start / type.blockElements() * type.blockBytes();
    for (int i = offset; i < offset + count; i += type.blockElements()) {
      switch (type) {
        case F32 -> target[i] = data.get(FLOAT, place);
        case F16 -> target[i] = half(data, place);
        case BF16 -> target[i] = Float.intBitsToFloat(data.get(SHORT, place) << Short.SIZE);
        case Q8_0 -> eightBits(data, place, target, i);
        case Q4_0 -> scaled(data, place + 2, 0, -8, half(data, place), target, i);
        case Q4_1 ->
            shifted(data, place + 4, 0, half(data, place), half(data, place + 2), target, i);
        case Q5_0 ->
            scaled(data, place + 6, data.get(INT, place + 2), -16, half(data, place), target, i);
        case Q5_1 ->
            shifted(
                data,
                place + 8,
                data.get(INT, place + 4),
                half(data, place),
                half(data, place + 2),
                target,
                i);
        case Q4_K -> superBlock(data, place, place + 16, -1, target, i);
        case Q5_K -> superBlock(data, place, place + 48, place + 16, target, i);
        case Q6_K -> sixBits(data, place, target, i);
      }
      place += type.blockBytes();
    }
  }

  private static float half(MemorySegment data, long place) {
    return Float.float16ToFloat(data.get(SHORT, place));
  }

  private static int unsigned(MemorySegment data, long place) {
    return data.get(BYTE, place) & 0xFF;
  }

  private static void eightBits(MemorySegment data, long place, float[] target, int offset) {
    float scale = half(data, place);
    for (int i = 0; i < SUB_BLOCK; i++) {
      target[offset + i] = data.get(BYTE, place + 2 + i) * scale;
    }
  }

  /**
   * Reads one of 32 codes: the low nibbles are elements 0 to 15, the high ones 16 to 31.
   *
   * @param high the fifth bits, that of element 0 first; 0 if codes have 4 bits
   */
  private static int code(MemorySegment data, long place, int high, int i) {
    int low = unsigned(data, place + i % HALF) >> i / HALF * 4 & 15;
    return low | (high >>> i & 1) << 4;
  }

  private static void scaled(
      MemorySegment data, long place, int high, int zero, float scale, float[] target, int offset) {
    for (int i = 0; i < SUB_BLOCK; i++) {
      target[offset + i] = scale * (code(data, place, high, i) + zero);
    }
  }

  private static void shifted(
      MemorySegment data,
      long place,
      int high,
      float scale,
      float minimum,
      float[] target,
      int offset) {
    for (int i = 0; i < SUB_BLOCK; i++) {
      target[offset + i] = scale * code(data, place, high, i) + minimum;
    }
  }

  /**
   * Decodes a block of Q4_K or Q5_K.
   *
   * @param codes place of the nibbles
   * @param high place of the fifth bits; negative for Q4_K
   */
  private static void superBlock(
      MemorySegment data, long place, long codes, long high, float[] target, int offset) {
    float scale = half(data, place);
    float minimum = half(data, place + 2);
    for (int j = 0; j < 8; j++) {
      float subScale = scale * packed(data, place + 4, j, 0);
      float subMinimum = minimum * packed(data, place + 4, j, 4);
      for (int i = 0; i < SUB_BLOCK; i++) {
        int code = unsigned(data, codes + j / 2 * SUB_BLOCK + i) >> j % 2 * 4 & 15;
        if (high >= 0) {
          code |= (unsigned(data, high + i) >> j & 1) << 4;
        }
        target[offset + j * SUB_BLOCK + i] = subScale * code - subMinimum;
      }
    }
  }

  /** Reads one of eight 6-bit numbers: scales with {@code kind} 0, minima with 4. */
  private static int packed(MemorySegment data, long place, int j, int kind) {
    if (j < 4) {
      return unsigned(data, place + kind + j) & 63;
    }
    int low = unsigned(data, place + 4 + j) >> kind & 15;
    return low | unsigned(data, place + kind + j - 4) >> 6 << 4;
  }

  private static void sixBits(MemorySegment data, long place, float[] target, int offset) {
    float scale = half(data, place + 208);
    for (int i = 0; i < 256; i++) {
      int part = i / 128; // 64 bytes of low nibbles and 32 of high bits for 128 elements
      int row = i % 128 / SUB_BLOCK;
      int column = i % SUB_BLOCK;
      int low = unsigned(data, place + part * 64L + row % 2 * 32 + column) >> row / 2 * 4 & 15;
      int high = unsigned(data, place + 128 + part * 32L + column) >> row * 2 & 3;
      float subScale = scale * data.get(BYTE, place + 192 + i / HALF);
      target[offset + i] = subScale * ((low | high << 4) - 32);
    }
  }
}
