package dev.nola.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that use a GPU, on a driver whose kernels run on the CPU, and without a driver. */
class GpuTest {
  private static final String LIBRARY = "nola.cuda.library";
  private static final Path DRIVER =
      Path.of("../../gpu/target/stand-in/libcuda.so.1").toAbsolutePath().normalize();

  @TempDir private Path folder;
  private Path base = Path.of("");
  private String adapter = "";

  @BeforeEach
  void createAdapter() throws Exception {
    base = BaseModel.write(folder.resolve("base"));
    adapter = folder.resolve("a.nola").toString();
    Nola made =
        Nola.run("synth", "--base", base.toString(), "--targets", "(q|v)_proj", "-o", adapter);
    assertThat(made.err()).isEmpty();
  }

  @AfterEach
  void forgetDriver() {
    System.clearProperty(LIBRARY);
  }

  private static void useDriver() {
    assumeTrue(
        Files.exists(DRIVER), "skipped: run the tests of module gpu first, with g++: " + DRIVER);
    System.setProperty(LIBRARY, DRIVER.toString());
  }

  private static void useNoDriver() {
    System.setProperty(LIBRARY, "libcuda-missing.so.1");
  }

  @Test
  void verify_onAGpu_hasTheDigestOfTheCpu() {
    String onCpu = Nola.run("verify", adapter).out();
    useDriver();
    Nola verified = Nola.run("verify", adapter, "--backend", "cuda");
    assertThat(verified.err()).isEmpty();
    assertThat(verified.exitCode()).isZero();
    assertThat(verified.out()).isEqualTo(onCpu).startsWith("verified: sha256:");
  }

  @Test
  void lock_isCheckedOnTheGpu_ifThereIsOne() {
    String lock = folder.resolve("nola.lock").toString();
    assertThat(Nola.run("lock", adapter, "-o", lock).exitCode()).isZero();
    useNoDriver();
    Nola without = Nola.run("verify", "--lock", lock);
    assertThat(without.exitCode()).isZero();
    assertThat(without.err()).isEmpty();
    assertThat(without.out()).doesNotContain("cuda");
    useDriver();
    Nola with = Nola.run("verify", "--lock", lock);
    assertThat(with.exitCode()).isZero();
    assertThat(with.out()).contains("ok     reconstructed by cuda", "ok     backends agree");
    Nola only = Nola.run("verify", "--lock", lock, "--backend", "cuda");
    assertThat(only.exitCode()).isZero();
    assertThat(only.out()).contains("ok     reconstructed by cuda").doesNotContain("scalar");
  }

  @Test
  void merge_onAGpu_hasTheBytesOfTheCpu() throws Exception {
    Path onCpu = folder.resolve("cpu");
    assertThat(merge(onCpu).exitCode()).isZero();
    useDriver();
    Path onGpu = folder.resolve("gpu");
    Nola merged = merge(onGpu, "--device", "cuda");
    assertThat(merged.err()).isEmpty();
    assertThat(merged.exitCode()).isZero();
    String weights = "model.safetensors";
    assertThat(onGpu.resolve(weights)).hasSameBinaryContentAs(onCpu.resolve(weights));
    assertThat(Files.mismatch(onCpu.resolve(weights), base.resolve(weights)))
        .as("the merge has an effect")
        .isNotEqualTo(-1);
  }

  private Nola merge(Path destination, String... more) {
    List<String> args = new ArrayList<>(List.of("merge", "--base", base.toString()));
    args.addAll(List.of("--adapter", adapter, "-o", destination.toString()));
    args.addAll(List.of(more));
    return Nola.run(args.toArray(String[]::new));
  }

  @Test
  void missingDriver_isSaidInASentence() {
    useNoDriver();
    for (Nola failed :
        new Nola[] {
          Nola.run("verify", adapter, "--backend", "cuda"),
          merge(folder.resolve("merged"), "--device", "cuda")
        }) {
      assertThat(failed.exitCode()).isEqualTo(3);
      assertThat(failed.err())
          .contains("NVIDIA driver not found: no library libcuda-missing.so.1")
          .hasLineCount(1);
    }
    assertThat(folder.resolve("merged")).doesNotExist();
  }

  @Test
  void unknownNames_areRefused() {
    assertThat(Nola.run("verify", adapter, "--backend", "gpu"))
        .extracting(Nola::exitCode, Nola::err)
        .containsExactly(
            2, "nola verify: invalid --backend: gpu; must be one of scalar, vector, cuda\n");
    assertThat(merge(folder.resolve("merged"), "--device", "gpu"))
        .extracting(Nola::exitCode, Nola::err)
        .containsExactly(
            2,
            "nola merge: invalid --device: gpu; must be one of cpu, cuda; see nola merge --help\n");
  }
}
