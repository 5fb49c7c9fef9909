package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests docs/run-commands, which runs the commands in our documents. */
class DocumentsTest {
  private static final Path SCRIPT = Path.of("../docs/run-commands").toAbsolutePath().normalize();

  @TempDir private Path folder = Path.of("");

  private record Outcome(int exitCode, String output) {}

  private Outcome run(String document, String... options) throws Exception {
    List<String> command = new ArrayList<>(List.of(SCRIPT.toString()));
    command.addAll(List.of(options));
    command.add(Files.writeString(folder.resolve("GUIDE.md"), document).toString());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Outcome(process.waitFor(), output);
  }

  private static String block(String mark, String... lines) {
    return mark + "\n```sh\n" + String.join("\n", lines) + "\n```\n";
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "```sh\n./nola --version\n```\n",
        "<!-- not run: -->\n```sh\ntrue\n```\n",
        "<!-- run by: nowhere/Test.java -->\n```sh\ntrue\n```\n",
        "<!-- run by: .ci/run -->\n```sh\nrm nothing that CI runs\n```\n",
        "<!-- run -->\nText.\n\n```sh\ntrue\n```\n",
        "<!-- run -->\n```bash\ntrue\n```\n",
        "```\n./nola --version\n```\n",
        "Type\n\n    ./nola --version\n",
        "<!-- run -->\n```sh\ntrue\n",
      })
  void blockOfCommandsThatNothingRunsIsRefused(String document) throws Exception {
    Outcome outcome = run(document, "--check");
    assertThat(outcome.output()).contains("GUIDE.md");
    assertThat(outcome.exitCode()).as(outcome.output()).isEqualTo(1);
  }

  @Test
  void outputAndBlocksThatAreRunElsewherePass() throws Exception {
    String document =
        "```\nverified: sha256:…\n```\n"
            + block("<!-- run by: .ci/run -->", "./nola --version    # how it is called")
            + block("<!-- not run: needs a GPU -->", "nvidia-smi");
    Outcome outcome = run(document, "--check");
    assertThat(outcome.exitCode()).as(outcome.output()).isZero();
    assertThat(outcome.output()).contains("2 blocks of commands, 0 of them run by this script");
  }

  @Test
  void blocksOfADocumentFormOneSession() throws Exception {
    Path witness = folder.resolve("witness");
    String document =
        block("<!-- run\nhidden=5\n-->", "shown=$hidden", "cd docs")
            + block("<!-- run -->", "echo \"$shown $(basename \"$PWD\")\" > '" + witness + "'");
    Outcome outcome = run(document);
    assertThat(outcome.exitCode()).as(outcome.output()).isZero();
    assertThat(witness).content().isEqualTo("5 docs\n");
  }

  @Test
  void firstFailingCommandEndsTheSession() throws Exception {
    Path witness = folder.resolve("witness");
    Outcome outcome = run(block("<!-- run -->", "false", "touch '" + witness + "'"));
    assertThat(outcome.exitCode()).as(outcome.output()).isEqualTo(1);
    assertThat(outcome.output()).contains("FAILED: the commands of").contains("GUIDE.md");
    assertThat(witness).doesNotExist();
  }

  @Test
  void everyBlockOfOurDocumentsIsRunSomewhere() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(SCRIPT.toString(), "--check").redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
  }
}
