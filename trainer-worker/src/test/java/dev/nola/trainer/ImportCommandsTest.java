package dev.nola.trainer;

import static dev.nola.trainer.Outcome.nola;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Runs commands as from a shell. */
class ImportCommandsTest {
  private static final String ONNX = "src/test/resources/onnx/exported.onnx";

  @TempDir private Path folder;

  @Test
  void importReportsWhatItFound() {
    Outcome run = nola("import-onnx", ONNX, "-o", folder.resolve("m"));
    assertThat(run.out())
        .isEqualTo(
            "wrote %s: 37 tensors, 70,720 bytes; 2 layers of 32, 4 heads, epsilon 1.0E-12%n"
                .formatted(folder.resolve("m")));
    assertThat(run.err()).contains("not copied: embeddings.position_ids");
    assertThat(run.exitCode()).isZero();
    assertThat(folder.resolve("m")).isDirectoryContaining("glob:**model.safetensors");
  }

  @Test
  void jsonSaysTheSame() {
    JsonNode json = nola("import-onnx", ONNX, "-o", folder.resolve("m"), "--json").json();
    assertThat(json.get("output").asString()).isEqualTo(folder.resolve("m").toString());
    assertThat(json.get("config").get("heads").asInt()).isEqualTo(4);
    assertThat(json.get("tensors").asInt()).isEqualTo(37);
  }

  @Test
  void fileThatIsNotAnEncoder_isRefusedInOneSentence() throws Exception {
    Path file = Files.writeString(folder.resolve("x.onnx"), "words");
    Outcome run = nola("import-onnx", file, "-o", folder.resolve("m"), "--json");
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo("nola import-onnx: %s: not a valid ONNX file%n".formatted(file));
    assertThat(run.json().get("ok").asBoolean()).isFalse();
    assertThat(run.json().get("kind").asString()).isEqualTo("invalid-onnx");
  }

  @Test
  void exitCodesNameTheKindOfFailure() {
    assertThat(nola("import-onnx", ONNX).exitCode()).isEqualTo(2);
    assertThat(nola("import-onnx", ONNX, "--heads", "8", "-o", folder.resolve("m")).exitCode())
        .isEqualTo(2);
    assertThat(nola("import-onnx", ONNX, "--heads", "0", "-o", folder.resolve("m")).err())
        .contains("0 attention heads; must be at least 1");
    Outcome absent = nola("import-onnx", folder.resolve("none.onnx"), "-o", folder.resolve("m"));
    assertThat(absent.exitCode()).isEqualTo(3);
    assertThat(absent.err()).contains("none.onnx: no such file");
    assertThat(nola("import-onnx", ONNX, "-o", folder).err()).contains("already exists");
  }

  @Test
  void helpHasAnExample() {
    assertThat(nola("import-onnx", "--help").out()).contains("Example:", "nola import-onnx");
    assertThat(nola("import-wordnet", "--help").out()).contains("Example", "nola import-wordnet");
    assertThat(nola().out()).contains("import-onnx", "import-wordnet");
  }

  @Test
  void glossesAreCountedByClass() throws Exception {
    Path nouns =
        Files.writeString(
            folder.resolve("data.noun"),
            """
              1 This software
            00001740 03 n 01 entity 0 000 | that which is perceived
            00001930 20 n 01 tree 0 000 | a tall plant; "the tree was tall"
            00001931 20 n 01 bush 0 000 | a low plant
            """);
    Outcome run = nola("import-wordnet", "--jar", nouns, "-o", folder.resolve("g"));
    assertThat(run.exitCode()).isZero();
    assertThat(run.out().lines().skip(1).map(String::strip))
        .containsExactly("2  noun.plant", "1  noun.Tops");
    JsonNode json =
        nola("import-wordnet", "--jar", nouns, "-o", folder.resolve("h"), "--json").json();
    assertThat(json.get("classes").get("noun.plant").asInt()).isEqualTo(2);
    assertThat(
            json.get("train").asInt() + json.get("validation").asInt() + json.get("test").asInt())
        .isEqualTo(3);
  }
}
