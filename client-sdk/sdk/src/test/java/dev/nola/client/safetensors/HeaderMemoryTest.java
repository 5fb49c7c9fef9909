package dev.nola.client.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.LimitExceededException;
import dev.nola.reconstruct.Budget;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Headers of very many tensors, read with little memory: refused before they are read, or read, but
 * never the cause of an {@code OutOfMemoryError}.
 */
class HeaderMemoryTest {
  @TempDir private Path folder;

  /** Opens a file in a process of its own; with a length of entries it first writes the largest. */
  static final class Opening {
    private Opening() {}

    public static void main(String[] args) throws IOException {
      Path path = Path.of(args[0]);
      if (args.length > 1) {
        int entryBytes = Integer.parseInt(args[1]);
        long largest = Budget.standard().memoryBytes() / SafetensorsFile.HEAP_PER_HEADER;
        if (entryBytes > 0) {
          write(path, (int) (largest / entryBytes) - 1, entryBytes);
        } else {
          writeShape(path, (int) (largest - 100));
        }
      }
      try (SafetensorsFile file = SafetensorsFile.open(path)) {
        System.out.println("opened with " + file.tensors().size() + " tensors");
      } catch (LimitExceededException e) {
        System.out.println("refused: " + e.getMessage());
      } catch (InvalidModelException e) {
        System.out.println("invalid: " + e.getMessage());
      } catch (OutOfMemoryError e) {
        System.out.println(e);
      }
    }
  }

  private String open(int heapMegabytes, String... args) throws Exception {
    Path out = folder.resolve("out");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx" + heapMegabytes + "m", "-XX:+UseSerialGC"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Opening.class.getName()));
    command.addAll(List.of(args));
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile()).start();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("does not end");
    }
    return Files.readString(out).strip();
  }

  /** Writes empty tensors, whose entries in the header are padded to the same length. */
  private static void write(Path path, int tensors, int entryBytes) throws IOException {
    try (BufferedWriter out = Files.newBufferedWriter(path, StandardCharsets.US_ASCII)) {
      out.write("\0".repeat(Long.BYTES) + "{");
      for (int i = 0; i < tensors; i++) {
        String end = "\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}";
        String name = (i == 0 ? "\"" : ",\"") + i;
        out.write(name + "x".repeat(Math.max(0, entryBytes - name.length() - end.length())) + end);
      }
      out.write("}");
    }
    writeLength(path);
  }

  /** Writes one tensor of very many dimensions, whose product is beyond every limit. */
  private static void writeShape(Path path, int bytes) throws IOException {
    try (BufferedWriter out = Files.newBufferedWriter(path, StandardCharsets.US_ASCII)) {
      out.write("\0".repeat(Long.BYTES) + "{\"a\":{\"dtype\":\"F32\",\"shape\":[128");
      for (int i = 0; i < bytes / 4; i++) {
        out.write(",128");
      }
      out.write("],\"data_offsets\":[0,0]}}");
    }
    writeLength(path);
  }

  private static void writeLength(Path path) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      length.putLong(0, file.length() - Long.BYTES);
      file.write(length.array());
    }
  }

  @Test
  void headerOf94Megabytes_isRefusedBeforeItIsRead() throws Exception {
    Path file = folder.resolve("model.safetensors");
    write(file, 750_000, 125);
    long header = Files.size(file) - Long.BYTES;

    String outcome = open(256, file.toString());

    assertThat(header).isBetween(93_000_000L, 95_000_000L);
    assertThat(outcome)
        .startsWith("refused: " + file + " has a header of %,d bytes, for which ".formatted(header))
        .contains("bytes of memory are needed; limit is ");
  }

  @Test
  void largestHeaderOfOneShapeThatIsAccepted_isReadAndRefusedInASentence() throws Exception {
    assertThat(open(64, folder.resolve("model.safetensors").toString(), "0"))
        .startsWith("invalid: ")
        .contains("tensor a of shape [128, 128, ")
        .hasSizeLessThan(1_200);
  }

  @ParameterizedTest
  @ValueSource(ints = {57, 125, 1000})
  void largestHeaderThatIsAccepted_isRead(int entryBytes) throws Exception {
    String outcome =
        open(64, folder.resolve("model.safetensors").toString(), Integer.toString(entryBytes));

    assertThat(outcome).startsWith("opened with ").endsWith(" tensors");
  }
}
