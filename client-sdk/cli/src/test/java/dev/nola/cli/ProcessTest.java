package dev.nola.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only a process of its own shows: signals, and a disk that is full. */
class ProcessTest {
  private static final int ROWS = 60_000;
  private static final int COLS = 10_000;

  @TempDir private Path folder;

  private String adapterFor(Path base) {
    String adapter = folder.resolve("a.nola").toString();
    Nola made = Nola.run("synth", "--base", base.toString(), "--targets", "w", "-o", adapter);
    assertThat(made.err()).isEmpty();
    return adapter;
  }

  private static List<String> java(String... args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx256m", "-cp", System.getProperty("java.class.path")));
    command.add(Main.class.getName());
    command.addAll(List.of(args));
    return command;
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void aMergeThatIsInterruptedLeavesNothing() throws Exception {
    assumeTrue(
        !isInterruptIgnored(),
        "skipped: SIGINT is ignored here, as for what a shell starts in the background");
    Path base = BaseModel.sparse(folder.resolve("base.safetensors"), ROWS, COLS); // 2.4 GB
    String adapter = adapterFor(base);
    // On a busy machine a merge may be done before the signal comes.
    for (int attempt = 1; !isInterrupted(base, adapter, attempt); attempt++) {
      assertThat(attempt).as("attempts, of which none was interrupted").isLessThan(6);
    }
  }

  /** What a process ignores, the processes that it starts ignore, too. */
  private static boolean isInterruptIgnored() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("SigIgn:")) {
        return (Long.parseUnsignedLong(line.substring("SigIgn:".length()).strip(), 16) & 2) != 0;
      }
    }
    return false;
  }

  /** Merges and sends SIGINT; false if the merge was done before that. */
  private boolean isInterrupted(Path base, String adapter, int attempt) throws Exception {
    Path target = Files.createDirectory(folder.resolve("target-" + attempt));
    try (WatchService watch = target.getFileSystem().newWatchService()) {
      target.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
      Process process =
          new ProcessBuilder(
                  java(
                      "merge",
                      "--base",
                      base.toString(),
                      "--adapter",
                      adapter,
                      "--skip-base-check",
                      "--threads",
                      "1",
                      "-o",
                      target.resolve("m.safetensors").toString()))
              .redirectErrorStream(true)
              .start();
      try {
        WatchKey begun = watch.poll(60, TimeUnit.SECONDS);
        assertThat(begun).as("the merge has begun to write").isNotNull();
        new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() == 0) {
          Files.delete(target.resolve("m.safetensors"));
          return false;
        }
        assertThat(process.exitValue()).isEqualTo(130);
        assertThat(output).isEqualTo("nola merge: interrupted\n");
        assertThat(names(target)).isEmpty();
        return true;
      } finally {
        process.destroyForcibly();
      }
    }
  }

  private static String shell(String script) throws IOException, InterruptedException {
    Process process = new ProcessBuilder("sh", "-c", script).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  @Test
  void readerThatClosesThePipeEndsTheCommandSilently() throws Exception {
    String help = String.join(" ", java("--help"));

    assertThat(shell("{ %s; echo exit $? >&2; } | true".formatted(help))).isEqualTo("exit 141\n");
    assertThat(shell("%s >/dev/full; echo exit $?".formatted(help)))
        .isEqualTo("nola: cannot write to stdout\nexit 3\n");
  }

  @Test
  void stderrThatTheLauncherMovedIsPutBack() throws Exception {
    List<String> command = java("bogus");
    command.addAll(1, List.of("--enable-native-access=ALL-UNNAMED", "-Dnola.stderr=3"));

    assertThat(shell("exec 3>&2 2>/dev/null; %s; true".formatted(String.join(" ", command))))
        .startsWith("nola: unknown command: bogus");
  }

  @Test
  void textDoesNotDependOnTheLocale() throws Exception {
    List<String> command = java("cache", "verify");
    command.addAll(
        1, List.of("-Duser.language=ar", "-Duser.country=EG", "-Duser.extensions=u-nu-arab"));

    assertThat(shell("NOLA_CACHE=%s %s".formatted(folder, String.join(" ", command))))
        .isEqualTo("intact: 0, damaged and removed: 0\n");
  }

  @Test
  void aDiskThatIsFullIsSaidToBeAndLeavesNothing() throws Exception {
    assumeTrue(
        canMount(), "skipped: a small file system cannot be mounted here (unshare -rm is denied)");
    Path base = BaseModel.sparse(folder.resolve("base.safetensors"), 2000, 2000); // 16 MB
    String adapter = adapterFor(base);
    Path disk = Files.createDirectory(folder.resolve("disk"));
    String merge =
        String.join(
            " ",
            java(
                "merge",
                "--base",
                base.toString(),
                "--adapter",
                adapter,
                "-o",
                disk.resolve("m.safetensors").toString()));
    Process process =
        new ProcessBuilder(
                "unshare",
                "-rm",
                "sh",
                "-c",
                "mount -t tmpfs -o size=8m tmpfs %s && { %s; echo exit $?; ls -A %s; }"
                    .formatted(disk, merge, disk))
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    assertThat(output)
        .isEqualTo(
            "nola merge: %s: No space left on device%nexit 3%n"
                .formatted(disk.resolve("m.safetensors")));
  }

  @Test
  void adapterThatDoesNotFitOnADiskIsNamed() throws Exception {
    assumeTrue(
        canMount(), "skipped: a small file system cannot be mounted here (unshare -rm is denied)");
    Path base = BaseModel.sparse(folder.resolve("base.safetensors"), 2000, 2000);
    Path disk = Files.createDirectory(folder.resolve("disk"));
    String synth =
        String.join(
            " ",
            java(
                "synth",
                "--base",
                base.toString(),
                "--targets",
                "w",
                "--k",
                "8192",
                "--l",
                "8192",
                "--bits",
                "16",
                "-o",
                disk.resolve("a.nola").toString()));
    Process process =
        new ProcessBuilder(
                "unshare",
                "-rm",
                "sh",
                "-c",
                "mount -t tmpfs -o size=8k tmpfs %s && { %s; echo exit $?; ls -A %s; }"
                    .formatted(disk, synth, disk))
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(output)
        .isEqualTo(
            "nola synth: %s: No space left on device%nexit 3%n".formatted(disk.resolve("a.nola")));
  }

  private static boolean canMount() throws IOException, InterruptedException {
    try {
      return new ProcessBuilder("unshare", "-rm", "true").start().waitFor() == 0;
    } catch (IOException noSuchProgram) {
      return false;
    }
  }
}
