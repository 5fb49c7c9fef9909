package dev.nola.trainer.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFoldersTest {
  @TempDir private Path folder = Path.of("");

  private static Path model(Path folder, String config) throws IOException {
    Files.writeString(Files.createDirectories(folder).resolve("config.json"), config);
    Files.writeString(folder.resolve("model.safetensors"), "weights");
    return folder;
  }

  @Test
  void modelsAreFoundWhereLinksLead() throws IOException {
    Path models = Files.createDirectories(folder.resolve("models"));
    model(models.resolve("org/small"), "{}");
    Path elsewhere = model(folder.resolve("disk/large"), "{\"large\": true}");
    Files.createSymbolicLink(models.resolve("large"), elsewhere);
    Files.createSymbolicLink(models.resolve("org/loop"), models);

    ModelFolders found = new ModelFolders(models, folder.resolve("memory.json"));

    assertThat(found.revisions()).hasSize(2);
    for (Sha256 revision : found.revisions()) {
      Path linked = folder.resolve(revision.hex());
      assertThat(found.link(revision, linked)).isTrue();
      assertThat(linked.resolve("model.safetensors")).hasContent("weights");
    }
  }
}
