package dev.nola.trainer.training;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * A TensorBoard event file: records of TensorFlow's {@code Event} message, each with its length and
 * checksums. Only numbers are written.
 */
final class EventFile {
  private static final int MASK_DELTA = 0xa282ead8;
  private static final double MILLIS = 1e3;

  private static final int EVENT_TIME = 1;
  private static final int EVENT_STEP = 2;
  private static final int EVENT_VERSION = 3;
  private static final int EVENT_SUMMARY = 5;
  private static final int SUMMARY_VALUE = 1;
  private static final int VALUE_TAG = 1;
  private static final int VALUE_NUMBER = 2;

  private final Path path;

  private EventFile(Path path) {
    this.path = path;
  }

  /** Creates the file, in place of one that is there. */
  static EventFile create(Path path) throws IOException {
    EventFile file = new EventFile(path);
    Files.write(path, new byte[0]);
    file.append(
        message(
            event -> {
              event.writeDouble(EVENT_TIME, now());
              event.writeString(EVENT_VERSION, "brain.Event:2");
            }));
    return file;
  }

  /**
   * Appends the numbers of a step.
   *
   * @param step number of the step
   * @param numbers the numbers by tag, each with its group: {@code loss/train}
   */
  void append(long step, Map<String, Double> numbers) throws IOException {
    append(
        message(
            event -> {
              event.writeDouble(EVENT_TIME, now());
              event.writeInt64(EVENT_STEP, step);
              event.writeByteArray(EVENT_SUMMARY, summary(numbers));
            }));
  }

  private static byte[] summary(Map<String, Double> numbers) throws IOException {
    return message(
        summary -> {
          for (Map.Entry<String, Double> number : numbers.entrySet()) {
            summary.writeByteArray(
                SUMMARY_VALUE,
                message(
                    value -> {
                      value.writeString(VALUE_TAG, number.getKey());
                      value.writeFloat(VALUE_NUMBER, number.getValue().floatValue());
                    }));
          }
        });
  }

  private static double now() {
    return System.currentTimeMillis() / MILLIS;
  }

  private void append(byte[] event) throws IOException {
    ByteBuffer record = ByteBuffer.allocate(16 + event.length).order(ByteOrder.LITTLE_ENDIAN);
    record.putLong(event.length);
    record.putInt(maskedChecksum(record.array(), Long.BYTES));
    record.put(event);
    record.putInt(maskedChecksum(event, event.length));
    Files.write(path, record.array(), StandardOpenOption.APPEND);
  }

  private static int maskedChecksum(byte[] bytes, int length) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, 0, length);
    return Integer.rotateRight((int) checksum.getValue(), 15) + MASK_DELTA;
  }

  /** Writes the fields of a message. */
  private interface Fields {
    void write(CodedOutputStream out) throws IOException;
  }

  private static byte[] message(Fields fields) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    fields.write(out);
    out.flush();
    return bytes.toByteArray();
  }
}
