package dev.nola.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.trainer.data.WordNetGlosses.Gloss;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WordNetGlossesTest {
  private static final String LICENSE =
      """
        1 This software and database is being provided to you, the LICENSEE, by \s
        2 Princeton University under the following license.  By obtaining, using \s
       10 reserved. \s
      """;

  @TempDir private Path folder;

  @Test
  void glossIsADefinitionWithoutItsExamples() throws Exception {
    assertThat(
            glosses(
                line(3, "that which is perceived"),
                line(20, "a plant; tall and woody; \"the tree was tall\"; \"another\"- Keats"),
                line(4, "putting one in the place of another: \"he sent Smith in\""),
                line(5, "promise of reward as in \"carrot and stick\""),
                line(28, "  a time | of day  ")))
        .containsExactlyInAnyOrder(
            new Gloss("that which is perceived", "noun.Tops"),
            new Gloss("a plant; tall and woody", "noun.plant"),
            new Gloss("putting one in the place of another", "noun.act"),
            new Gloss("promise of reward as in \"carrot and stick\"", "noun.animal"),
            new Gloss("a time | of day", "noun.time"));
  }

  @Test
  void equalDefinitionsCountOnceAndAmbiguousOnesNotAtAll() throws Exception {
    assertThat(
            glosses(
                line(20, "a variety of aster"),
                line(20, "a variety of aster; \"an aster\""),
                line(20, "one species"),
                line(5, "one species")))
        .containsExactly(new Gloss("a variety of aster", "noun.plant"));
  }

  @Test
  void wordsAndPointersAreNotPartOfTheGloss() throws Exception {
    assertThat(
            glosses(
                "02121234 05 n 02 cat 0 true_cat 0 002 @ 02120278 n 0000 ~ 02123649 n 0000 | feline"
                    + " mammal  "))
        .containsExactly(new Gloss("feline mammal", "noun.animal"));
  }

  @Test
  void partsDoNotDependOnTheOrder() throws Exception {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      lines.add(line(3 + i % 26, "definition " + i));
    }
    WordNetGlosses.Report report = write(lines, "a");
    Collections.shuffle(lines, new Random(1));
    assertThat(write(lines, "b")).isEqualTo(report);
    Set<String> all = new HashSet<>();
    for (String name : List.of("train.tsv", "validation.tsv", "test.tsv")) {
      Path file = folder.resolve("a").resolve(name);
      assertThat(folder.resolve("b").resolve(name)).hasSameBinaryContentAs(file);
      List<String> written = Files.readAllLines(file);
      assertThat(written.getFirst()).isEqualTo("text\tlabel");
      assertThat(written.subList(1, written.size()))
          .allMatch(row -> row.matches("definition \\d+\tnoun\\.\\w+"))
          .allMatch(all::add, "is in one file only");
    }
    assertThat(all).hasSize(2000);
    // Of 2000 texts in 20 parts, 100 ± 4 standard deviations.
    assertThat(report.validation()).isBetween(61, 139);
    assertThat(report.test()).isBetween(61, 139);
    assertThat(report.train()).isEqualTo(2000 - report.validation() - report.test());
    assertThat(report.classes()).hasSize(26).containsEntry("noun.Tops", 77);
  }

  /** Digests from Python's hashlib: a change of the rule would change everybody's test set. */
  @ParameterizedTest
  @CsvSource({
    "definition 34, test.tsv",
    "definition 0, validation.tsv",
    "definition 11, train.tsv",
    "definition 17, train.tsv",
  })
  void fileHasTheDigestInItsName(String text, String file) throws Exception {
    write(List.of(line(28, text)), "a");
    assertThat(Files.readAllLines(folder.resolve("a").resolve(file)))
        .containsExactly("text\tlabel", text + "\tnoun.time");
  }

  @Test
  void licenseIsCopied() throws Exception {
    write(List.of(line(3, "that which is perceived")), "a");
    assertThat(folder.resolve("a/LICENSE.txt"))
        .hasContent(
            """
            This software and database is being provided to you, the LICENSEE, by
            Princeton University under the following license.  By obtaining, using
            reserved.
            """);
  }

  @Test
  void jarIsSearchedForNouns() throws Exception {
    Path jar = folder.resolve("wordnet.jar");
    try (OutputStream out = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      zip.putNextEntry(new ZipEntry("net/wn31/index.noun"));
      zip.putNextEntry(new ZipEntry("net/wn31/data.noun"));
      zip.write((LICENSE + line(3, "that which is perceived") + "\n").getBytes());
    }
    assertThat(WordNetGlosses.read(jar).glosses()).hasSize(1);
  }

  @Test
  void jarWithoutNouns_isRefused() throws Exception {
    Path jar = folder.resolve("other.jar");
    try (OutputStream out = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      zip.putNextEntry(new ZipEntry("net/wn31/mydata.noun"));
    }
    assertThatThrownBy(() -> WordNetGlosses.read(jar))
        .isInstanceOf(IOException.class)
        .hasMessage(jar + ": has no data.noun");
    Files.writeString(jar, "PK, but no zip");
    assertThatThrownBy(() -> WordNetGlosses.read(jar))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(jar + ": not a valid zip file: ");
  }

  @Test
  void zipBomb_isRefused() throws Exception {
    Path jar = folder.resolve("bomb.jar");
    try (OutputStream out = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      zip.putNextEntry(new ZipEntry("data.noun"));
      byte[] zeros = new byte[1 << 20];
      for (int i = 0; i < 65; i++) {
        zip.write(zeros);
      }
    }
    assertThatThrownBy(() -> WordNetGlosses.read(jar))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("has more than 67,108,864 bytes, the limit");
  }

  @Test
  void lineThatIsNotASynset_isNamed() {
    assertThatThrownBy(() -> glosses("words"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("line 4 of data.noun is not a noun synset");
    assertThatThrownBy(() -> glosses(line(29, "to breathe")))
        .hasMessageContaining("has lexicographer file 29; must be 03 to 28");
    assertThatThrownBy(() -> glosses(line(20, " ; \"only an example\"")))
        .hasMessageContaining("line 4 of data.noun has no definition");
    assertThatThrownBy(this::glosses).hasMessageContaining("with a license and synsets");
  }

  @Test
  void existingFolder_isNotReplaced() throws Exception {
    write(List.of(line(3, "that which is perceived")), "a");
    assertThatThrownBy(() -> write(List.of(line(3, "other")), "a"))
        .isInstanceOf(FileAlreadyExistsException.class);
    assertThatThrownBy(() -> WordNetGlosses.read(folder.resolve("none.jar")))
        .isInstanceOf(NoSuchFileException.class);
  }

  private static String line(int lexicographerFile, String gloss) {
    return "00001740 %02d n 01 word 0 000 | %s".formatted(lexicographerFile, gloss);
  }

  private List<Gloss> glosses(String... lines) throws IOException {
    return WordNetGlosses.read(file(List.of(lines))).glosses();
  }

  private WordNetGlosses.Report write(List<String> lines, String to) throws IOException {
    return WordNetGlosses.read(file(lines)).write(folder.resolve(to));
  }

  private Path file(List<String> lines) throws IOException {
    return Files.writeString(
        folder.resolve("data.noun"),
        LICENSE + String.join("\n", lines) + (lines.isEmpty() ? "" : "\n"));
  }
}
