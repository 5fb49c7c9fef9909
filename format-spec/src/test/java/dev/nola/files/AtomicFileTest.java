package dev.nola.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir private Path folder;

  @Test
  void write_replacesTheFileAndLeavesNothingElse() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "old");
    AtomicFile.write(file, "new".getBytes());
    assertThat(file).hasContent("new");
    assertThat(folder.toFile().list()).containsExactly("a");
  }

  @Test
  void failedWrite_leavesTheOldFileAndNothingElse() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "old");
    assertThatIOException()
        .isThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    channel -> {
                      throw new IOException("disk full");
                    }))
        .withMessage(file + ": disk full");
    assertThat(file).hasContent("old");
    assertThat(folder.toFile().list()).containsExactly("a");
  }

  @Test
  void privateFile_isPrivateFromTheStart() throws IOException {
    Path file = folder.resolve("secret");
    AtomicFile.write(
        file,
        channel ->
            assertThat(
                    PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(FileTree.files(folder).getFirst())))
                .isEqualTo("rw-------"),
        UserDirectories.ownerOnly("rw-------"));
    assertThat(UserDirectories.isOpenToOthers(file)).isFalse();
  }

  @Test
  void promotedFile_replacesTheDestination() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "old");
    Path complete = Files.writeString(AtomicFile.temporaryFor(file), "new");
    AtomicFile.promote(complete, file);
    assertThat(file).hasContent("new");
    assertThat(complete).doesNotExist();
  }

  @Test
  void deletedTree_leavesWhatItsLinksPointTo() throws IOException {
    Path kept = Files.writeString(Files.createDirectory(folder.resolve("kept")).resolve("f"), "x");
    Path tree = Files.createDirectories(folder.resolve("tree/inner"));
    Files.createSymbolicLink(tree.resolve("link"), kept.getParent());
    FileTree.delete(folder.resolve("tree"));
    FileTree.delete(folder.resolve("never existed"));
    assertThat(folder.resolve("tree")).doesNotExist();
    assertThat(kept).hasContent("x");
  }
}
