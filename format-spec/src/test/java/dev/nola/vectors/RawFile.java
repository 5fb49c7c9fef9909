package dev.nola.vectors;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32C;

/** The bytes of a file, to be damaged; {@link #checksummed} then gives it a matching checksum. */
final class RawFile {
  static final int HEADER = 32;

  private byte[] bytes;

  RawFile(byte[] bytes) {
    this.bytes = bytes.clone();
  }

  byte[] bytes() {
    return bytes;
  }

  /** Returns the bytes with the checksum that matches them. */
  byte[] checksummed() {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, bytes.length - 4);
    view().putInt(bytes.length - 4, (int) crc.getValue());
    return bytes;
  }

  RawFile set(int position, int value) {
    bytes[position] = (byte) value;
    return this;
  }

  RawFile u32(int position, int value) {
    view().putInt(position, value);
    return this;
  }

  RawFile u64(int position, long value) {
    view().putLong(position, value);
    return this;
  }

  int u32(int position) {
    return view().getInt(position);
  }

  /** Inserts bytes without touching any length. */
  RawFile insert(int position, byte... more) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(bytes, 0, position);
    out.writeBytes(more);
    out.write(bytes, position, bytes.length - position);
    bytes = out.toByteArray();
    return this;
  }

  /** Puts another codes section in place, and its length into the header. */
  RawFile replaceCodes(byte[] codes) {
    int start = codesStart();
    int end = denseStart();
    byte[] original = bytes;
    bytes = Arrays.copyOf(original, start);
    insert(start, codes);
    insert(bytes.length, Arrays.copyOfRange(original, end, original.length));
    return u64(16, codes.length);
  }

  RawFile cut(int length) {
    bytes = Arrays.copyOf(bytes, length);
    return this;
  }

  int manifestLength() {
    return u32(12);
  }

  int codesStart() {
    return HEADER + manifestLength();
  }

  int denseStart() {
    return codesStart() + (int) view().getLong(16);
  }

  /** Returns the position of the manifest's root table. */
  int root() {
    return HEADER + u32(HEADER);
  }

  /** Returns the position of a field of a table. */
  int field(int table, int id) {
    int entry = Short.toUnsignedInt(view().getShort(vtableEntry(table, id)));
    if (entry == 0) {
      throw new IllegalArgumentException("field " + id + " is absent");
    }
    return table + entry;
  }

  /** Returns the position of the vtable's entry for a field. */
  int vtableEntry(int table, int id) {
    return table - u32(table) + 4 + 2 * id;
  }

  /** Returns the position that an offset leads to. */
  int follow(int position) {
    return position + u32(position);
  }

  /**
   * Returns the position of element i of a vector of tables that field {@code id} of the root leads
   * to.
   */
  int element(int id, int i) {
    return follow(follow(field(root(), id)) + 4 + 4 * i);
  }

  RawFile without(int table, int id) {
    view().putShort(vtableEntry(table, id), (short) 0);
    return this;
  }

  private ByteBuffer view() {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
