package dev.nola.trainer.onnx;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import dev.nola.trainer.onnx.OnnxFile.Attribute;
import dev.nola.trainer.onnx.OnnxFile.Node;
import dev.nola.trainer.onnx.OnnxFile.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads the protobuf of an ONNX file into its nodes and initializers. */
final class OnnxReader {
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
  private static final int NODE_METADATA = 9 << 3 | BYTES;
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
  private static final int TENSOR_EXTERNAL_DATA = 13 << 3 | BYTES;
  private static final int TENSOR_DATA_LOCATION = 14 << 3 | VARINT;

  private static final int ENTRY_KEY = 1 << 3 | BYTES;
  private static final int ENTRY_VALUE = 2 << 3 | BYTES;

  /** Key of PyTorch's exporter for the modules around an operation, and then the operation. */
  private static final String SCOPES = "pkg.torch.onnx.name_scopes";

  private static final Pattern QUOTED = Pattern.compile("'([^']*)'");

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

  /** Reads a field whose tag was read, or returns false without reading it. */
  private interface Fields {
    boolean read(int tag) throws IOException;
  }

  private final OnnxFile file;
  private final CodedInputStream in;
  private final MemorySegment mapped;
  private final ExternalData external;
  private long room = MAX_GRAPH_BYTES;

  OnnxReader(OnnxFile file, CodedInputStream in, MemorySegment mapped, ExternalData external) {
    this.file = file;
    this.external = external;
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
      throw file.invalid("not a valid ONNX file: it has no graph");
    }
  }

  private boolean graph(int tag) throws IOException {
    switch (tag) {
      case GRAPH_NODE -> file.nodes().add(node());
      case GRAPH_INITIALIZER -> {
        Tensor tensor = tensor();
        if (file.initializers().put(tensor.name(), tensor) != null) {
          throw file.invalid("duplicate initializer %s", tensor.name());
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
    Map<String, String> metadata = new HashMap<>();
    message(
        tag -> {
          switch (tag) {
            case NODE_INPUT -> inputs.add(text());
            case NODE_OUTPUT -> outputs.add(text());
            case NODE_OP_TYPE -> type[0] = text();
            case NODE_ATTRIBUTE -> attribute(attributes);
            case NODE_METADATA -> entry(metadata);
            default -> {
              return false;
            }
          }
          return true;
        });
    return new Node(
        type[0], inputs, outputs, attributes, module(metadata.getOrDefault(SCOPES, "")));
  }

  /** Returns the innermost module of a list of scopes; empty if absent. */
  private static String module(String scopes) {
    List<String> names =
        QUOTED.matcher(scopes).results().map((MatchResult quoted) -> quoted.group(1)).toList();
    return names.size() < 2 ? "" : names.get(names.size() - 2);
  }

  /** Reads a key with a value. */
  private void entry(Map<String, String> entries) throws IOException {
    String[] entry = {"", ""};
    message(
        tag -> {
          switch (tag) {
            case ENTRY_KEY -> entry[0] = text();
            case ENTRY_VALUE -> entry[1] = text();
            default -> {
              return false;
            }
          }
          return true;
        });
    entries.put(entry[0], entry[1]);
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
    Map<String, String> location = new HashMap<>();
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
            case TENSOR_EXTERNAL_DATA -> entry(location);
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
    if (found.external) {
      found.data = external.segment(found.name, location);
    }
    return new Tensor(found.name, type, shape, found.data, integers);
  }

  private void message(Fields reader) throws IOException {
    int outer = in.pushLimit(in.readRawVarint32());
    fields(reader);
    if (in.getBytesUntilLimit() != 0) {
      throw file.invalid("not a valid ONNX file: it ends inside a message");
    }
    in.popLimit(outer);
  }

  private void fields(Fields reader) throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (!reader.read(tag) && !in.skipField(tag)) {
        throw file.invalid("not a valid ONNX file");
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
      throw file.invalid("graph needs more than %,d bytes, the limit", MAX_GRAPH_BYTES);
    }
  }
}
