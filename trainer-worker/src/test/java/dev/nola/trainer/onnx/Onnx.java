package dev.nola.trainer.onnx;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Bytes of ONNX files. Protobuf merges messages, so that a graph written after a file adds to the
 * graph in it.
 */
final class Onnx {
  static final int FLOAT = 1;
  static final int INT8 = 3;
  static final int FLOAT16 = 10;

  /** Writes fields. */
  interface Fields {
    void to(CodedOutputStream out) throws IOException;
  }

  private Onnx() {}

  /** Returns a file of the test resources. */
  static byte[] fixture(String name) throws IOException {
    return Files.readAllBytes(Path.of("src/test/resources/onnx", name));
  }

  /** Returns a file followed by a graph of these parts. */
  static byte[] with(byte[] file, byte[]... parts) {
    byte[] graph =
        message(
            out -> {
              for (byte[] part : parts) {
                out.writeRawBytes(part);
              }
            });
    return message(
        out -> {
          out.writeRawBytes(file);
          out.writeByteArray(7, graph);
        });
  }

  static byte[] node(String type, List<String> inputs, String output) {
    return node(type, inputs, output, _ -> {});
  }

  static byte[] node(String type, List<String> inputs, String output, Fields more) {
    byte[] node =
        message(
            out -> {
              for (String input : inputs) {
                out.writeString(1, input);
              }
              out.writeString(2, output);
              out.writeString(4, type);
              more.to(out);
            });
    return message(out -> out.writeByteArray(1, node));
  }

  /** Returns an attribute of a node. */
  static Fields attribute(String name, float value) {
    byte[] attribute =
        message(
            out -> {
              out.writeString(1, name);
              out.writeFloat(2, value);
            });
    return out -> out.writeByteArray(5, attribute);
  }

  /** Returns an initializer with a number of zero bytes. */
  static byte[] initializer(String name, int type, List<Long> shape, int bytes) {
    return initializer(name, type, shape, bytes, _ -> {});
  }

  static byte[] initializer(String name, int type, List<Long> shape, int bytes, Fields more) {
    byte[] tensor =
        message(
            out -> {
              for (long size : shape) {
                out.writeInt64(1, size);
              }
              out.writeInt32(2, type);
              out.writeString(8, name);
              out.writeByteArray(9, new byte[bytes]);
              more.to(out);
            });
    return message(out -> out.writeByteArray(5, tensor));
  }

  /** Returns a key with a value. */
  static byte[] entry(String key, String value) {
    return message(
        out -> {
          out.writeString(1, key);
          out.writeString(2, value);
        });
  }

  static byte[] message(Fields fields) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      fields.to(out);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** Replaces all occurrences of a text by another of the same length. */
  static byte[] replaced(byte[] file, String text, String by) {
    if (text.length() != by.length()) {
      throw new IllegalArgumentException(text + " and " + by + " must have one length");
    }
    String content = new String(file, StandardCharsets.ISO_8859_1);
    if (!content.contains(text)) {
      throw new IllegalArgumentException("there is no " + text);
    }
    return content.replace(text, by).getBytes(StandardCharsets.ISO_8859_1);
  }
}
