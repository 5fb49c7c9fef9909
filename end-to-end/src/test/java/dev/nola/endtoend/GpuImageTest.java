package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The image that trains on GPUs, without Docker and PyTorch: what its variables name must exist.
 */
class GpuImageTest {
  private static final String DOCKERFILE = "trainer-worker/Dockerfile";
  private static final String PYTORCH = "/opt/pytorch";

  /** Makes what the Python packages of PyTorch install: three of their files. */
  private static final String PIP =
      """
      #!/bin/sh
      while [ "$1" != --target ]; do shift; done
      mkdir -p "$2/torch/lib" "$2/nvidia/cuda_runtime/lib"
      touch "$2/torch/version.py" "$2/torch/lib/libtorch_cuda.so" "$2/nvidia/cuda_runtime/lib/libcudart.so.12"
      """;

  @TempDir private Path folder = Path.of("");

  private Path inImage(String path) {
    return folder.resolve(path.substring(1));
  }

  @Test
  void gpuWorkersVariables_nameThePyTorchThatItsImageInstalls() throws Exception {
    Compose.Start worker = Compose.read().startOf("worker-gpu");
    assertThat(worker.command()).contains("/opt/nola/nola-trainer-worker.jar");
    assertThat(Compose.dockerfile(DOCKERFILE, "cuda").instructions().get("COPY"))
        .contains("--from=pytorch %s %s".formatted(PYTORCH, PYTORCH));

    install(Compose.dockerfile(DOCKERFILE, "pytorch").instructions().get("RUN"));
    Path libraries = inImage(worker.environment().get("PYTORCH_LIBRARY_PATH"));
    assertThat(libraries.resolve("libtorch_cuda.so")).exists();
    assertThat(libraries.resolve("../version.py")).as("states PyTorch's version").exists();
    Path cudart = inImage(worker.environment().get("LD_LIBRARY_PATH")).resolve("libcudart.so");
    assertThat(cudart).as("the only name that DJL looks for").exists();
    assertThat(Files.readSymbolicLink(cudart)).as("valid in another stage").isRelative();
  }

  /** Runs the instruction with this test's pip, in this test's folder. */
  private void install(String run) throws IOException, InterruptedException {
    Path programs = Files.createDirectories(folder.resolve("programs"));
    assertThat(Files.writeString(programs.resolve("pip"), PIP).toFile().setExecutable(true))
        .isTrue();
    Files.createDirectories(inImage(PYTORCH).getParent());
    ProcessBuilder shell =
        new ProcessBuilder("sh", "-c", run.replace(PYTORCH, inImage(PYTORCH).toString()))
            .inheritIO();
    shell.environment().merge("PATH", programs.toString(), (path, first) -> first + ":" + path);
    assertThat(shell.start().waitFor()).as(run).isZero();
  }

  @Test
  void imagesPyTorch_isOfTheVersionOfDjlsBinding() throws IOException {
    assertThat(Compose.dockerfile(DOCKERFILE, "pytorch").instructions().get("RUN"))
        .contains("torch==" + pytorchOfThePom() + " ");
  }

  private static String pytorchOfThePom() throws IOException {
    Matcher version =
        Pattern.compile("<pytorch.version>([^<]+)</pytorch.version>")
            .matcher(Compose.text("pom.xml"));
    assertThat(version.find()).isTrue();
    return version.group(1);
  }

  @Test
  void imageBuiltWithoutATarget_hasNoCuda() throws IOException {
    assertThat(Compose.dockerfile(DOCKERFILE).instructions().toString()).doesNotContain(PYTORCH);
    assertThat(Compose.read().startOf("worker-1").environment())
        .doesNotContainKeys("PYTORCH_LIBRARY_PATH", "LD_LIBRARY_PATH");
  }

  @Test
  void verificationsOnGpus_areAskedForOnlyWithTheGpuWorker() throws IOException {
    Compose compose = Compose.read();
    String name = "NOLA_VERIFICATION_BACKENDS";
    assertThat(compose.environmentOf("registry")).containsEntry(name, "scalar,vector,torch");
    assertThat(compose.environmentOf("registry", Map.of("COMPOSE_PROFILES", "gpu")))
        .containsEntry(name, "scalar,vector,torch,cuda");
  }
}
