package dev.nola.trainer.onnx;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.nola.client.safetensors.ForeignContainer;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * The weights of an ONNX file and the graph that uses them. The rest of the file, and graphs inside
 * nodes, are skipped.
 *
 * <p>The protobuf is read field by field: classes generated from onnx.proto would hold all weights
 * on the heap, and make a hundred bytes of each byte of a hostile file. Here weights stay in the
 * mapped file, and the graph's memory is limited. Field numbers are those of onnx.proto (IR version
 * 3 and later).
 */
final class OnnxFile implements AutoCloseable {
  /** Tag of the version of the format, which writers put first. */
  private static final int VERSION = 8;

  private final Path path;
  private final Arena arena = Arena.ofConfined();
  private final List<Node> nodes = new ArrayList<>();
  private final SequencedMap<String, Tensor> initializers = new LinkedHashMap<>();

  /**
   * An operation.
   *
   * @param type name of the operator
   * @param inputs names of the values that it uses
   * @param outputs names of the values that it computes
   * @param attributes its attributes by name
   * @param module path of the module that it was exported from; empty if the file does not say
   */
  record Node(
      String type,
      List<String> inputs,
      List<String> outputs,
      Map<String, Attribute> attributes,
      String module) {
    private static final Attribute ABSENT = new Attribute(0, 0, "", null);

    /** Returns an attribute, or one of zeros and an empty text if the operation has none. */
    Attribute attribute(String name) {
      return attributes.getOrDefault(name, ABSENT);
    }

    /** Returns the number of an attribute, or a default if the operation has none. */
    float number(String name, float fallback) {
      return attributes.containsKey(name) ? attribute(name).number() : fallback;
    }

    /** Returns whether a switch is on; absent ones are off. */
    boolean isSet(String name) {
      return attribute(name).integer() != 0;
    }
  }

  /** The value of an attribute: one of the components; the others are 0, empty or null. */
  record Attribute(float number, long integer, String text, @Nullable Tensor tensor) {}

  /**
   * A constant.
   *
   * @param name its name
   * @param type type of the elements, as in onnx.proto
   * @param shape size of each dimension
   * @param data elements of type FLOAT, little-endian; for another type whatever was found
   * @param integers elements of type INT64 that were not stored as {@code data}
   */
  record Tensor(
      String name, String type, List<Long> shape, MemorySegment data, List<Long> integers) {
    static final String FLOAT = "FLOAT";
    static final String INT64 = "INT64";
  }

  private OnnxFile(Path path) {
    this.path = path;
  }

  /**
   * Opens a file.
   *
   * @throws InvalidOnnxException if it is not a valid ONNX file
   * @throws IOException if it cannot be read
   */
  static OnnxFile open(Path path) throws IOException {
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new FileSystemException(path.toString(), null, "not a regular file");
    }
    OnnxFile file = new OnnxFile(path);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        InputStream bytes = Files.newInputStream(path)) {
      if (channel.size() > Integer.MAX_VALUE) {
        throw new InvalidOnnxException(
            path,
            String.format(Locale.ROOT, "has %,d bytes; must have less than 2 GiB", channel.size()));
      }
      MemorySegment mapped =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), file.arena);
      Optional<String> foreign =
          beginsWithVersion(mapped) ? Optional.empty() : ForeignContainer.describe(mapped);
      if (foreign.isPresent()) {
        throw new InvalidOnnxException(path, foreign.get());
      }
      CodedInputStream in = CodedInputStream.newInstance(bytes);
      new OnnxReader(file, in, mapped, new ExternalData(path, file.arena)).model();
      return file;
    } catch (InvalidProtocolBufferException e) {
      file.close();
      throw new InvalidOnnxException(path, "not a valid ONNX file", e);
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static boolean beginsWithVersion(MemorySegment mapped) {
    return mapped.byteSize() > 0 && mapped.get(ValueLayout.JAVA_BYTE, 0) == VERSION;
  }

  Path path() {
    return path;
  }

  /** Returns the operations in an order in which they can be executed. */
  List<Node> nodes() {
    return nodes;
  }

  /** Returns constants of the graph by name, such as weights. */
  SequencedMap<String, Tensor> initializers() {
    return initializers;
  }

  InvalidOnnxException invalid(String rule, Object... values) {
    return new InvalidOnnxException(path, rule.formatted(values));
  }

  @Override
  public void close() {
    arena.close();
  }
}
