package dev.nola.vectors;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The files of the conformance vectors, stored or made by their recipes. */
public final class VectorFiles {
  static final Path FOLDER = Path.of("vectors");

  private VectorFiles() {}

  /**
   * A file, and what a reader makes of it.
   *
   * @param name of the file
   * @param bytes the file
   * @param kind of its refusal when it is read; {@link Kinds#ACCEPTED} if it is not refused
   */
  public record Expected(String name, byte[] bytes, String kind) {}

  /** Returns all files. */
  public static List<Expected> all() throws IOException {
    JsonNode manifest = manifest();
    List<Expected> files = new ArrayList<>();
    for (String list : List.of("valid", "invalid")) {
      for (JsonNode node : manifest.get(list)) {
        String kind = node.has("kind") ? node.get("kind").asString() : Kinds.ACCEPTED;
        files.add(
            new Expected(
                node.get("file").asString(),
                bytes(node),
                kind.equals(Kinds.DIGEST) ? Kinds.ACCEPTED : kind));
      }
    }
    return files;
  }

  static JsonNode manifest() {
    return JsonMapper.shared().readTree(FOLDER.resolve("manifest.json"));
  }

  /** Returns the bytes of a vector's file. */
  static byte[] bytes(JsonNode node) throws IOException {
    return node.has("recipe")
        ? Recipe.bytes(node.get("recipe"))
        : Files.readAllBytes(FOLDER.resolve(node.get("file").asString()));
  }
}
