package dev.nola.vectors;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32C;

/** The bytes of a file, to be spoiled with care: every change is followed by a fitting checksum. */
final class RawFile {
  static final int HEADER = 32;

  private byte[] bytes;

  RawFile(byte[] bytes) {
    this.bytes = bytes.clone();
  }

  byte[] bytes() {
    return bytes;
  }

  /** The file with the checksum that its bytes ask for. */
  byte[] checksummed() {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, bytes.length - 4);
    view().putInt(bytes.length - 4, (int) crc.getValue());
    return bytes;
  }

  RawFile set(int at, int value) {
    bytes[at] = (byte) value;
    return this;
  }

  RawFile u32(int at, int value) {
    view().putInt(at, value);
    return this;
  }

  RawFile u64(int at, long value) {
    view().putLong(at, value);
    return this;
  }

  int u32(int at) {
    return view().getInt(at);
  }

  /** Inserts bytes without touching any length. */
  RawFile insert(int at, byte... more) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(bytes, 0, at);
    out.writeBytes(more);
    out.write(bytes, at, bytes.length - at);
    bytes = out.toByteArray();
    return this;
  }

  /** Puts another codes section in place, and its length into the header. */
  RawFile replaceCodes(byte[] codes) {
    int start = codesStart();
    int end = denseStart();
    byte[] before = bytes;
    bytes = Arrays.copyOf(before, start);
    insert(start, codes);
    insert(bytes.length, Arrays.copyOfRange(before, end, before.length));
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

  /** Position of the manifest's root table. */
  int root() {
    return HEADER + u32(HEADER);
  }

  /** Position of a field of a table. */
  int field(int table, int id) {
    int at = Short.toUnsignedInt(view().getShort(vtableEntry(table, id)));
    if (at == 0) {
      throw new IllegalArgumentException("field " + id + " is absent");
    }
    return table + at;
  }

  /** Position of the vtable's entry for a field. */
  int vtableEntry(int table, int id) {
    return table - u32(table) + 4 + 2 * id;
  }

  /** Where an offset leads. */
  int follow(int at) {
    return at + u32(at);
  }

  /** Position of element i of a vector of tables that field {@code id} of the root leads to. */
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
