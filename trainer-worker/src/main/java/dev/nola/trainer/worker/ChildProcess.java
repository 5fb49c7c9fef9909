package dev.nola.trainer.worker;

import dev.nola.threads.Uninterruptibles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * A process that does a {@link Task}, within limits: it and all that it has begun are killed when
 * they use more memory or disk or take longer, and when this is closed. When this process dies, it
 * ends by itself, because its standard input does.
 */
final class ChildProcess implements AutoCloseable {
  private static final String MAIN = "dev.nola.trainer.TrainerWorker";
  private static final Duration WATCH = Duration.ofMillis(250);
  private static final Duration LAST_WORDS = Duration.ofSeconds(5);
  private static final int MAX_LINE = 1 << 14;
  private static final int SIGNALLED = 128;
  private static final String OUT_OF_MEMORY = "java.lang.OutOfMemoryError";

  /** What of the environment a task may see: where things are, nothing that is secret. */
  private static final List<String> ENVIRONMENT =
      List.of(
          "PATH",
          "HOME",
          "LANG",
          "LC_ALL",
          "LC_CTYPE",
          "TZ",
          "DJL_",
          "PYTORCH_",
          "CUDA_",
          "LD_LIBRARY_PATH",
          "OMP_NUM_THREADS",
          "XDG_CACHE_HOME");

  private final Path folder;
  private final Limits limits;
  private final Process process;
  private final List<Thread> threads = new ArrayList<>();
  private final Consumer<Task.Event> listener;
  private final long started = System.nanoTime();
  private volatile @Nullable String exceeded;
  private volatile Task.@Nullable Event failure;
  private volatile boolean outOfMemory;

  /**
   * What a task may use.
   *
   * @param memoryBytes of all its processes together, without what is mapped from files
   * @param diskBytes of its folder, without what was linked into it
   */
  record Limits(long memoryBytes, long diskBytes, Duration time) {}

  /**
   * How a task ended.
   *
   * @param reason why it failed; null if it did not
   * @param retryable whether another try may succeed
   * @param unsupported whether the file cannot be reconstructed by this version of nola
   */
  record Ending(@Nullable String reason, boolean retryable, boolean unsupported) {}

  /**
   * Starts the task of a folder.
   *
   * @param listener is told of events and log lines, from other threads
   */
  ChildProcess(Path folder, Limits limits, Consumer<Task.Event> listener) throws IOException {
    this.folder = folder;
    this.limits = limits;
    this.listener = listener;
    ProcessBuilder builder = new ProcessBuilder(command(folder, limits)).directory(folder.toFile());
    builder
        .environment()
        .keySet()
        .removeIf(name -> ENVIRONMENT.stream().noneMatch(name::startsWith));
    this.process = builder.start();
    threads.add(Thread.ofVirtual().start(() -> read(process.getInputStream())));
    threads.add(Thread.ofVirtual().start(() -> read(process.getErrorStream())));
    Thread.ofVirtual().start(this::watch);
  }

  private static List<String> command(Path folder, Limits limits) throws IOException {
    Path temporary = Files.createDirectories(folder.resolve("tmp"));
    List<String> command = new ArrayList<>();
    if (Files.isExecutable(Path.of("/usr/bin/nice"))) {
      command.addAll(List.of("/usr/bin/nice", "-n", "10")); // heartbeats go first
    }
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Half for Java, half for PyTorch.
    command.add("-Xmx" + Math.max(64, limits.memoryBytes / 2 >> 20) + "m");
    command.addAll(
        List.of(
            "-XX:+UseParallelGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:-CreateCoredumpOnCrash",
            "--enable-native-access=ALL-UNNAMED",
            "--add-modules",
            "jdk.incubator.vector",
            "-Djava.io.tmpdir=" + temporary,
            "-cp",
            classPath(),
            MAIN,
            "run-task",
            folder.toString()));
    return command;
  }

  /** Absolute, for the task runs in another folder. */
  private static String classPath() {
    String separator = System.getProperty("path.separator");
    return Stream.of(System.getProperty("java.class.path").split(separator))
        .map(each -> Path.of(each).toAbsolutePath().toString())
        .reduce((all, each) -> all + separator + each)
        .orElse("");
  }

  /**
   * Waits for the end.
   *
   * @throws InterruptedException if this thread is interrupted; the task goes on until it is closed
   */
  Ending await() throws InterruptedException {
    int exitCode = process.waitFor();
    for (Thread thread : threads) {
      thread.join(LAST_WORDS); // what it has begun may hold the other end for ever
    }
    String limit = exceeded;
    Task.Event said = failure;
    if (limit != null) {
      return new Ending(limit, false, false);
    }
    if (said != null) {
      return new Ending(
          said.reason(),
          Boolean.TRUE.equals(said.retryable()),
          Boolean.TRUE.equals(said.unsupported()));
    }
    if (outOfMemory) {
      return new Ending(memoryLimit("Java's part of it is used up"), false, false);
    }
    if (exitCode == 0) {
      return new Ending(null, false, false);
    }
    return new Ending(
        exitCode > SIGNALLED
            ? "the process was ended by signal " + (exitCode - SIGNALLED)
            : "the process ended with exit code " + exitCode,
        true,
        false);
  }

  private void read(InputStream in) {
    byte[] line = new byte[MAX_LINE];
    int length = 0;
    try (in) {
      for (int next = in.read(); next >= 0; next = in.read()) {
        if (next == '\n') {
          said(new String(line, 0, length, StandardCharsets.UTF_8));
          length = 0;
        } else if (length < line.length) {
          line[length++] = (byte) next;
        }
      }
    } catch (IOException e) {
      said("its output cannot be read: " + e.getMessage());
    }
  }

  private void said(String line) {
    if (line.startsWith("{\"event\":")) {
      try {
        Task.Event event = JsonMapper.shared().readValue(line, Task.Event.class);
        if (event.event() == Task.Event.Kind.FAILED) {
          failure = event;
        } else {
          listener.accept(event);
        }
        return;
      } catch (JacksonException _) {
        // A log line that looks like an event.
      }
    }
    outOfMemory |= line.contains(OUT_OF_MEMORY);
    if (!line.isBlank() && !line.startsWith("WARNING: Using incubator modules")) {
      listener.accept(Task.Event.log(line));
    }
  }

  private void watch() {
    try {
      while (!process.waitFor(WATCH.toMillis(), TimeUnit.MILLISECONDS)) {
        String limit = limit();
        if (limit != null) {
          exceeded = limit;
          kill();
        }
      }
    } catch (InterruptedException _) {
      throw new IllegalStateException("this thread is never interrupted");
    }
  }

  /** Which limit is exceeded, or null. */
  private @Nullable String limit() {
    if (System.nanoTime() - started > limits.time.toNanos()) {
      return "time limit: it takes longer than %d seconds".formatted(limits.time.toSeconds());
    }
    long memory =
        Stream.concat(Stream.of(process.toHandle()), process.descendants())
            .mapToLong(each -> residentMemory(each.pid()))
            .sum();
    if (memory > limits.memoryBytes) {
      return memoryLimit("it uses %,d MB".formatted(memory / 1_000_000));
    }
    long disk = ownBytes(folder);
    if (disk > limits.diskBytes) {
      return "disk limit: it has written %,d MB, may write %,d"
          .formatted(disk / 1_000_000, limits.diskBytes / 1_000_000);
    }
    return null;
  }

  private String memoryLimit(String what) {
    return "memory limit: %s, may use %,d MB".formatted(what, limits.memoryBytes / 1_000_000);
  }

  /** Memory that no file can give back; 0 of a process that is gone, or where there is no /proc. */
  private static long residentMemory(long pid) {
    long kilobytes = 0;
    try {
      for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
        if (line.startsWith("RssAnon:") || line.startsWith("RssShmem:")) {
          kilobytes += Long.parseLong(line.replaceAll("\\D", ""));
        }
      }
    } catch (IOException _) {
      return 0;
    }
    return kilobytes << 10;
  }

  /** Bytes of the files in a folder that are in no other. */
  private static long ownBytes(Path folder) {
    long[] sum = {0};
    try {
      Files.walkFileTree(
          folder,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path inner, BasicFileAttributes attributes) {
              boolean input =
                  inner.equals(folder.resolve(Task.DATA))
                      || inner.equals(folder.resolve(Task.MODEL));
              return input ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              sum[0] += attributes.size();
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException gone) {
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path inner, @Nullable IOException gone) {
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new AssertionError("the visitor throws nothing", e);
    }
    return sum[0];
  }

  private void kill() {
    List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
    process.destroyForcibly();
    all.forEach(ProcessHandle::destroyForcibly);
  }

  /** Kills what still runs, and waits until it is gone. */
  @Override
  public void close() {
    kill();
    Uninterruptibles.await(process::waitFor);
  }
}
