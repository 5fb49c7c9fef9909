package dev.nola.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a manifest, read without trusting them (SPEC.md section 4.4, "Reading"). Offsets may
 * point anywhere and lengths may be anything, so every position is checked, and every table, string
 * and vector is charged against the manifest's own size: a canonical manifest shares nothing but
 * vtables, so one that refers to more bytes than it has is refused before they are copied.
 */
final class ManifestBytes {
  private static final int TABLE_BYTES = 4;
  private static final int LENGTH_BYTES = 4;
  private static final int ELEMENT_BYTES = 4;
  private static final int VTABLE_HEADER_BYTES = 4;
  private static final int VTABLE_ENTRY_BYTES = 2;

  private final ByteBuffer bytes;
  private long unread;

  ManifestBytes(byte[] manifest) {
    this.bytes = ByteBuffer.wrap(manifest).order(ByteOrder.LITTLE_ENDIAN);
    this.unread = manifest.length;
  }

  /** Returns the root table. */
  Table root() {
    return table(target(0));
  }

  private Table table(long position) {
    charge(TABLE_BYTES);
    long vtable = position - bytes.getInt(inside("table", position, Integer.BYTES));
    int length = u16("vtable", vtable);
    if (Rules.isBroken(Rule.VTABLE_LENGTH, length >= VTABLE_HEADER_BYTES)) {
      throw new RuleViolation(
          Rule.VTABLE_LENGTH,
          "vtable too short: %d bytes; must have at least %d"
              .formatted(length, VTABLE_HEADER_BYTES));
    }
    return new Table(position, inside("vtable", vtable, length), length);
  }

  private int u16(String what, long position) {
    return Short.toUnsignedInt(bytes.getShort(inside(what, position, Short.BYTES)));
  }

  private long u32(String what, long position) {
    return Integer.toUnsignedLong(bytes.getInt(inside(what, position, Integer.BYTES)));
  }

  /** Returns the position that the offset at a position leads to. */
  private long target(long position) {
    return position + u32("offset", position);
  }

  /** Requires that bytes are inside the manifest, and returns their position. */
  private int inside(String what, long position, long length) {
    if (Rules.isBroken(Rule.INSIDE, what, position >= 0 && length <= bytes.capacity() - position)) {
      throw new RuleViolation(
          Rule.INSIDE,
          "manifest refers to bytes outside itself: %s of %d bytes at byte %d; it has %d bytes"
              .formatted(what, length, position, bytes.capacity()));
    }
    return Math.toIntExact(position);
  }

  private void charge(long length) {
    unread -= length;
    if (Rules.isBroken(Rule.CHARGE, unread >= 0)) {
      throw new RuleViolation(
          Rule.CHARGE,
          "manifest refers to more bytes than it has: %d; parts must not overlap"
              .formatted(bytes.capacity()));
    }
  }

  /** A table of the manifest. */
  final class Table {
    private final long position;
    private final int vtable;
    private final int vtableLength;

    private Table(long position, int vtable, int vtableLength) {
      this.position = position;
      this.vtable = vtable;
      this.vtableLength = vtableLength;
    }

    /** Returns the distance of a field from the table's position; 0 if it is absent. */
    private int distance(int id) {
      int entry = VTABLE_HEADER_BYTES + VTABLE_ENTRY_BYTES * id;
      return entry + VTABLE_ENTRY_BYTES > vtableLength ? 0 : u16("vtable", (long) vtable + entry);
    }

    boolean has(int id) {
      return distance(id) != 0;
    }

    /** Requires a field that is never absent. */
    Table require(int id, String what) {
      if (Rules.isBroken(Rule.FIELD_PRESENT, what, has(id))) {
        throw new RuleViolation(
            Rule.FIELD_PRESENT, what + " missing from the manifest; every file must have it");
      }
      return this;
    }

    int u8(int id, int otherwise) {
      return has(id)
          ? Byte.toUnsignedInt(bytes.get(inside("number", position + distance(id), Byte.BYTES)))
          : otherwise;
    }

    long u32(int id, long otherwise) {
      return has(id) ? ManifestBytes.this.u32("number", position + distance(id)) : otherwise;
    }

    /** Returns a u64, or the bits of an f64; 0 if it is absent. */
    long u64(int id) {
      return has(id) ? bytes.getLong(inside("number", position + distance(id), Long.BYTES)) : 0;
    }

    /** Returns a string; an empty one if it is absent. */
    String text(int id, String what) {
      if (!has(id)) {
        return "";
      }
      long start = target(position + distance(id));
      long length = ManifestBytes.this.u32("text", start);
      int content = inside("text", start + LENGTH_BYTES, length + 1);
      charge(LENGTH_BYTES + length + 1);
      ByteBuffer utf8 = bytes.slice(content, (int) length);
      try {
        return StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
      } catch (CharacterCodingException _) {
        if (Rules.isBroken(Rule.WELL_FORMED_TEXT, false)) {
          throw new RuleViolation(
              Rule.WELL_FORMED_TEXT,
              "invalid UTF-8 in %s; text must be well-formed".formatted(what));
        }
        return StandardCharsets.UTF_8.decode(utf8.rewind()).toString();
      }
    }

    /**
     * Returns the numbers of a vector.
     *
     * @param id the field
     * @param maximum how many numbers are legal; of more, only one more is returned
     * @return the numbers, or null if the field is absent
     */
    @Nullable List<Long> numbers(int id, int maximum) {
      if (!has(id)) {
        return null;
      }
      long start = target(position + distance(id));
      long count = vector(start);
      List<Long> numbers = new ArrayList<>();
      for (int i = 0; i < Math.min(count, maximum + 1L); i++) {
        numbers.add(ManifestBytes.this.u32("vector", element(start, i)));
      }
      return numbers;
    }

    /**
     * Decodes every table of a vector.
     *
     * @param id the field
     * @param maximum how many tables are legal; of more, only one more is returned
     * @param decode returns what a table says
     * @return what the tables say; an empty list if the field is absent
     */
    <T> List<T> tables(int id, int maximum, Function<Table, T> decode) {
      List<T> decoded = new ArrayList<>();
      if (has(id)) {
        long start = target(position + distance(id));
        long count = vector(start);
        for (long i = 0; i < count; i++) {
          T one = decode.apply(ManifestBytes.this.table(target(element(start, i))));
          if (decoded.size() <= maximum) {
            decoded.add(one);
          }
        }
      }
      return decoded;
    }

    /** Returns a table, or null if the field is absent. */
    @Nullable Table table(int id) {
      return has(id) ? ManifestBytes.this.table(target(position + distance(id))) : null;
    }

    /** Returns the bytes of a struct, or null if the field is absent. */
    byte @Nullable [] struct(int id, int length) {
      if (!has(id)) {
        return null;
      }
      byte[] struct = new byte[length];
      bytes.get(inside("struct", position + distance(id), length), struct);
      return struct;
    }

    private long vector(long start) {
      long count = ManifestBytes.this.u32("vector", start);
      inside("vector", start + LENGTH_BYTES, ELEMENT_BYTES * count);
      charge(LENGTH_BYTES + ELEMENT_BYTES * count);
      return count;
    }

    private static long element(long start, long i) {
      return start + LENGTH_BYTES + ELEMENT_BYTES * i;
    }
  }
}
