package dev.nola.trainer.onnx;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
  /** Heap memory that a graph may use; that of a large encoder uses a hundredth of it. */
  private static final long MAX_GRAPH_BYTES = 64 << 20;

  /** Rough size of an object with a list or two. */
  private static final int OBJECT_BYTES = 100;

  private static final int VARINT = WireFormat.WIRETYPE_VARINT;
  private static final int BYTES = WireFormat.WIRETYPE_LENGTH_DELIMITED;
  private static final int FIXED32 = WireFormat.WIRETYPE_FIXED32;

  private static final int MODEL_GRAPH = 7 << 3 | BYTES;
  private static final int GRAPH_NODE = 1 << 3 | BYTES;
  private static final int GRAPH_INITIALIZER = 5 << 3 | BYTES;
  private static final int NODE_INPUT = 1 << 3 | BYTES;
  private static final int NODE_OUTPUT = 2 << 3 | BYTES;
  private static final int NODE_OP_TYPE = 4 << 3 | BYTES;
  private static final int NODE_ATTRIBUTE = 5 << 3 | BYTES;
  private static final int ATTRIBUTE_NAME = 1 << 3 | BYTES;
  private static final int ATTRIBUTE_F = 2 << 3 | FIXED32;
  private static final int ATTRIBUTE_I = 3 << 3 | VARINT;
  private static final int ATTRIBUTE_S = 4 << 3 | BYTES;
  private static final int ATTRIBUTE_T = 5 << 3 | BYTES;
  private static final int TENSOR_DIMS = 1 << 3 | VARINT;
  private static final int TENSOR_DIMS_PACKED = 1 << 3 | BYTES;
  private static final int TENSOR_DATA_TYPE = 2 << 3 | VARINT;
  private static final int TENSOR_FLOAT_DATA_PACKED = 4 << 3 | BYTES;
  private static final int TENSOR_INT64_DATA = 7 << 3 | VARINT;
  private static final int TENSOR_INT64_DATA_PACKED = 7 << 3 | BYTES;
  private static final int TENSOR_NAME = 8 << 3 | BYTES;
  private static final int TENSOR_RAW_DATA = 9 << 3 | BYTES;
  private static final int TENSOR_DATA_LOCATION = 14 << 3 | VARINT;

  private static final List<String> TYPES =
      List.of(
          "UNDEFINED",
          "FLOAT",
          "UINT8",
          "INT8",
          "UINT16",
          "INT16",
          "INT32",
          "INT64",
          "STRING",
          "BOOL",
          "FLOAT16",
          "DOUBLE",
          "UINT32",
          "UINT64",
          "COMPLEX64",
          "COMPLEX128",
          "BFLOAT16");

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
   */
  record Node(
      String type, List<String> inputs, List<String> outputs, Map<String, Attribute> attributes) {
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
   * @param external whether its elements are in another file
   */
  record Tensor(
      String name,
      String type,
      List<Long> shape,
      MemorySegment data,
      List<Long> integers,
      boolean external) {
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
      file.new Reader(CodedInputStream.newInstance(bytes), mapped).model();
      return file;
    } catch (InvalidProtocolBufferException e) {
      file.close();
      throw new InvalidOnnxException(path, "not a valid ONNX file", e);
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
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

  /** Reads a field whose tag was read, or returns false without reading it. */
  private interface Fields {
    boolean read(int tag) throws IOException;
  }

  /** Reads the protobuf of the file. */
  private final class Reader {
    private final CodedInputStream in;
    private final MemorySegment mapped;
    private long room = MAX_GRAPH_BYTES;

    Reader(CodedInputStream in, MemorySegment mapped) {
      this.in = in;
      this.mapped = mapped;
    }

    void model() throws IOException {
      boolean[] found = {false};
      fields(
          tag -> {
            if (tag != MODEL_GRAPH) {
              return false;
            }
            found[0] = true;
            message(this::graph);
            return true;
          });
      if (!found[0]) {
        throw invalid("not a valid ONNX file: it has no graph");
      }
    }

    private boolean graph(int tag) throws IOException {
      switch (tag) {
        case GRAPH_NODE -> nodes.add(node());
        case GRAPH_INITIALIZER -> {
          Tensor tensor = tensor();
          if (initializers.put(tensor.name, tensor) != null) {
            throw invalid("duplicate initializer %s", tensor.name);
          }
        }
        default -> {
          return false;
        }
      }
      return true;
    }

    private Node node() throws IOException {
      useMemory(OBJECT_BYTES);
      String[] type = {""};
      List<String> inputs = new ArrayList<>();
      List<String> outputs = new ArrayList<>();
      Map<String, Attribute> attributes = new HashMap<>();
      message(
          tag -> {
            switch (tag) {
              case NODE_INPUT -> inputs.add(text());
              case NODE_OUTPUT -> outputs.add(text());
              case NODE_OP_TYPE -> type[0] = text();
              case NODE_ATTRIBUTE -> attribute(attributes);
              default -> {
                return false;
              }
            }
            return true;
          });
      return new Node(type[0], inputs, outputs, attributes);
    }

    private void attribute(Map<String, Attribute> attributes) throws IOException {
      useMemory(OBJECT_BYTES);
      var found =
          new Object() {
            String name = "";
            float number;
            long integer;
            String text = "";
            @Nullable Tensor tensor;
          };
      message(
          tag -> {
            switch (tag) {
              case ATTRIBUTE_NAME -> found.name = text();
              case ATTRIBUTE_F -> found.number = in.readFloat();
              case ATTRIBUTE_I -> found.integer = in.readInt64();
              case ATTRIBUTE_S -> found.text = text();
              case ATTRIBUTE_T -> found.tensor = tensor();
              default -> {
                return false;
              }
            }
            return true;
          });
      attributes.put(
          found.name, new Attribute(found.number, found.integer, found.text, found.tensor));
    }

    private Tensor tensor() throws IOException {
      useMemory(OBJECT_BYTES);
      List<Long> shape = new ArrayList<>();
      List<Long> integers = new ArrayList<>();
      var found =
          new Object() {
            String name = "";
            int type;
            MemorySegment data = MemorySegment.NULL;
            boolean external;
          };
      message(
          tag -> {
            switch (tag) {
              case TENSOR_DIMS -> integer(shape);
              case TENSOR_DIMS_PACKED -> packed(shape);
              case TENSOR_DATA_TYPE -> found.type = in.readInt32();
              case TENSOR_FLOAT_DATA_PACKED, TENSOR_RAW_DATA -> found.data = mappedBytes();
              case TENSOR_INT64_DATA -> integer(integers);
              case TENSOR_INT64_DATA_PACKED -> packed(integers);
              case TENSOR_NAME -> found.name = text();
              case TENSOR_DATA_LOCATION -> found.external = in.readEnum() != 0;
              default -> {
                return false;
              }
            }
            return true;
          });
      String type =
          found.type >= 0 && found.type < TYPES.size()
              ? TYPES.get(found.type)
              : "number " + found.type;
      return new Tensor(found.name, type, shape, found.data, integers, found.external);
    }

    private void message(Fields reader) throws IOException {
      int outer = in.pushLimit(in.readRawVarint32());
      fields(reader);
      if (in.getBytesUntilLimit() != 0) {
        throw invalid("not a valid ONNX file: it ends inside a message");
      }
      in.popLimit(outer);
    }

    private void fields(Fields reader) throws IOException {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (!reader.read(tag) && !in.skipField(tag)) {
          throw invalid("not a valid ONNX file");
        }
      }
    }

    /** Skips bytes, and returns them in the mapped file. */
    private MemorySegment mappedBytes() throws IOException {
      int length = in.readRawVarint32();
      int offset = in.getTotalBytesRead();
      in.skipRawBytes(length);
      return mapped.asSlice(offset, length);
    }

    private String text() throws IOException {
      int length = in.readRawVarint32();
      useMemory(OBJECT_BYTES + (long) length);
      return new String(in.readRawBytes(length), StandardCharsets.UTF_8);
    }

    private void packed(List<Long> values) throws IOException {
      int outer = in.pushLimit(in.readRawVarint32());
      while (in.getBytesUntilLimit() > 0) {
        integer(values);
      }
      in.popLimit(outer);
    }

    private void integer(List<Long> values) throws IOException {
      useMemory(Long.BYTES * 3);
      values.add(in.readInt64());
    }

    private void useMemory(long bytes) throws InvalidOnnxException {
      room -= bytes;
      if (room < 0) {
        throw invalid("graph needs more than %,d bytes, the limit", MAX_GRAPH_BYTES);
      }
    }
  }
}
