package dev.nola.vectors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Files with many equal tables, each with a vtable and a name of its own. Their manifests are not
 * canonical, but can be decoded: nothing in them is shared.
 */
final class RepeatedTables {
  private static final int RECORD = 44;
  private static final int TABLE = 20;

  private RepeatedTables() {}

  /** Groups of no layer. */
  static byte[] groups(int count) {
    return file(1, -1, count, new int[] {4, 8, 0, 12, 16}, 1, 1, 0);
  }

  static byte[] denseTensors(int count) {
    return file(2, -1, count, new int[] {4}, 0, 0, 0);
  }

  /**
   * @param list 3 tags, 4 metrics, 5 provenance
   */
  static byte[] metadata(int list, int count) {
    return file(5, list, count, list == 4 ? new int[] {0, 4} : new int[] {4}, 0, 0, 0);
  }

  /**
   * @param fields where each field is in a table; the name is at 4
   * @param numbers what is at 8, 12 and 16
   */
  private static byte[] file(int rootField, int list, int count, int[] fields, int... numbers) {
    // The root table is first: its vtable, the table with one offset, generator and digest; then
    // perhaps the table Metadata with its vtable; then the vector, then the records.
    int root = 4 + 20;
    int metadata = root + 4 + 4 + 4 + 32;
    int vector = list < 0 ? metadata : metadata + 16 + 8;
    int records = vector + 4 + 4 * count;
    int length = records + RECORD * count;
    ByteBuffer out =
        ByteBuffer.allocate(RawFile.HEADER + length + 4).order(ByteOrder.LITTLE_ENDIAN);
    out.put(new byte[] {'N', 'O', 'L', 'A', 1, 0, 0, 0}).position(12);
    out.putInt(length).position(RawFile.HEADER);
    out.putInt(root);
    short[] entries = new short[8];
    entries[rootField] = 4;
    entries[6] = 8;
    entries[7] = 12;
    out.putShort((short) 20).putShort((short) 44);
    for (short entry : entries) {
      out.putShort(entry);
    }
    out.putInt(20).putInt((list < 0 ? vector : metadata + 16) - (root + 4));
    out.put((byte) 3).put(new byte[3 + 32]);
    if (list >= 0) {
      out.putShort((short) (4 + 2 * (list + 1))).putShort((short) 8);
      for (int id = 0; id < 6; id++) {
        out.putShort((short) (id == list ? 4 : 0));
      }
      out.putInt(16).putInt(vector - (metadata + 16 + 4));
    }
    out.putInt(count);
    for (int i = 0; i < count; i++) {
      out.putInt(records + RECORD * i + 16 - (vector + 4 + 4 * i));
    }
    for (int i = 0; i < count; i++) {
      int start = out.position();
      out.putShort((short) (4 + 2 * fields.length)).putShort((short) TABLE);
      for (int field : fields) {
        out.putShort((short) field);
      }
      out.position(start + 16);
      out.putInt(16).putInt(16);
      for (int number : numbers) {
        out.putInt(number);
      }
      out.position(start + RECORD);
    }
    return new RawFile(out.array()).checksummed();
  }
}
