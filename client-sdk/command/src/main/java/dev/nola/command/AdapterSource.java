package dev.nola.command;

import dev.nola.api.name.Reference;
import dev.nola.client.RegistryException;
import dev.nola.client.lora.ImportRefusedException;
import dev.nola.client.lora.ImportReport;
import dev.nola.client.lora.ImportedLora;
import dev.nola.client.lora.LoraImport;
import dev.nola.client.oci.OciClient;
import dev.nola.client.oci.OciPulled;
import dev.nola.client.oci.OciReference;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Opens an argument {@code FILE_OR_REF}, and declares the options for that: an adapter in a
 * container registry if it begins with {@code oci://}, a file or a LoRA of PEFT if the path exists,
 * otherwise an adapter in a Nola registry.
 */
public final class AdapterSource {
  @Mixin private RegistryOption registry = new RegistryOption();

  @Option(
      names = "--offline",
      description =
          "Do not contact the registry; use the versions that references resolved to when last"
              + " pulled.")
  private boolean offline;

  @Option(
      names = "--plain-http",
      description =
          "Connect to the registry of an oci:// reference without TLS, as is always done on this"
              + " machine.")
  private boolean plainHttp;

  /** LoRAs of PEFT whose conversion was reported. */
  private final Set<Path> reported = new HashSet<>();

  /**
   * An adapter and what it was opened as.
   *
   * @param name the file's path, or the reference by version number or manifest
   * @param path of the file, in the cache if it was pulled
   * @param file the adapter
   * @param converted what it was converted from; null if it is an adapter file
   */
  public record Opened(String name, Path path, AdapterFile file, @Nullable Converted converted) {
    /**
     * Returns what the adapter was converted from, for {@code --json}.
     *
     * @return a list of one element, or of none if it is an adapter file
     */
    public List<Converted> conversions() {
      return converted == null ? List.of() : List.of(converted);
    }
  }

  /**
   * A LoRA of PEFT that was converted in memory.
   *
   * @param source the path as given
   * @param bits width of a code
   * @param relativeError ‖ΔW' − ΔW‖ / ‖ΔW‖ over all modules together
   * @param notes what the user should know
   * @param warnings what the user should heed
   */
  public record Converted(
      String source, int bits, double relativeError, List<String> notes, List<String> warnings) {}

  /**
   * Returns whether the registry must not be contacted.
   *
   * @return whether {@code --offline} was given
   */
  public boolean isOffline() {
    return offline;
  }

  /**
   * Returns the registry in which references are resolved.
   *
   * @param output knows the environment
   * @return its URL
   */
  public URI registry(Output output) {
    return registry.url(output);
  }

  /**
   * Creates a client for a registry that a lock file names.
   *
   * @param named the registry's URL
   * @param output knows the environment
   * @return the client, to be closed
   * @throws IOException if the stored tokens cannot be read
   */
  public NolaClient client(URI named, Output output) throws IOException {
    return registry.client(named, offline, output);
  }

  /**
   * Opens an adapter; a LoRA of PEFT is converted without its base model.
   *
   * @param fileOrReference a path, or a reference such as {@code acme/mood@prod}
   * @param output receives messages
   * @return the adapter
   * @throws IOException if it cannot be read or pulled, or is refused
   * @throws InterruptedException if the thread is interrupted while it waits
   * @throws ImportRefusedException if it is a LoRA of PEFT that cannot be converted
   */
  public Opened open(String fileOrReference, Output output)
      throws IOException, InterruptedException, ImportRefusedException {
    return open(fileOrReference, null, output);
  }

  /**
   * Opens an adapter.
   *
   * @param fileOrReference a path, or a reference such as {@code acme/mood@prod}
   * @param base the base model by which a LoRA of PEFT is converted; null if it is not known
   * @param output receives messages
   * @return the adapter
   * @throws IOException if it cannot be read or pulled, or is refused
   * @throws InterruptedException if the thread is interrupted while it waits
   * @throws ImportRefusedException if it is a LoRA of PEFT that cannot be converted
   */
  public Opened open(String fileOrReference, @Nullable Path base, Output output)
      throws IOException, InterruptedException, ImportRefusedException {
    if (OciReference.isMeantBy(fileOrReference)) {
      OciPulled pulled = pull(OciReference.parse(fileOrReference), output);
      String name = pulled.pinned().toString();
      return new Opened(name, pulled.path(), naming(name, pulled::open), null);
    }
    if (isFile(fileOrReference)) {
      return openFile(Path.of(fileOrReference), base, output);
    }
    Pulled pulled = pull(Reference.parse(fileOrReference), output);
    String name = pulled.pinned().toString();
    return new Opened(name, pulled.path(), naming(name, pulled::open), null);
  }

  /**
   * Opens a file, or converts a LoRA of PEFT and says so.
   *
   * @param path the file, or the folder of a LoRA
   * @param base the base model by which a LoRA of PEFT is converted; null if it is not known
   * @param output receives messages
   * @return the adapter
   * @throws IOException if it cannot be read or is refused
   * @throws ImportRefusedException if it is a LoRA of PEFT that cannot be converted
   * @throws InterruptedException if the thread is interrupted meanwhile
   */
  private Opened openFile(Path path, @Nullable Path base, Output output)
      throws IOException, ImportRefusedException, InterruptedException {
    String name = path.toString();
    if (!LoraImport.isMeantBy(path)) {
      return new Opened(name, path, naming(name, () -> AdapterFile.read(path)), null);
    }
    LoraImport.Builder lora = LoraImport.of(path).statesIdentity(false);
    if (base != null) {
      lora.base(base);
    }
    ImportedLora imported = lora.read();
    ImportReport report = imported.report();
    if (reported.add(path)) {
      report(name, report, output);
    }
    return new Opened(
        name,
        path,
        imported.file(),
        new Converted(
            name,
            LoraImport.DEFAULT_BITS,
            report.quantization().overall(),
            report.notes(),
            report.warnings()));
  }

  private static void report(String name, ImportReport report, Output output) {
    output.message(
        "%s is a LoRA of PEFT, converted in memory at %d bits, which changes ΔW by %s of its norm",
        name,
        LoraImport.DEFAULT_BITS,
        String.format(Locale.ROOT, "%.1e", report.quantization().overall()));
    report.warnings().forEach(warning -> output.warn(name + ": " + warning));
    report.notes().forEach(note -> output.message("note: %s: %s", name, note));
  }

  /**
   * Requires a path to be that of an adapter file.
   *
   * @param path the path
   * @param why follows "not an adapter file"; may be empty
   * @return the path
   * @throws IllegalArgumentException if it is that of a LoRA of PEFT
   */
  public static Path requireAdapterFile(Path path, String why) {
    if (LoraImport.isMeantBy(path)) {
      throw new IllegalArgumentException(
          "%s is not an adapter file%s; if it is a LoRA of PEFT, convert it with nola import-peft"
              .formatted(path, why));
    }
    return path;
  }

  /** An action on an adapter. */
  @FunctionalInterface
  public interface Reading<T> {
    /**
     * Runs the action.
     *
     * @return the result
     * @throws IOException if the adapter cannot be read or is refused
     */
    T get() throws IOException;
  }

  /**
   * Runs an action and puts the adapter's name before the message of its failure.
   *
   * @param name the name that the user gave the adapter
   * @param reading the action
   * @param <T> the type of its result
   * @return its result
   * @throws IOException if it fails; a {@link RefusedAdapterException} if the adapter is refused
   */
  public static <T> T naming(String name, Reading<T> reading) throws IOException {
    try {
      return reading.get();
    } catch (AdapterException e) {
      throw new RefusedAdapterException(name, e);
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(name + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * Returns whether an argument means a file rather than a reference.
   *
   * @param fileOrReference a path or a reference
   * @return whether the file exists
   * @throws NoSuchFileException if it does not exist and cannot be a reference
   * @throws IllegalArgumentException if it is a reference with an invalid name, version or digest
   */
  public static boolean isFile(String fileOrReference) throws NoSuchFileException {
    if (OciReference.isMeantBy(fileOrReference)) {
      return false;
    }
    if (Files.exists(Path.of(fileOrReference))) {
      return true;
    }
    if (fileOrReference.endsWith(AdapterFile.EXTENSION)) {
      throw new NoSuchFileException(fileOrReference);
    }
    try {
      Reference.parse(fileOrReference);
    } catch (IllegalArgumentException notAReference) {
      if (fileOrReference.contains("/") && fileOrReference.contains("@")) {
        throw notAReference; // which names the part that is wrong
      }
      throw new NoSuchFileException(
          fileOrReference, null, "no such file, and not a reference such as acme/mood@1.2.0");
    }
    return false;
  }

  /**
   * Pulls an adapter, and warns if it is yanked or disputed.
   *
   * @param reference the adapter's reference
   * @param output receives messages and progress
   * @return the file in the cache
   * @throws IOException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Pulled pull(Reference reference, Output output) throws IOException, InterruptedException {
    return pull(registry(output), reference, output);
  }

  /**
   * Pulls an adapter from a registry that a lock file names, and warns if it is yanked or disputed.
   *
   * @param named the registry's URL
   * @param reference the adapter's reference
   * @param output receives messages and progress
   * @return the file in the cache
   * @throws IOException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public Pulled pull(URI named, Reference reference, Output output)
      throws IOException, InterruptedException {
    Pulled pulled;
    try (NolaClient client = client(named, output);
        ProgressBar bar = output.bar("pull")) {
      pulled = YankedVersions.explaining(client, reference, () -> client.pull(reference, bar));
    }
    if (pulled.yanked() != null) {
      output.warn(
          "%s is yanked and should no longer be used: %s"
              .formatted(pulled.pinned(), pulled.yanked()));
    }
    warnOfDispute(pulled, output);
    return pulled;
  }

  /**
   * Creates a client for an artifact in a container registry, with the login of {@code docker
   * login}.
   *
   * @param reference the artifact
   * @param output knows the environment
   * @return the client, to be closed
   * @throws IOException if {@code --offline} was given
   */
  public OciClient client(OciReference reference, Output output) throws IOException {
    if (offline) {
      throw RegistryException.unavailable(
          "%s is not available offline: only its registry can resolve it; keep the file with: nola pull %s -o FILE"
              .formatted(reference, reference),
          null);
    }
    return OciClient.of(reference, plainHttp, output.console().environment());
  }

  /**
   * Pulls an adapter from a container registry.
   *
   * @param reference the artifact
   * @param output receives progress
   * @return the file in the cache
   * @throws IOException if the registry refuses or cannot be reached
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public OciPulled pull(OciReference reference, Output output)
      throws IOException, InterruptedException {
    try (OciClient client = client(reference, output);
        ProgressBar bar = output.bar("pull")) {
      return client.pull(bar);
    }
  }

  /**
   * Warns if a worker contradicts the bits of a file that was pulled.
   *
   * @param pulled the file
   * @param output receives the warning
   */
  public static void warnOfDispute(Pulled pulled, Output output) {
    if (pulled.disputed()) {
      output.warn(
          "%s is disputed: a worker attests other bits, unconfirmed".formatted(pulled.pinned()));
    }
  }
}
