package dev.nola.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.digest.Sha256;
import dev.nola.trainer.image.ImageSettings;
import dev.nola.trainer.image.ImageSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files are listed and hashed, but not decoded, until they are needed. */
class PictureFolderTest {
  @TempDir private Path folder = Path.of("");

  private void write(String... names) throws IOException {
    for (String name : names) {
      Path file = folder.resolve(name);
      Files.createDirectories(file.getParent());
      Files.writeString(file, name);
    }
  }

  private Dataset read(DataFiles.Validation validation, int examples, String... labels)
      throws Exception {
    return DatasetReader.read(
        new DataFiles(
            new DataFiles.Layout.ImageFolder(ImageSettings.NONE),
            folder.resolve("train"),
            validation,
            new DataFiles.Tokens(null, Bos.TOKENIZER),
            new DataFiles.Selection(examples, Integer.MAX_VALUE, 0, 0)),
        null,
        List.of(labels));
  }

  private DataFiles.Validation test() {
    return new DataFiles.Validation.File(folder.resolve("test"));
  }

  /** Says of each example its file and class, such as {@code cat/a.png 0}. */
  private List<String> described(List<Example> examples) {
    return examples.stream()
        .map(Example.Picture.class::cast)
        .map(
            picture -> {
              Path path = ((ImageSource.File) picture.source()).path();
              return "%s %d".formatted(folder.relativize(path), picture.label());
            })
        .toList();
  }

  @Test
  void classesAreFolders_takenInTurns() throws Exception {
    write("train/dog/b.JPG", "train/dog/a.png", "train/cat/x/c.jpeg", "train/dog/.hidden.png");
    write("train/dog/notes.txt", "test/dog/t.png", "train/dog/e.png");
    Dataset data = read(test(), 3);
    assertThat(data.classes()).containsExactly("cat", "dog");
    assertThat(described(data.train()))
        .containsExactly("train/cat/x/c.jpeg 0", "train/dog/a.png 1", "train/dog/b.JPG 1");
    assertThat(described(data.validation())).containsExactly("test/dog/t.png 1");
    assertThat(data.warnings())
        .containsExactly(
            folder.resolve("train")
                + ": 1 files are not used, such as dog/notes.txt; images are .png, .jpg and .jpeg"
                + " in the folder of a class");
    assertThat(described(read(test(), 2, "dog", "cat").train()))
        .containsExactly("train/cat/x/c.jpeg 1", "train/dog/a.png 0");
  }

  @Test
  void digestIsOfTheLinesOfSha256sum() throws Exception {
    write("train/dog/b.png", "train/cat/a.png", "test/cat/t.png");
    String lines = "";
    for (String name : List.of("cat/a.png", "dog/b.png")) {
      Sha256 digest = Sha256.hash(("train/" + name).getBytes(StandardCharsets.UTF_8));
      lines += digest.hex() + "  " + name + "\n";
    }
    assertThat(read(test(), 9).digests())
        .containsOnlyKeys("train", "validation")
        .containsEntry("train", Sha256.hash(lines.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void shareIsTakenFromTheFolder() throws Exception {
    for (int i = 0; i < 10; i++) {
      write("train/a/%d.png".formatted(i), "train/b/%d.png".formatted(i));
    }
    Dataset data = read(new DataFiles.Validation.Share(0.25), 99);
    assertThat(data.validation()).hasSize(5);
    assertThat(data.train()).hasSize(15).doesNotContainAnyElementsOf(data.validation());
    assertThat(data.digests()).containsOnlyKeys("train");
  }

  @Test
  void folderThatIsNotOfClasses_isRefused() throws Exception {
    assertThatThrownBy(() -> read(test(), 9))
        .hasMessageEndingWith("train: is not a folder; images need one for each class");
    write("train/a.png");
    assertThatThrownBy(() -> read(test(), 9))
        .hasMessageEndingWith("train: has no folders of images");
    write("train/cat/a.png", "test/cat/a.png");
    assertThatThrownBy(() -> read(test(), 9))
        .hasMessageEndingWith("train: has one class, cat; must have two or more");
    write("train/dog/readme.txt");
    assertThatThrownBy(() -> read(test(), 9))
        .hasMessageEndingWith("dog: has no images; a class must have one or more");
    write("train/dog/a.png", "test/bird/a.png");
    assertThatThrownBy(() -> read(test(), 9))
        .hasMessageContaining("bird: unknown class; must be one of ")
        .hasMessageEndingWith("train, such as cat");
    assertThatThrownBy(() -> read(test(), 9, "cat", "bird"))
        .hasMessageEndingWith("dog: unknown class; must be one in data.labels, such as cat");
  }
}
