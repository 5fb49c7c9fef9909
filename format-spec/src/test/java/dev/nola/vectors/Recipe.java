package dev.nola.vectors;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** How to make a file that is too large to be stored (SPEC.md section 16). */
final class Recipe {
  /** Files of more bytes have a recipe. */
  static final int STORED_BYTES = 1 << 16;

  private static final HexFormat HEX = HexFormat.of();
  private static final int LONGEST_PERIOD = 64;
  private static final int SHORTEST_RUN = 256;

  private final byte[] bytes;
  private final ArrayNode parts;
  private int literalStart;

  private Recipe(byte[] bytes, ArrayNode parts) {
    this.bytes = bytes;
    this.parts = parts;
  }

  /** Puts the recipe of a file into its entry. */
  static void describe(byte[] bytes, ObjectNode entry) {
    ArrayNode parts = entry.putArray("recipe");
    new Recipe(bytes, parts).describe();
    if (!Arrays.equals(bytes(parts), bytes)) {
      throw new AssertionError("recipe makes another file: " + entry.get("file"));
    }
  }

  /** Returns the file that a recipe makes. */
  static byte[] bytes(JsonNode recipe) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (JsonNode part : recipe) {
      if (part.has("hex")) {
        byte[] unit = HEX.parseHex(part.get("hex").asString());
        for (int times = part.has("times") ? part.get("times").asInt() : 1; times > 0; times--) {
          out.writeBytes(unit);
        }
      } else {
        int value = part.get("first").asInt();
        for (int count = part.get("count").asInt(); count > 0; count--) {
          out.writeBytes(u32(value));
          value += part.get("step").asInt();
        }
      }
    }
    return out.toByteArray();
  }

  private static byte[] u32(int value) {
    return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  private void describe() {
    for (int position = 0; position < bytes.length; ) {
      int end = repetition(position);
      if (end == position) {
        end = progression(position);
      }
      position = end == position ? position + 1 : end;
    }
    literal(bytes.length);
  }

  private void literal(int end) {
    if (end > literalStart) {
      parts.addObject().put("hex", HEX.formatHex(bytes, literalStart, end));
    }
  }

  /** Describes what repeats itself from a position on, and returns where it ends. */
  private int repetition(int position) {
    for (int period = 1; period <= LONGEST_PERIOD; period++) {
      int end = position + period;
      while (end < bytes.length && bytes[end] == bytes[end - period]) {
        end++;
      }
      int times = (end - position) / period;
      if (times * period >= SHORTEST_RUN && times > 1) {
        literal(position);
        parts
            .addObject()
            .put("hex", HEX.formatHex(bytes, position, position + period))
            .put("times", times);
        literalStart = position + times * period;
        return literalStart;
      }
    }
    return position;
  }

  /** Describes u32s that grow by the same number each, and returns where they end. */
  private int progression(int position) {
    if (position + SHORTEST_RUN > bytes.length) {
      return position;
    }
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int first = in.getInt(position);
    int step = in.getInt(position + 4) - first;
    int count = 2;
    while (position + 4 * count + 4 <= bytes.length
        && in.getInt(position + 4 * count) == first + count * step) {
      count++;
    }
    if (4 * count < SHORTEST_RUN) {
      return position;
    }
    literal(position);
    parts.addObject().put("first", first).put("step", step).put("count", count);
    literalStart = position + 4 * count;
    return literalStart;
  }
}
