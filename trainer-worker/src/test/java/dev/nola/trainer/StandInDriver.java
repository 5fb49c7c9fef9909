package dev.nola.trainer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/** A driver whose kernels run on the CPU, so that PyTorch's arrays are in its memory. */
public final class StandInDriver implements AutoCloseable {
  private static final Path LIBRARY =
      Path.of("../gpu/target/stand-in/libcuda.so.1").toAbsolutePath().normalize();

  private static final String PROPERTY = "nola.cuda.library";

  private StandInDriver() {}

  /** Lets GPUs be looked for by this driver until it is closed; skips the test without it. */
  public static StandInDriver use() {
    assumeTrue(
        Files.exists(LIBRARY), "skipped: run the tests of module gpu first, with g++: " + LIBRARY);
    System.setProperty(PROPERTY, LIBRARY.toString());
    return new StandInDriver();
  }

  /** Lets no driver be found until it is closed, on any machine. */
  public static StandInDriver useNone() {
    System.setProperty(PROPERTY, "libcuda-missing.so.1");
    return new StandInDriver();
  }

  /** Lets a library that is not a driver be taken for one until it is closed. */
  public static StandInDriver useOtherLibrary() {
    Path library = Path.of(System.getProperty("java.home"), "lib", System.mapLibraryName("java"));
    System.setProperty(PROPERTY, library.toString());
    return new StandInDriver();
  }

  /**
   * Changes what the driver answers.
   *
   * @param setting {@code version}, as CUDA counts them, or {@code launchError}, 0 for none
   */
  @SuppressWarnings("restricted") // calls native code, which is the purpose
  public static void set(String setting, long value) {
    MethodHandle set =
        Linker.nativeLinker()
            .downcallHandle(
                SymbolLookup.libraryLookup(LIBRARY, Arena.global()).findOrThrow("standin_set"),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    try (Arena arena = Arena.ofConfined()) {
      if ((int) set.invokeExact(arena.allocateFrom(setting), value) != 0) {
        throw new IllegalStateException("unknown setting: " + setting);
      }
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    System.clearProperty(PROPERTY);
  }
}
