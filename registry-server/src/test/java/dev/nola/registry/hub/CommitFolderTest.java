package dev.nola.registry.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommitFolderTest {
  private static final Instant NOW = Instant.parse("2026-01-02T00:00:00Z");

  @TempDir private Path folder;

  @Test
  void folderOfAKilledServerIsRemovedAndThatOfARunningOneKept() throws IOException {
    Path abandoned = commit("abandoned", NOW.minusSeconds(1));
    Path running = commit("running", NOW);

    CommitFolder.removeOlder(folder, NOW);

    assertThat(abandoned).doesNotExist();
    assertThat(running.resolve("adapter.nola")).exists();
  }

  @Test
  void absentParentHasNothingToRemove() throws IOException {
    CommitFolder.removeOlder(folder.resolve("absent"), NOW);
    assertThat(folder).isEmptyDirectory();
  }

  private Path commit(String name, Instant modified) throws IOException {
    Path commit = Files.createDirectory(folder.resolve(name));
    Files.writeString(commit.resolve("adapter.nola"), "bytes");
    return Files.setLastModifiedTime(commit, FileTime.from(modified));
  }
}
