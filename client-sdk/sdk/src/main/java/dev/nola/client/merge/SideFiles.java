package dev.nola.client.merge;

import dev.nola.client.safetensors.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The files beside a model's weights: its config and tokenizer, licence and readme.
 *
 * @param copied names of those that go into the merged model
 * @param left names of those that do not: weights in another format, which would be the base's,
 *     pickles, which run code when they are loaded, folders, and links to missing files
 */
public record SideFiles(List<String> copied, List<String> left) {
  private static final Set<String> WEIGHTS =
      Set.of(
          "safetensors",
          "bin",
          "pt",
          "pth",
          "pkl",
          "pickle",
          "ckpt",
          "joblib",
          "npy",
          "npz",
          "h5",
          "msgpack",
          "onnx",
          "ot",
          "gguf",
          "tflite");

  /** Copies the lists. */
  public SideFiles {
    copied = List.copyOf(copied);
    left = List.copyOf(left);
  }

  /**
   * Lists the files beside a model's weights.
   *
   * @param model the model; a single file has none
   * @return the files, by name
   * @throws IOException if its folder cannot be read
   */
  public static SideFiles of(Model model) throws IOException {
    List<String> copied = new ArrayList<>();
    List<String> left = new ArrayList<>();
    if (model.isFolder()) {
      Set<String> written =
          model.files().stream()
              .map(file -> file.path().getFileName().toString())
              .collect(Collectors.toSet());
      try (Stream<Path> entries = Files.list(model.path())) {
        for (Path entry : entries.sorted().toList()) {
          String name = entry.getFileName().toString();
          boolean isOurs = written.contains(name) || name.equals(Model.INDEX);
          if (isOurs || name.startsWith(".")) {
            continue;
          }
          // A link is followed, but only to a file.
          (Files.isRegularFile(entry) && !isWeights(name) ? copied : left).add(name);
        }
      }
    }
    return new SideFiles(copied, left);
  }

  private static boolean isWeights(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return WEIGHTS.contains(lower.substring(lower.lastIndexOf('.') + 1))
        || lower.endsWith(".index.json");
  }
}
