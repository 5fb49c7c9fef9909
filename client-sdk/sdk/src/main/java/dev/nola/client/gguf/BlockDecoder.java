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

  static void decode(GgufTensor tensor, long start, float[] into, int offset, int count) {
    GgmlType type = tensor.type();
    MemorySegment data = tensor.data();
    long place = start / type.blockElements() * type.blockBytes();
    for (int i = offset; i < offset + count; i += type.blockElements()) {
      switch (type) {
        case F32 -> into[i] = data.get(FLOAT, place);
        case F16 -> into[i] = half(data, place);
        case BF16 -> into[i] = Float.intBitsToFloat(data.get(SHORT, place) << Short.SIZE);
        case Q8_0 -> eightBits(data, place, into, i);
        case Q4_0 -> scaled(data, place + 2, 0, -8, half(data, place), into, i);
        case Q4_1 -> shifted(data, place + 4, 0, half(data, place), half(data, place + 2), into, i);
        case Q5_0 ->
            scaled(data, place + 6, data.get(INT, place + 2), -16, half(data, place), into, i);
        case Q5_1 ->
            shifted(
                data,
                place + 8,
                data.get(INT, place + 4),
                half(data, place),
                half(data, place + 2),
                into,
                i);
        case Q4_K -> superBlock(data, place, place + 16, -1, into, i);
        case Q5_K -> superBlock(data, place, place + 48, place + 16, into, i);
        case Q6_K -> sixBits(data, place, into, i);
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

  private static void eightBits(MemorySegment data, long place, float[] into, int offset) {
    float scale = half(data, place);
    for (int i = 0; i < SUB_BLOCK; i++) {
      into[offset + i] = data.get(BYTE, place + 2 + i) * scale;
    }
  }

  /** A code of 32: the low nibbles are elements 0 to 15, the high ones 16 to 31. */
  private static int code(MemorySegment data, long place, int high, int i) {
    int low = unsigned(data, place + i % HALF) >> i / HALF * 4 & 15;
    return low | (high >>> i & 1) << 4;
  }

  private static void scaled(
      MemorySegment data, long place, int high, int zero, float scale, float[] into, int offset) {
    for (int i = 0; i < SUB_BLOCK; i++) {
      into[offset + i] = scale * (code(data, place, high, i) + zero);
    }
  }

  private static void shifted(
      MemorySegment data,
      long place,
      int high,
      float scale,
      float minimum,
      float[] into,
      int offset) {
    for (int i = 0; i < SUB_BLOCK; i++) {
      into[offset + i] = scale * code(data, place, high, i) + minimum;
    }
  }

  /** Q4_K and Q5_K; the latter has a fifth bit of each code at {@code high}. */
  private static void superBlock(
      MemorySegment data, long place, long codes, long high, float[] into, int offset) {
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
        into[offset + j * SUB_BLOCK + i] = subScale * code - subMinimum;
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

  private static void sixBits(MemorySegment data, long place, float[] into, int offset) {
    float scale = half(data, place + 208);
    for (int i = 0; i < 256; i++) {
      int part = i / 128; // 64 bytes of low nibbles and 32 of high bits for 128 elements
      int row = i % 128 / SUB_BLOCK;
      int column = i % SUB_BLOCK;
      int low = unsigned(data, place + part * 64L + row % 2 * 32 + column) >> row / 2 * 4 & 15;
      int high = unsigned(data, place + 128 + part * 32L + column) >> row * 2 & 3;
      float subScale = scale * data.get(BYTE, place + 192 + i / HALF);
      into[offset + i] = subScale * ((low | high << 4) - 32);
    }
  }
}
