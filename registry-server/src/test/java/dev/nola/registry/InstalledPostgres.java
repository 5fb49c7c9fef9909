package dev.nola.registry;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.util.FileSystemUtils;

/**
 * A PostgreSQL as an operator has it, of the distribution's packages, with the programs to dump and
 * restore it: those that come with the embedded one cannot.
 */
final class InstalledPostgres implements AutoCloseable {
  private static final Path PACKAGES = Path.of("/usr/lib/postgresql");
  private static final String PASSWORD = "of-the-installed-postgres";

  private final Path programs;
  private final Path folder;
  private final int port;

  private InstalledPostgres(Path programs, Path folder, int port) {
    this.programs = programs;
    this.folder = folder;
    this.port = port;
  }

  /** The folder of the newest one's programs, if any is installed. */
  static Optional<Path> programs() throws IOException {
    if (!Files.isDirectory(PACKAGES)) {
      return Optional.empty();
    }
    try (Stream<Path> versions = Files.list(PACKAGES)) {
      return versions
          .sorted(
              Comparator.comparing(
                      (Path version) -> Double.valueOf(version.getFileName().toString()))
                  .reversed())
          .map(version -> version.resolve("bin"))
          .filter(
              bin ->
                  Stream.of("initdb", "pg_ctl", "pg_dump", "pg_restore", "psql", "createdb")
                      .allMatch(program -> Files.isExecutable(bin.resolve(program))))
          .findFirst();
    }
  }

  /** Starts one with a role {@code nola} that may make databases and is no superuser. */
  static InstalledPostgres start(Path programs) throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("nola-postgres");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    InstalledPostgres postgres = new InstalledPostgres(programs, folder, freePort());
    Path password = Files.writeString(folder.resolve("password"), PASSWORD);
    if (isRoot()) {
      Shell.run("chown postgres .", folder, Map.of());
    }
    String cluster = postgres.cluster();
    postgres.asOwner(
        "initdb", "-D", cluster, "-U", "postgres", "-A", "scram-sha-256", "--pwfile=" + password);
    String options =
        "-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
            .formatted(postgres.port);
    postgres.asOwner("pg_ctl", "-D", cluster, "-w", "-l", cluster + ".log", "-o", options, "start");
    postgres.shell(
        "PGUSER=postgres psql -q -d postgres -c \"create role nola login createdb password '"
            + PASSWORD
            + "'\" && createdb nola",
        folder);
    return postgres;
  }

  /** What a server needs to use its database {@code nola}. */
  Map<String, String> settings() {
    return Map.of(
        "NOLA_DATABASE_URL",
        "jdbc:postgresql://127.0.0.1:" + port + "/nola",
        "NOLA_DATABASE_USERNAME",
        "nola",
        "NOLA_DATABASE_PASSWORD",
        PASSWORD);
  }

  /** Runs a script whose PostgreSQL programs are this one's and know where it is. */
  void shell(String script, Path directory) throws IOException, InterruptedException {
    Map<String, String> environment =
        Map.of(
            "PATH",
            programs + ":" + System.getenv("PATH"),
            "PGHOST",
            "127.0.0.1",
            "PGPORT",
            Integer.toString(port),
            "PGUSER",
            "nola",
            "PGPASSWORD",
            PASSWORD);
    Shell.run(script, directory, environment);
  }

  private String cluster() {
    return folder.resolve("cluster").toString();
  }

  /** PostgreSQL does not run as root: there, as the user that its packages make. */
  private void asOwner(String program, String... arguments)
      throws IOException, InterruptedException {
    String command =
        Stream.concat(Stream.of(programs.resolve(program).toString()), Arrays.stream(arguments))
            .map(word -> "'" + word.replace("'", "'\\''") + "'")
            .collect(Collectors.joining(" "));
    Shell.run(
        (isRoot() ? "runuser -u postgres -- " : "") + command, folder, Map.of("LC_ALL", "C.UTF-8"));
  }

  private static boolean isRoot() {
    return System.getProperty("user.name").equals("root");
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Override
  public void close() {
    try {
      asOwner("pg_ctl", "-D", cluster(), "-m", "fast", "-w", "stop");
      FileSystemUtils.deleteRecursively(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("PostgreSQL in " + folder + " was not stopped", e);
    }
  }
}
