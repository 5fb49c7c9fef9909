package dev.nola.registry;

import java.io.IOException;
import java.io.UncheckedIOException;
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
  private boolean isKilled;

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
    InstalledPostgres postgres = prepare(programs);
    Path folder = postgres.folder;
    Path password = Files.writeString(folder.resolve("password"), PASSWORD);
    String cluster = postgres.cluster();
    postgres.asOwner(
        "initdb", "-D", cluster, "-U", "postgres", "-A", "scram-sha-256", "--pwfile=" + password);
    postgres.launch();
    postgres.shell(
        "PGUSER=postgres psql -q -d postgres -c \"create role nola login createdb password '"
            + PASSWORD
            + "'\" && createdb nola",
        folder);
    return postgres;
  }

  private static InstalledPostgres prepare(Path programs) throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("nola-postgres");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    if (isRoot()) {
      Shell.run("chown postgres .", folder, Map.of());
    }
    return new InstalledPostgres(programs, folder, ServerProcess.freePort());
  }

  private void launch() throws IOException, InterruptedException {
    String options =
        "-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories=''".formatted(port);
    asOwner("pg_ctl", "-D", cluster(), "-w", "-l", cluster() + ".log", "-o", options, "start");
  }

  /** Starts a standby that every commit waits for from then on. */
  InstalledPostgres startStandby() throws IOException, InterruptedException {
    InstalledPostgres standby = prepare(programs);
    String source = "host=127.0.0.1 port=%d user=postgres password=%s".formatted(port, PASSWORD);
    standby.asOwner("pg_basebackup", "-d", source, "-D", standby.cluster(), "-R");
    standby.launch();
    shell(
        "PGUSER=postgres psql -q -d postgres"
            + " -c \"alter system set synchronous_standby_names = '*'\""
            + " -c 'select pg_reload_conf()' >reload.log",
        folder);
    return standby;
  }

  /** Makes the standby the primary, and waits until it is. */
  void promote() throws IOException, InterruptedException {
    asOwner("pg_ctl", "-D", cluster(), "-w", "promote");
  }

  /** Ends it as a crash does. */
  void kill() throws IOException, InterruptedException {
    asOwner("pg_ctl", "-D", cluster(), "-m", "immediate", "-w", "stop");
    isKilled = true;
  }

  /** What a server needs to use its database {@code nola}. */
  Map<String, String> settings() {
    return settings(address(), "");
  }

  /** What a server needs to use this database, or that of a standby which was promoted. */
  Map<String, String> settings(InstalledPostgres standby) {
    return settings(address() + "," + standby.address(), "?targetServerType=primary");
  }

  private String address() {
    return "127.0.0.1:" + port;
  }

  private static Map<String, String> settings(String addresses, String query) {
    return Map.of(
        "NOLA_DATABASE_URL",
        "jdbc:postgresql://" + addresses + "/nola" + query,
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

  @Override
  public void close() {
    try {
      if (!isKilled) {
        asOwner("pg_ctl", "-D", cluster(), "-m", "fast", "-w", "stop");
      }
      FileSystemUtils.deleteRecursively(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("PostgreSQL in " + folder + " was not stopped", e);
    }
  }
}
