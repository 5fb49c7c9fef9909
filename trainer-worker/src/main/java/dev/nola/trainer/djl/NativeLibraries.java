package dev.nola.trainer.djl;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.engine.StandardCapabilities;
import ai.djl.pytorch.jni.LibUtils;
import ai.djl.util.Utils;
import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.CudaException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The native libraries of PyTorch and of the tokenizers, which DJL loads. */
public final class NativeLibraries {
  /** The environment variable that decides whether DJL may download. */
  public static final String OFFLINE = "DJL_OFFLINE";

  static final String LIBRARY_PATH = "PYTORCH_LIBRARY_PATH";
  private static final String VERSION = "PYTORCH_VERSION";
  private static final String FLAVOR = "PYTORCH_FLAVOR";

  /** Describes the PyTorch among the program's libraries. */
  private static final String BUNDLED = "/native/lib/pytorch.properties";

  /** The flavors for which DJL brings a binding. */
  private static final String CPU = "cpu";

  private static final String CUDA = "cu128";

  private static @Nullable Engine torch;
  private static @Nullable TorchFolder library;

  private NativeLibraries() {}

  /**
   * Keeps DJL from downloading libraries, whatever it finds on the machine. Must be called before
   * DJL loads one.
   *
   * @throws IllegalArgumentException if {@value #OFFLINE} allows it, which DJL prefers to what is
   *     set here
   */
  public static void stayOffline() {
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("RUST_FLAVOR", CPU); // of the tokenizers, which would ask for CUDA's
    if (!Utils.isOfflineMode()) {
      throw new IllegalArgumentException(
          "%s=%s would let DJL download libraries at run time; unset it, or set it to true"
              .formatted(OFFLINE, Utils.getenv(OFFLINE)));
    }
  }

  /**
   * Returns PyTorch, loaded at the first call.
   *
   * @return the engine
   * @throws IllegalArgumentException if {@value #LIBRARY_PATH} names a PyTorch that does not fit
   *     DJL's binding, if it names none and none is installed, or if it cannot be loaded
   */
  public static synchronized Engine torch() {
    stayOffline();
    Engine loaded = torch;
    if (loaded == null) {
      library = TorchFolder.named().orElse(null);
      if (library != null) {
        library.require();
      }
      loaded = load();
      TorchPrecision.makeExact(isBuiltForCuda());
      torch = loaded;
    }
    return loaded;
  }

  private static Engine load() {
    try {
      return Engine.getEngine("PyTorch");
    } catch (EngineException e) {
      throw new IllegalArgumentException(problem(library, e), e);
    }
  }

  /**
   * Says why PyTorch is not loaded, and what to do about it.
   *
   * @param named the PyTorch that the user has named, or null
   * @param failure what DJL reports, whose causes say more than it does
   */
  static String problem(@Nullable TorchFolder named, EngineException failure) {
    if (named == null && NativeLibraries.class.getResource(BUNDLED) == null) {
      return "PyTorch is not installed; unpack the release's archive of PyTorch, nola-…-pytorch.tar.gz, over that of the programs, or set %s to the libraries of one"
          .formatted(LIBRARY_PATH);
    }
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return named == null
        ? "PyTorch cannot be loaded: %s; unset %s and %s, or set %s to the libraries of a PyTorch"
            .formatted(reason(cause), VERSION, FLAVOR, LIBRARY_PATH)
        : "PyTorch %s cannot be loaded: %s; install it in %s with the packages that it requires, unset %s and %s, or unset %s"
            .formatted(
                named.version(), reason(cause), named.folder(), VERSION, FLAVOR, LIBRARY_PATH);
  }

  private static String reason(Throwable cause) {
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return message.replaceFirst("[.]$", "");
  }

  /**
   * Returns the version of the PyTorch that is loaded, as its own files state it.
   *
   * @return such as {@code 2.7.1+cu128}; without what follows the + for the bundled one
   */
  public static synchronized String torchVersion() {
    Engine loaded = torch();
    return library == null ? loaded.getVersion() : library.version();
  }

  /**
   * What PyTorch can do with the GPUs of this machine.
   *
   * @param seen number of GPUs that the driver sees; 1 if it fails, because there may be one
   * @param obstacle a clause that says why PyTorch cannot compute on them; null if it can
   */
  public record GpuAccess(int seen, @Nullable String obstacle) {
    /**
     * Tells whether arrays can be on a GPU.
     *
     * @return true if PyTorch can compute there
     */
    public boolean isUsable() {
      return obstacle == null;
    }
  }

  /**
   * Finds out whether PyTorch can compute on a GPU.
   *
   * @return what it can do, or what is missing
   */
  public static GpuAccess gpu() {
    boolean available = torch().hasCapability(StandardCapabilities.CUDA);
    int usable = available ? torch().getGpuCount() : 0;
    if (usable > 0) {
      return new GpuAccess(usable, null);
    }
    try {
      int seen = CudaDevice.count();
      return new GpuAccess(
          seen,
          seen == 0
              ? "the driver sees none, or is not installed"
              : findings(seen, available).obstacle());
    } catch (CudaException e) {
      return new GpuAccess(1, String.valueOf(e.getMessage()));
    }
  }

  private static GpuFindings findings(int seen, boolean available) {
    boolean builtForCuda = isBuiltForCuda();
    String driverCuda = null;
    if (builtForCuda && !available) {
      try (CudaDevice gpu = CudaDevice.open()) {
        driverCuda = gpu.cudaRelease();
      }
    }
    return new GpuFindings(
        seen,
        torchVersion(),
        builtForCuda,
        available,
        driverCuda,
        Utils.getenv("LD_LIBRARY_PATH", "not set"));
  }

  private static boolean isBuiltForCuda() {
    return hasCuda(Path.of(LibUtils.getLibtorchPath()));
  }

  /** Returns whether a folder has PyTorch's libraries for CUDA. */
  private static boolean hasCuda(Path folder) {
    return Files.exists(folder.resolve(System.mapLibraryName("torch_cuda")));
  }

  /**
   * A PyTorch that the user has named.
   *
   * @param folder with {@code libtorch.so}
   * @param version as its files state it
   */
  record TorchFolder(Path folder, String version) {
    /** The files that state a version: of Python's package, and of the archive for C++. */
    private static final Path PYTHON = Path.of("../version.py");

    private static final Path ARCHIVE = Path.of("../build-version");

    /** Finds the one that the environment or a system property names. */
    static Optional<TorchFolder> named() {
      String name = Utils.getEnvOrSystemProperty(LIBRARY_PATH);
      return name == null || name.isEmpty() ? Optional.empty() : Optional.of(of(Path.of(name)));
    }

    static TorchFolder of(Path folder) {
      Path python = folder.resolve(PYTHON);
      Path archive = folder.resolve(ARCHIVE);
      try {
        if (Files.isReadable(python)) {
          try (Stream<String> lines = Files.lines(python)) {
            Optional<String> version =
                lines
                    .filter(line -> line.startsWith("__version__"))
                    .map(line -> line.replaceAll(".*=\\s*['\"]|['\"].*", ""))
                    .findFirst();
            if (version.isPresent()) {
              return new TorchFolder(folder, version.get());
            }
          }
        }
        if (Files.isReadable(archive)) {
          return new TorchFolder(folder, Files.readString(archive).strip());
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      throw new IllegalArgumentException(
          "version of PyTorch unknown: %s=%s; must be the folder lib of Python's package torch or of libtorch, with version.py or build-version next to it"
              .formatted(LIBRARY_PATH, folder));
    }

    /**
     * Requires that DJL's binding is for this version, and tells DJL which binding to take.
     *
     * @throws IllegalArgumentException if DJL's binding is for another version
     */
    void require() {
      String bound = boundVersion();
      String release = version.replaceFirst("[+].*", "");
      if (!release.equals(bound)) {
        throw new IllegalArgumentException(
            "PyTorch %s does not match DJL's binding, which is for %s: %s; unset %s, or set it to a PyTorch of that version"
                .formatted(version, bound, folder, LIBRARY_PATH));
      }
      setIfAbsent(VERSION, release);
      setIfAbsent(FLAVOR, flavor());
    }

    /**
     * Returns the flavor of the binding. Without a driver, the one for CUDA cannot be loaded; the
     * one for the CPU can, also with a PyTorch for CUDA.
     */
    String flavor() {
      return hasCuda(folder) && driverSeesGpu() ? CUDA : CPU;
    }

    private static boolean driverSeesGpu() {
      try {
        return CudaDevice.count() > 0;
      } catch (CudaException _) {
        return false; // gpu() reports why
      }
    }

    private static void setIfAbsent(String name, String value) {
      if (Utils.getEnvOrSystemProperty(name) == null) {
        System.setProperty(name, value);
      }
    }

    private static String boundVersion() {
      try (InputStream in =
          NativeLibraries.class.getResourceAsStream("/jnilib/pytorch.properties")) {
        Properties properties = new Properties();
        if (in != null) {
          properties.load(in);
        }
        // Of PyTorch, and after a - of DJL.
        return properties.getProperty("jni_version", "").replaceFirst("-.*", "");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
