package dev.nola.trainer.training;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * A TensorBoard event file: records of TensorFlow's {@code Event} message, each with its length and
 * checksums. Only numbers are written.
 */
final class EventFile {
  private static final int MASK_DELTA = 0xa282ead8;
  private static final double MILLIS = 1e3;

  // Wire types of Protocol Buffers.
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private final Path path;

  private EventFile(Path path) {
    this.path = path;
  }

  /** Creates the file, in place of one that is there. */
  static EventFile create(Path path) throws IOException {
    EventFile file = new EventFile(path);
    Files.write(path, new byte[0]);
    Message event = new Message();
    event.fixed64(1, Double.doubleToLongBits(now()));
    event.bytes(3, "brain.Event:2".getBytes(StandardCharsets.US_ASCII));
    file.append(event);
    return file;
  }

  /**
   * Appends a number.
   *
   * @param tag what the number is, with its group: {@code loss/train}
   * @param step number of the step
   * @param value the number
   */
  void scalar(String tag, long step, double value) throws IOException {
    Message number = new Message();
    number.bytes(1, tag.getBytes(StandardCharsets.UTF_8));
    number.fixed32(2, Float.floatToIntBits((float) value));
    Message summary = new Message();
    summary.bytes(1, number.toByteArray());
    Message event = new Message();
    event.fixed64(1, Double.doubleToLongBits(now()));
    event.varint(2, step);
    event.bytes(5, summary.toByteArray());
    append(event);
  }

  private static double now() {
    return System.currentTimeMillis() / MILLIS;
  }

  private void append(Message event) throws IOException {
    byte[] data = event.toByteArray();
    ByteBuffer record = ByteBuffer.allocate(16 + data.length).order(ByteOrder.LITTLE_ENDIAN);
    record.putLong(data.length);
    record.putInt(maskedChecksum(record.array(), Long.BYTES));
    record.put(data);
    record.putInt(maskedChecksum(data, data.length));
    Files.write(path, record.array(), StandardOpenOption.APPEND);
  }

  private static int maskedChecksum(byte[] bytes, int length) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, 0, length);
    return Integer.rotateRight((int) checksum.getValue(), 15) + MASK_DELTA;
  }

  /** A message of Protocol Buffers. */
  private static final class Message {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    byte[] toByteArray() {
      return out.toByteArray();
    }

    void varint(int field, long value) {
      number((long) field << 3 | VARINT);
      number(value);
    }

    void fixed64(int field, long value) {
      number((long) field << 3 | FIXED64);
      out.writeBytes(
          ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    }

    void fixed32(int field, int value) {
      number((long) field << 3 | FIXED32);
      out.writeBytes(
          ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    }

    void bytes(int field, byte[] value) {
      number((long) field << 3 | BYTES);
      number(value.length);
      out.writeBytes(value);
    }

    private void number(long value) {
      long rest = value;
      while ((rest & ~0x7FL) != 0) {
        out.write((int) (rest & 0x7F | 0x80));
        rest >>>= 7;
      }
      out.write((int) rest);
    }
  }
}
