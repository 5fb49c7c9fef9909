package dev.nola.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PythonEvaluationTest {
  @TempDir private Path folder = Path.of("");

  /** Runs a script of the shell in place of Python. */
  private PythonEvaluation.Result run(String shell) throws IOException, InterruptedException {
    Path python = folder.resolve("python");
    Files.writeString(python, "#!/bin/sh\n" + shell + "\n");
    assertThat(python.toFile().setExecutable(true)).isTrue();
    return new PythonEvaluation(Map.of(PythonEvaluation.PYTHON, python.toString()))
        .run(folder, List.of("merged", 7));
  }

  @Test
  void accuraciesAreThoseOfTheLastLine() throws Exception {
    assertThat(run("echo loading; echo '{\"merged\": 0.5, \"lora\": 0.25}'"))
        .isEqualTo(new PythonEvaluation.Result.Accuracy(0.5, 0.25));
  }

  @Test
  void missingLibrary_isNamedWithItsRemedy() throws Exception {
    assertThat(run("echo '{\"missing\": \"peft\"}'"))
        .asString()
        .contains("has no peft; install torch, transformers and peft, or name a Python");
  }

  @Test
  void missingPython_isSkipped() throws Exception {
    Path nowhere = folder.resolve("nowhere");
    assertThat(
            new PythonEvaluation(Map.of(PythonEvaluation.PYTHON, nowhere.toString()))
                .run(folder, List.of()))
        .asString()
        .contains(nowhere + " does not run (", "No such file or directory", "; install torch");
  }

  @Test
  void failureOfTheScript_isAnError() {
    assertThatIOException()
        .isThrownBy(() -> run("exit 3"))
        .withMessageContaining("ended with 3; see " + folder.resolve("evaluate.log"));
  }
}
