package dev.nola.cli;

import dev.nola.api.name.Reference;
import dev.nola.client.lock.LockFile;
import dev.nola.client.oci.OciReference;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import dev.nola.command.AdapterSource;
import dev.nola.command.Output;
import dev.nola.command.OutputPath;
import dev.nola.digest.Sha256;
import dev.nola.files.Destination;
import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
          + " adapter that is already in the lock file is replaced in its place.",
      "With --require-verified or --key, the lock file records what is required, for verify --lock;"
          + " nothing is locked that does not meet it now.",
      "--update resolves such references again: all in the lock file, or those of the adapters"
          + " named."
    },
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  nola lock acme/mood@prod adapters/tone.nola",
      "  nola lock --update"
    })
final class LockCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..*",
      paramLabel = "FILE_OR_REF",
      description = "The adapters; files are locked by their path relative to the lock file.")
  private List<String> adapters = List.of();

  @Option(
      names = {"-o", "--output"},
      converter = OutputPath.class,
      paramLabel = "FILE",
      description = "The lock file (default: ${DEFAULT-VALUE}).")
  private Path file = Path.of(LockFile.NAME);

  @Option(
      names = "--update",
      description =
          "Pin adapters that were locked by an alias, a range or latest to what that means now.")
  private boolean update;

  @Mixin private Trust trust = new Trust();
  @Mixin private AdapterSource source = new AdapterSource();
  @Mixin private Output output = new Output();

  @Override
  public Integer call() throws IOException, InterruptedException {
    Destination.requireFile(file);
    if (update) {
      return update();
    }
    if (adapters.isEmpty()) {
      throw wrong("missing FILE_OR_REF; name the adapters to lock, or pass --update");
    }
    int required = trust.required(output);
    List<LockFile.Entry> entries =
        new ArrayList<>(Files.exists(file) ? LockFile.read(file).adapters() : List.of());
    Map<LockFile.Entry, Boolean> locked = new LinkedHashMap<>();
    for (String adapter : adapters) {
      LockFile.Entry entry =
          AdapterSource.isFile(adapter)
              ? ofFile(adapter)
              : ofReference(adapter, source.registry(output), required, trust.keys());
      locked.put(entry, put(entry, entries));
    }
    new LockFile(entries).write(file);
    output.print(
        Map.of("lock", file.toString(), "adapters", entries.size()),
        out ->
            locked.forEach(
                (entry, isChanged) ->
                    out.printf(
                        "%s %s %s%n",
                        isChanged ? "locked" : "unchanged", entry.source(), entry.digest())));
    return 0;
  }

  /**
   * Puts an entry in the place of the one that it replaces, or at the end.
   *
   * @return whether that changed the list
   */
  private static boolean put(LockFile.Entry entry, List<LockFile.Entry> entries) {
    for (int i = 0; i < entries.size(); i++) {
      if (names(entries.get(i)).equals(names(entry))) {
        return !entries.set(i, entry).equals(entry);
      }
    }
    return entries.add(entry);
  }

  private ParameterException wrong(String message) {
    return new ParameterException(output.command().commandLine(), message);
  }

  /** An adapter that {@code --update} looked at. */
  private record Updated(String requested, String before, String now) {}

  private int update() throws IOException, InterruptedException {
    if (trust.isGiven()) {
      throw wrong(
          "--require-verified and --key do not apply to --update: each adapter keeps its own; to"
              + " change them, lock it again");
    }
    List<LockFile.Entry> entries = new ArrayList<>(LockFile.read(file).adapters());
    Set<String> requested = requestedNames(entries);
    List<Updated> updates = new ArrayList<>();
    for (int i = 0; i < entries.size(); i++) {
      LockFile.Entry entry = entries.get(i);
      if (entry.requested() != null
          && entry.registry() != null
          && (requested.isEmpty() || requested.contains(adapterOf(entry)))) {
        LockFile.Entry now =
            ofReference(
                entry.requested(), entry.registry(), entry.requiredVerifications(), entry.keys());
        entries.set(i, now);
        updates.add(new Updated(entry.requested(), entry.source(), now.source()));
      }
    }
    new LockFile(entries).write(file);
    output.print(
        Map.of("lock", file.toString(), "adapters", entries.size(), "updates", updates),
        out -> {
          for (Updated each : updates) {
            out.printf(
                each.before().equals(each.now()) ? "unchanged %s: %s%n" : "updated %s: %s to %s%n",
                each.requested(),
                each.before(),
                each.now());
          }
        });
    if (updates.isEmpty()) {
      output.message(
          "nothing to update: every adapter of %s was locked as a file, or by a number or digest",
          file);
    }
    return 0;
  }

  /**
   * Returns the names of the adapters to update.
   *
   * @return namespace/name of each; empty for all
   * @throws IllegalArgumentException if one is not in the lock file, or was locked by a number or
   *     digest, which cannot move
   */
  private Set<String> requestedNames(List<LockFile.Entry> entries) {
    Set<String> names = new HashSet<>();
    for (String adapter : adapters) {
      String name = Reference.parse(adapter).adapter().toString();
      LockFile.Entry found =
          entries.stream()
              .filter(entry -> entry.registry() != null)
              .filter(entry -> adapterOf(entry).equals(name))
              .findFirst()
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "%s is not in %s; nola lock %s adds it".formatted(name, file, adapter)));
      if (found.requested() == null) {
        throw new IllegalArgumentException(
            "%s was locked by a number or digest, which cannot move; lock it again by an alias or range, such as %s@latest"
                .formatted(found.source(), name));
      }
      names.add(name);
    }
    return names;
  }

  private static String adapterOf(LockFile.Entry entry) {
    return Reference.parse(entry.source()).adapter().toString();
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
        relative, null, null, Sha256.hash(bytes), read.reconstructionDigest(), 0, List.of());
  }

  private LockFile.Entry ofReference(String adapter, URI registry, int required, List<Sha256> keys)
      throws IOException, InterruptedException {
    if (OciReference.isMeantBy(adapter)) {
      throw new IllegalArgumentException(
          "cannot lock %s: a lock file names files and Nola registries; lock the file that nola pull -o FILE writes"
              .formatted(adapter));
    }
    Reference reference = Reference.parse(adapter);
    Pulled pulled = source.pull(registry, reference, output);
    AdapterFile read = verified(adapter, Files.readAllBytes(pulled.path()));
    if (required > 0) {
      try (NolaClient client = source.client(registry, output)) {
        Trust.require(required, keys, client, pulled, read);
      }
    }
    return new LockFile.Entry(
        pulled.pinned().toString(),
        reference.isPinned() ? null : reference.toString(),
        registry,
        pulled.digest(),
        read.reconstructionDigest(),
        required,
        keys);
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
