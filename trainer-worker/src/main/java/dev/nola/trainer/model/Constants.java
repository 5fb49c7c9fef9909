package dev.nola.trainer.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Arrays that do not depend on data, made once and kept on the device, so that steps neither
 * compute nor copy them again.
 */
final class Constants {
  /** Summand of scores that must not count; their softmax is 0 in f32. */
  static final float MASKED = -1e30f;

  private static final int SMALLEST = 64;

  private static final Map<Key, NDArray> KEPT = new ConcurrentHashMap<>();

  /** What an array holds. */
  private sealed interface Content {
    record Number(double value) implements Content {}

    /** Hides later tokens, and those that are a window or more before. */
    record CausalMask(int tokens, int window) implements Content {}

    /** Cosines or sines of rotary positions. */
    record Rotation(RotaryPositions positions, int tokens, int dimensions, boolean sine)
        implements Content {}
  }

  private record Key(Device device, Content content) {}

  private Constants() {}

  private static NDArray array(Content content) {
    return KEPT.computeIfAbsent(new Key(Tensors.device(), content), key -> make(key.content));
  }

  /** Makes an array whose manager is never closed. */
  private static NDArray make(Content content) {
    NDManager manager = Tensors.newManager();
    return switch (content) {
      case Content.Number number -> Tensors.scalar(manager, number.value);
      case Content.CausalMask mask ->
          Tensors.create(manager, maskOf(mask), mask.tokens, mask.tokens);
      case Content.Rotation turn ->
          Tensors.create(manager, rotation(turn), turn.tokens, turn.dimensions);
    };
  }

  private static float[] maskOf(Content.CausalMask mask) {
    int tokens = mask.tokens;
    float[] values = new float[tokens * tokens];
    for (int i = 0; i < tokens; i++) {
      for (int j = 0; j < tokens; j++) {
        if (j > i || i - j >= mask.window) {
          values[i * tokens + j] = MASKED;
        }
      }
    }
    return values;
  }

  /** Returns the cosine or sine of each token and dimensions i and i + D/2, which turn together. */
  private static float[] rotation(Content.Rotation turn) {
    int dimensions = turn.dimensions;
    int half = dimensions / 2;
    float[] frequencies = turn.positions.frequencies(dimensions);
    float amplitude = turn.positions.amplitude();
    float[] values = new float[turn.tokens * dimensions];
    for (int t = 0; t < turn.tokens; t++) {
      for (int i = 0; i < half; i++) {
        float angle = t * frequencies[i]; // in f32, as in Hugging Face's library
        float value = (float) (turn.sine ? StrictMath.sin(angle) : StrictMath.cos(angle));
        values[t * dimensions + i] = values[t * dimensions + i + half] = value * amplitude;
      }
    }
    return values;
  }

  /** Returns the least power of two that has room for a number of tokens. */
  private static int capacity(int tokens) {
    return Math.max(SMALLEST, Integer.highestOneBit(Math.max(1, tokens - 1)) << 1);
  }

  /**
   * Returns an array of a number that is the same in all steps.
   *
   * @param value the number
   * @return an array of one element, in f32, not to be closed
   */
  static NDArray number(double value) {
    return array(new Content.Number(value));
  }

  /**
   * Returns a mask that hides later tokens, and those too long before.
   *
   * @param step owns the returned view
   * @param past number of tokens before those that see, P
   * @param tokens number of tokens that see, T
   * @param window number of tokens that one sees, itself included
   * @return T×(P+T)
   */
  static NDArray causalMask(NDManager step, int past, int tokens, int window) {
    int end = past + tokens;
    int room = capacity(end);
    return array(new Content.CausalMask(room, Math.min(window, room)))
        .get(step, new NDIndex("%d:%d, :%d".formatted(past, end, end)));
  }

  /**
   * Returns the cosines of rotary positions.
   *
   * @param step owns the returned view
   * @param positions how fast dimensions turn
   * @param past number of tokens before
   * @param tokens T
   * @param dimensions D of a head
   * @return T×D
   */
  static NDArray cosines(
      NDManager step, RotaryPositions positions, int past, int tokens, int dimensions) {
    return rotation(step, past, new Content.Rotation(positions, past + tokens, dimensions, false));
  }

  /**
   * Returns the sines of rotary positions.
   *
   * @param step owns the returned view
   * @param positions how fast dimensions turn
   * @param past number of tokens before
   * @param tokens T
   * @param dimensions D of a head
   * @return T×D
   */
  static NDArray sines(
      NDManager step, RotaryPositions positions, int past, int tokens, int dimensions) {
    return rotation(step, past, new Content.Rotation(positions, past + tokens, dimensions, true));
  }

  private static NDArray rotation(NDManager step, int past, Content.Rotation needed) {
    Content.Rotation kept =
        new Content.Rotation(
            needed.positions, capacity(needed.tokens), needed.dimensions, needed.sine);
    return array(kept).get(step, new NDIndex("%d:%d".formatted(past, needed.tokens)));
  }
}
