package dev.nola.cli;

import dev.nola.api.name.Reference;
import dev.nola.client.lock.LockFile;
import dev.nola.client.registry.Pulled;
import dev.nola.command.AdapterSource;
import dev.nola.command.Output;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Writes a lock file. */
@Command(
    name = "lock",
    description = {
      "Pin adapters in a lock file for nola verify --lock.",
      "A reference that can move, such as an alias, is pinned to its current version. An"
          + " adapter that is already in the lock file is replaced."
    },
    mixinStandardHelpOptions = true,
    footer = {"", "Example:", "  nola lock acme/mood@prod adapters/tone.nola"})
final class LockCommand implements Callable<Integer> {
  @Parameters(
      arity = "1..*",
      paramLabel = "FILE_OR_REF",
      description = "The adapters; files are locked by their path relative to the lock file.")
  private List<String> adapters = List.of();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "The lock file (default: ${DEFAULT-VALUE}).")
  private Path file = Path.of(LockFile.NAME);

  @Mixin private Trust trust = new Trust();
  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    int required = trust.required(output);
    List<LockFile.Entry> entries = new ArrayList<>();
    if (Files.exists(file)) {
      entries.addAll(LockFile.read(file).adapters());
    }
    for (String adapter : adapters) {
      LockFile.Entry entry =
          AdapterSource.isFile(adapter) ? ofFile(adapter) : ofReference(adapter, required);
      entries.removeIf(other -> names(other).equals(names(entry)));
      entries.add(entry);
    }
    new LockFile(entries).write(file);
    output.print(
        Map.of("lock", file.toString(), "adapters", entries.size()),
        out -> {
          for (LockFile.Entry entry : entries) {
            out.printf("locked %s %s%n", entry.source(), entry.digest());
          }
        });
    return 0;
  }

  /** What an entry replaces: another version of the same adapter, or the same file. */
  private static String names(LockFile.Entry entry) {
    return entry.registry() == null
        ? entry.source()
        : entry.registry() + " " + Reference.parse(entry.source()).adapter();
  }

  private LockFile.Entry ofFile(String adapter) throws IOException {
    if (trust.isDemanded(output)) {
      throw new ParameterException(
          output.command().commandLine(),
          "--require-verified and --key apply to references only: "
              + adapter
              + " is a file; lock it by itself");
    }
    Path path = AdapterSource.requireAdapterFile(Path.of(adapter), ", whose bytes could be locked");
    Path folder = file.toAbsolutePath().normalize().getParent();
    String relative = folder.relativize(path.toAbsolutePath().normalize()).toString();
    byte[] bytes = AdapterSource.naming(adapter, () -> Files.readAllBytes(path));
    AdapterFile read = verified(adapter, bytes);
    return new LockFile.Entry(
        relative, null, Sha256.hash(bytes), read.reconstructionDigest(), 0, List.of());
  }

  private LockFile.Entry ofReference(String adapter, int required)
      throws IOException, InterruptedException {
    Pulled pulled = source.pull(Reference.parse(adapter), output);
    AdapterFile read = verified(adapter, Files.readAllBytes(pulled.path()));
    return new LockFile.Entry(
        pulled.pinned().toString(),
        source.registry(output),
        pulled.digest(),
        read.reconstructionDigest(),
        required,
        trust.keys());
  }

  private static AdapterFile verified(String name, byte[] bytes) throws IOException {
    return AdapterSource.naming(
        name,
        () -> {
          AdapterFile file = AdapterFile.read(bytes);
          Reconstructor.standard().verify(file);
          return file;
        });
  }
}
