package dev.nola.trainer.worker;

import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Budget;
import dev.nola.threads.Uninterruptibles;
import dev.nola.trainer.djl.NativeLibraries;
import java.io.File;
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
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * A process that does a {@link Task} within limits: it and all processes that it has started are
 * killed when they use more memory or disk or take longer, and when this is closed. When this
 * process dies, the other ends by itself, because its standard input does.
 */
final class ChildProcess implements AutoCloseable {
  private static final String MAIN = "dev.nola.trainer.TrainerWorker";
  private static final String EVENT = "{\"" + TaskEvent.PROPERTY + "\":";
  private static final Duration CHECK_INTERVAL = Duration.ofMillis(250);
  private static final Duration OUTPUT_TIMEOUT = Duration.ofSeconds(5);
  private static final int MAX_LINE = 1 << 14;
  private static final int SIGNAL_OFFSET = 128;
  private static final String OUT_OF_MEMORY = "java.lang.OutOfMemoryError";

  /** Prefixes of the environment variables that a task may see: locations, no secrets. */
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

  /** System properties that a task takes over. */
  private static final List<String> PROPERTIES =
      List.of(
          "nola.cuda.library",
          Kernels.PROPERTY,
          Budget.ADDITIONS_PROPERTY,
          "PYTORCH_LIBRARY_PATH",
          "DJL_CACHE_DIR");

  private final TaskFolder folder;
  private final Limits limits;
  private final Process process;
  private final List<Thread> threads = new ArrayList<>();
  private final Consumer<TaskEvent> listener;
  private final long started = System.nanoTime();
  private volatile @Nullable String exceeded;
  private volatile TaskEvent.@Nullable Failed failure;
  private volatile boolean outOfMemory;

  /**
   * What a task may use.
   *
   * @param memoryBytes memory of all its processes together without files that are mapped, in bytes
   * @param diskBytes disk of its folder without what was linked into it, in bytes
   * @param time time that it may take
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
   * @param folder folder with the task and what it needs
   * @param limits what the task may use
   * @param listener receives events and log lines, on other threads
   * @throws IOException if the process cannot be started
   */
  ChildProcess(TaskFolder folder, Limits limits, Consumer<TaskEvent> listener) throws IOException {
    this.folder = folder;
    this.limits = limits;
    this.listener = listener;
    ProcessBuilder builder =
        new ProcessBuilder(command(folder.path(), limits)).directory(folder.path().toFile());
    limit(builder.environment());
    this.process = builder.start();
    threads.add(Thread.ofVirtual().start(() -> read(process.getInputStream())));
    threads.add(Thread.ofVirtual().start(() -> read(process.getErrorStream())));
    Thread.ofVirtual().start(this::watch);
  }

  /** Removes from an environment what a task must not see or do. */
  static void limit(Map<String, String> environment) {
    environment.keySet().removeIf(name -> ENVIRONMENT.stream().noneMatch(name::startsWith));
    environment.put(NativeLibraries.OFFLINE, "true");
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
    for (String name : PROPERTIES) {
      String value = System.getProperty(name);
      if (value != null) {
        command.add("-D" + name + "=" + absolute(value));
      }
    }
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

  /** Makes a path absolute, for the task runs in another folder; a mere name stays one. */
  private static String absolute(String value) {
    return value.contains(File.separator) ? Path.of(value).toAbsolutePath().toString() : value;
  }

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
   * @return how the task ended
   * @throws InterruptedException if this thread is interrupted; the task runs on until it is closed
   */
  Ending await() throws InterruptedException {
    int exitCode = process.waitFor();
    for (Thread thread : threads) {
      thread.join(OUTPUT_TIMEOUT); // a process that it has started may hold the pipe open for ever
    }
    String limit = exceeded;
    TaskEvent.Failed failed = failure;
    if (limit != null) {
      return new Ending(limit, false, false);
    }
    if (failed != null) {
      return new Ending(failed.reason(), failed.retryable(), failed.unsupported());
    }
    if (outOfMemory) {
      return new Ending(memoryLimit("Java's heap is used up"), false, false);
    }
    if (exitCode == 0) {
      return new Ending(null, false, false);
    }
    return new Ending(
        exitCode > SIGNAL_OFFSET
            ? "the process was ended by signal " + (exitCode - SIGNAL_OFFSET)
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
          handleLine(new String(line, 0, length, StandardCharsets.UTF_8));
          length = 0;
        } else if (length < line.length) {
          line[length++] = (byte) next;
        }
      }
    } catch (IOException e) {
      handleLine("task output cannot be read: " + e.getMessage());
    }
  }

  private void handleLine(String line) {
    if (line.startsWith(EVENT)) {
      try {
        TaskEvent event = JsonMapper.shared().readValue(line, TaskEvent.class);
        if (event instanceof TaskEvent.Failed failed) {
          failure = failed;
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
      listener.accept(new TaskEvent.Log(line));
    }
  }

  private void watch() {
    try {
      while (!process.waitFor(CHECK_INTERVAL.toMillis(), TimeUnit.MILLISECONDS)) {
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

  /** Returns which limit is exceeded, or null. */
  private @Nullable String limit() {
    if (System.nanoTime() - started > limits.time.toNanos()) {
      return "time limit: the task took longer than %d seconds".formatted(limits.time.toSeconds());
    }
    long memory =
        Stream.concat(Stream.of(process.toHandle()), process.descendants())
            .mapToLong(each -> residentMemory(each.pid()))
            .sum();
    if (memory > limits.memoryBytes) {
      return memoryLimit(String.format(Locale.ROOT, "the task used %,d MB", memory / 1_000_000));
    }
    long disk = ownBytes();
    if (disk > limits.diskBytes) {
      return String.format(
          Locale.ROOT,
          "disk limit: the task wrote %,d MB; the limit is %,d MB",
          disk / 1_000_000,
          limits.diskBytes / 1_000_000);
    }
    return null;
  }

  private String memoryLimit(String usage) {
    return String.format(
        Locale.ROOT,
        "memory limit: %s; the limit is %,d MB",
        usage,
        limits.memoryBytes / 1_000_000);
  }

  /** Counts memory without mapped files; 0 for a process that is gone, or without /proc. */
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

  /** Counts the bytes of the task's own files. */
  private long ownBytes() {
    long[] sum = {0};
    try {
      Files.walkFileTree(
          folder.path(),
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path inner, BasicFileAttributes attributes) {
              boolean input = inner.equals(folder.data()) || inner.equals(folder.model());
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
    List<ProcessHandle> children = new ArrayList<>(process.descendants().toList());
    process.destroyForcibly();
    children.forEach(ProcessHandle::destroyForcibly);
  }

  /** Kills what still runs, and waits until it has ended. */
  @Override
  public void close() {
    kill();
    Uninterruptibles.await(process::waitFor);
  }
}
