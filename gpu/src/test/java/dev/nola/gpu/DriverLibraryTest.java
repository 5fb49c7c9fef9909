package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Looks for libraries by their names, in a process whose loader searches a folder of the test. */
@EnabledOnOs(OS.LINUX)
class DriverLibraryTest {
  private static final String BROKEN = "libcuda-broken.so.1";

  @TempDir private Path folder;

  /** The process: prints why libraries cannot be opened. */
  static final class Opening {
    private Opening() {}

    public static void main(String[] names) {
      for (String name : names) {
        try {
          DriverLibrary.open(name);
        } catch (CudaException e) {
          System.out.println(e.reason() + ": " + e.getMessage());
        }
      }
    }
  }

  @Test
  void open_brokenLibraryOfTheSearchPath_isNotAbsent() throws IOException, InterruptedException {
    Path broken = Files.writeString(folder.resolve(BROKEN), "not a library");
    assertThat(open(BROKEN, "libcuda-absent.so.1"))
        .anyMatch(
            line ->
                line.startsWith("OTHER: NVIDIA driver cannot be loaded: " + broken + ": ")
                    && line.endsWith("; reinstall the driver, or use the CPU"))
        .anyMatch(
            line ->
                line.startsWith(
                    "NO_DRIVER: NVIDIA driver not found: no library libcuda-absent.so.1"));
  }

  private List<String> open(String... names) throws IOException, InterruptedException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    ProcessBuilder builder =
        new ProcessBuilder(
            java.toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-classpath",
            System.getProperty("java.class.path"),
            Opening.class.getName());
    builder.command().addAll(List.of(names));
    builder.environment().put("LD_LIBRARY_PATH", folder.toString());
    Process process = builder.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output.lines().toList();
  }
}
