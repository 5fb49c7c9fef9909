package dev.nola.registry.database;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The process of PostgreSQL that works on a cluster of files: started and stopped here, or left
 * running by a server that was killed.
 *
 * @param process the running process
 * @param port on which it listens
 */
record Postmaster(ProcessHandle process, int port) {
  private static final int PORT_LINE = 3;
  private static final int MAX_TAIL = 8 * 1024;
  private static final int TAIL_LINES = 6;
  private static final String START_SECONDS = "60";
  private static final String STOP_SECONDS = "20";

  /** Higher than any number of a process. */
  private static final String NOBODY = "99999999";

  /** Finds the process that works on a cluster, if there is one. */
  static Optional<Postmaster> find(Path cluster) throws IOException {
    List<String> lines;
    try {
      lines = Files.readAllLines(pidFile(cluster));
    } catch (NoSuchFileException _) {
      return Optional.empty();
    }
    if (lines.size() <= PORT_LINE) {
      return Optional.empty(); // it was killed while it began
    }
    try {
      int port = Integer.parseInt(lines.get(PORT_LINE).strip());
      return ProcessHandle.of(Long.parseLong(lines.getFirst().strip()))
          .filter(process -> worksOn(cluster, process))
          .map(process -> new Postmaster(process, port));
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }

  /**
   * Makes PostgreSQL ignore a lock file whose process is gone. After the start of a container, or
   * of the machine, the number in it can be that of an unrelated process; only the number is
   * replaced, as the rest of the file tells PostgreSQL whether its shared memory is still in use.
   */
  static void releaseStaleLock(Path cluster) throws IOException {
    Path file = pidFile(cluster);
    if (Files.exists(file) && find(cluster).isEmpty()) {
      List<String> lines = Files.readAllLines(file);
      String rest = String.join("\n", lines.subList(Math.min(1, lines.size()), lines.size()));
      Files.writeString(file, NOBODY + "\n" + rest + "\n");
    }
  }

  private static Path pidFile(Path cluster) {
    return cluster.resolve("postmaster.pid");
  }

  private static boolean worksOn(Path cluster, ProcessHandle process) {
    try {
      // PostgreSQL changes to its cluster's folder.
      return Files.isSameFile(Path.of("/proc/" + process.pid() + "/cwd"), cluster);
    } catch (IOException _) {
      return process.info().command().orElse("").endsWith("/postgres"); // no /proc here
    }
  }

  /**
   * Starts the process and waits until it accepts connections.
   *
   * @throws IOException if it does not, with the last lines of its log
   */
  static Postmaster start(PostgresPrograms programs, Path cluster, int port, Path log)
      throws IOException {
    long begin = Files.exists(log) ? Files.size(log) : 0;
    String options =
        "-p "
            + port
            + " -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=100"
            + " -c fsync=on -c synchronous_commit=on"
            // Rows of a large catalog are in memory: an index is worth it for many of them, too.
            + " -c shared_buffers=512MB -c random_page_cost=1.1";
    int code =
        programs.run(
            log, cluster, "pg_ctl", "start", "-s", "-w", "-t", START_SECONDS, "-o", options);
    Optional<Postmaster> started = code == 0 ? find(cluster) : Optional.empty();
    return started.orElseThrow(() -> new IOException(tail(log, begin)));
  }

  /** Stops the process, ending its connections. */
  void stop(PostgresPrograms programs, Path cluster, Path log) throws IOException {
    int code =
        programs.run(log, cluster, "pg_ctl", "stop", "-s", "-m", "fast", "-w", "-t", STOP_SECONDS);
    if (code != 0 && process.isAlive()) {
      throw new IOException("PostgreSQL does not stop: process " + process.pid());
    }
  }

  /**
   * Returns the last lines of a log.
   *
   * @param log the file
   * @param begin offset in bytes before which nothing is of interest
   */
  static String tail(Path log, long begin) {
    try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
      file.seek(Math.max(begin, file.length() - MAX_TAIL));
      byte[] bytes = new byte[(int) (file.length() - file.getFilePointer())];
      file.readFully(bytes);
      List<String> lines =
          new String(bytes, StandardCharsets.UTF_8)
              .lines()
              .map(String::strip)
              .filter(line -> !line.isEmpty())
              .toList();
      return lines.isEmpty()
          ? "its log has no lines"
          : String.join(" | ", lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size()));
    } catch (IOException e) {
      return "its log cannot be read: " + e.getMessage();
    }
  }
}
