package dev.nola.trainer.djl;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.util.Utils;
import dev.nola.trainer.Jobs;
import dev.nola.trainer.data.Bos;
import dev.nola.trainer.data.TextTokenizer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** DJL must download nothing at run time, whatever it misses. */
class OfflineTest {
  private static final String PROPERTY = "ai.djl.offline";
  private static final String TOKENIZER =
      """
      {"version": "1.0", "added_tokens": [],
       "model": {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0}}}
      """;

  @TempDir private Path folder;

  @BeforeEach
  void forgetEarlierTests() {
    System.clearProperty(PROPERTY);
    assertThat(Utils.isOfflineMode()).as("DJL's default").isFalse();
  }

  @AfterEach
  void stayOffline() {
    NativeLibraries.stayOffline();
  }

  @Test
  void pyTorch_isLoadedOffline() {
    NativeLibraries.torch();
    assertThat(Utils.isOfflineMode()).isTrue();
  }

  @Test
  void tokenizers_areLoadedOffline() throws Exception {
    Files.writeString(folder.resolve("tokenizer.json"), TOKENIZER);
    Files.writeString(folder.resolve("config.json"), "{}");
    TextTokenizer.load(folder, Bos.TOKENIZER).close();
    assertThat(Utils.isOfflineMode()).isTrue();
  }

  /** DJL reads the variable first, and only then the property. */
  @Test
  void variableThatAllowsDownloads_isRefused() throws Exception {
    Path job = Jobs.write(folder, "name: nola\n", "steps: 5\n");
    assertThat(trainWhereDownloadsAreAllowed(job))
        .contains(
            "DJL_OFFLINE=false would let DJL download libraries at run time; unset it, or set it to true");
  }

  private static String trainWhereDownloadsAreAllowed(Path job) throws Exception {
    ProcessBuilder command =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.nola.trainer.TrainerWorker",
                "train",
                job.toString(),
                "-o",
                job.resolveSibling("x.nola").toString())
            .redirectErrorStream(true);
    command.environment().put("DJL_OFFLINE", "false");
    Process process = command.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isEqualTo(2);
    return output;
  }
}
