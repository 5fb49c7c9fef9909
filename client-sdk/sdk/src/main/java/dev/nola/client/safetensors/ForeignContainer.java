package dev.nola.client.safetensors;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** Formats that users pass in place of safetensors, recognized by first bytes or by name. */
public enum ForeignContainer {
  /** A model of llama.cpp. */
  GGUF(
      "GGUF",
      ".gguf",
      "a GGUF file, the format of llama.cpp",
      "convert it with: nola dequantize FILE -o DIR"),
  /** What Git LFS leaves in place of a file that was not downloaded. */
  LFS_POINTER(
      "version https://git-lfs",
      "",
      "a Git LFS pointer, not the file that it points to",
      "download that with: git lfs pull"),
  /** A web page, as of an error or a login. */
  HTML_DOCTYPE("<!doctype html", "", "an HTML page", Remedy.DOWNLOAD),
  /** A web page without a type. */
  HTML("<html", "", "an HTML page", Remedy.DOWNLOAD),
  /** An error of an object store. */
  XML("<?xml", "", "an XML document", Remedy.DOWNLOAD),
  /** A pickle of PyTorch since 1.6, or another archive. */
  ZIP("PK\3\4", ".pt", "a ZIP archive, such as a PyTorch pickle (.bin, .pt)", Remedy.SAVE),
  /** A pickle of PyTorch before 1.6. */
  TORCH("\u0080\2\u008A\n", ".bin", "a PyTorch pickle (.bin, .pt)", Remedy.SAVE),
  /** A pickle of protocol 2. */
  PICKLE("\u0080\2", ".pth", "a Python pickle", Remedy.SAVE),
  /** A pickle of protocol 4. */
  NEWER_PICKLE("\u0080\4\u0095", ".pkl", "a Python pickle", Remedy.SAVE),
  /** A pickle of protocol 5. */
  CHECKPOINT("\u0080\5\u0095", ".ckpt", "a Python pickle", Remedy.SAVE),
  /** Weights of Keras. */
  HDF5("\u0089HDF", ".h5", "an HDF5 file of Keras or TensorFlow", Remedy.SAVE),
  /** Weights of NumPy. */
  NUMPY("\u0093NUMPY", ".npz", "a NumPy array", Remedy.SAVE),
  /** Weights of Flax. */
  FLAX("\u0081\u00A6params", ".msgpack", "weights of Flax", Remedy.SAVE),
  /** A graph of ONNX. */
  ONNX(
      "\b", // followed by a version
      ".onnx",
      "an ONNX file",
      "an encoder can be converted with: nola import-onnx FILE -o DIR"),
  /** A compressed file. */
  GZIP("\37\u008B", ".gz", "a gzip file", "unpack it"),
  /** An adapter of this project. */
  ADAPTER(
      "NOLA",
      ".nola",
      "a Nola adapter, not a model",
      "pass it as the adapter, and the model that it was made for as the base"),
  /** A file that was allocated, but never written. */
  ZEROS("\0\0\0\0\0\0\0\0\0", "", "all zeros, like an interrupted download", Remedy.DOWNLOAD);

  /** Tags of the fields that follow the version: producer, graph and operators. */
  private static final String ONNX_FIELDS = "\22:B";

  /** Bytes by which a file is recognized. */
  private static final int START = 512;

  /** Longest beginning of a text that a message repeats. */
  private static final int EXCERPT = 60;

  private final String magic;
  private final String extension;
  private final String description;
  private final String remedy;

  /** Remedies of several kinds. */
  private static final class Remedy {
    static final String DOWNLOAD = "download the file again, with a token if it needs one";
    static final String SAVE =
        "download the model's safetensors, or save it again with save_pretrained of Transformers";
  }

  ForeignContainer(String magic, String extension, String description, String remedy) {
    this.magic = magic;
    this.extension = extension;
    this.description = description;
    this.remedy = remedy;
  }

  /**
   * Describes a file that does not begin as a safetensors file does.
   *
   * @param file all bytes of the file
   * @return what it is and the remedy, as a predicate; empty if it may be safetensors, or its
   *     format is unknown
   */
  public static Optional<String> describe(MemorySegment file) {
    if (file.byteSize() == 0) {
      return Optional.of("is empty; " + Remedy.DOWNLOAD);
    }
    String start =
        new String(
            file.asSlice(0, Math.min(file.byteSize(), START)).toArray(ValueLayout.JAVA_BYTE),
            StandardCharsets.ISO_8859_1);
    if (start.startsWith("\0\0{", 6)) {
      return Optional.empty();
    }
    for (ForeignContainer kind : values()) {
      if (kind.begins(start)) {
        return Optional.of(kind.predicate());
      }
    }
    return start.length() > 8 && start.matches("[\\x20-\\x7E\\s]+")
        ? Optional.of(
            "is a text, \"%s\"; %s"
                .formatted(
                    start.strip().lines().findFirst().map(ForeignContainer::cut).orElse(""),
                    Remedy.DOWNLOAD))
        : Optional.empty();
  }

  /**
   * Describes the weights of a folder that has none in safetensors.
   *
   * @param folder the folder
   * @return the name of the first file of weights, what it is and the remedy; empty if none has a
   *     known format
   * @throws IOException if the folder cannot be read
   */
  static Optional<String> describe(Path folder) throws IOException {
    List<String> names;
    try (Stream<Path> entries = Files.list(folder)) {
      names = entries.map(entry -> entry.getFileName().toString()).sorted().toList();
    }
    for (String name : names) {
      for (ForeignContainer kind : values()) {
        if (!kind.extension.isEmpty()
            && name.toLowerCase(Locale.ROOT).endsWith(kind.extension)
            && !name.equals("training_args.bin")) {
          return Optional.of("has %s, which %s".formatted(name, kind.predicate()));
        }
      }
    }
    return Optional.empty();
  }

  private boolean begins(String start) {
    if (this == ONNX) {
      return start.length() > 2
          && start.startsWith(magic)
          && start.charAt(1) > 2
          && start.charAt(1) < 32
          && ONNX_FIELDS.indexOf(start.charAt(2)) >= 0;
    }
    boolean isMarkup = magic.startsWith("<");
    String text = isMarkup ? start.stripLeading() : start;
    return text.regionMatches(isMarkup, 0, magic, 0, magic.length());
  }

  private String predicate() {
    return "is %s; %s".formatted(description, remedy);
  }

  private static String cut(String line) {
    return line.length() <= EXCERPT ? line : line.substring(0, EXCERPT) + "…";
  }
}
