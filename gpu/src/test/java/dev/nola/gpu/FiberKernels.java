package dev.nola.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.nola.format.Adapter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The CUDA kernels, compiled by g++ and run on the CPU (src/test/cpp). */
@SuppressWarnings("restricted") // calls native code, which is the purpose
final class FiberKernels {
  private static final Path SOURCE = Path.of("src/test/cpp/shim.cpp");

  private final MethodHandle launch;

  private FiberKernels(SymbolLookup library) {
    this.launch =
        Linker.nativeLinker()
            .downcallHandle(
                library.findOrThrow("nola_launch"),
                FunctionDescriptor.of(
                    JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));
  }

  /**
   * Compiles the kernels.
   *
   * @param folder receives the library
   * @return the kernels, or empty if there is no g++
   */
  static Optional<FiberKernels> compile(Path folder) throws InterruptedException {
    Path library = folder.resolve("kernels.so");
    List<String> command =
        List.of(
            "g++", "-std=c++17", "-O2", "-ffp-contract=off", "-shared", "-fPIC", "-w", "-o",
            library.toString(), SOURCE.toString());
    Process compiler;
    try {
      compiler = new ProcessBuilder(command).inheritIO().start();
    } catch (IOException _) {
      return Optional.empty();
    }
    if (compiler.waitFor() != 0) {
      throw new UncheckedIOException(new IOException("g++ failed: " + command));
    }
    return Optional.of(new FiberKernels(SymbolLookup.libraryLookup(library, Arena.global())));
  }

  /**
   * Reconstructs adapters that share a plan.
   *
   * @param plan the plan
   * @param adapters the adapters
   * @param type how elements are stored
   * @param order seed of the order in which threads continue after a barrier; 0 is ascending
   * @param arena owns the result
   * @return the output, of one adapter after the other, every byte of it that no kernel wrote FF
   */
  MemorySegment reconstruct(
      FactorPlan plan, List<Adapter> adapters, ElementType type, long order, Arena arena) {
    MemorySegment slots = arena.allocate(plan.slotBytes() * adapters.size(), 16);
    for (int i = 0; i < adapters.size(); i++) {
      plan.writeSlot(
          adapters.get(i),
          slots.asSlice(i * plan.slotBytes(), plan.slotBytes()).asByteBuffer());
    }
    MemorySegment output =
        arena.allocate(plan.elements() * adapters.size() * type.dtype().bytes(), 64).fill((byte) -1);
    for (FactorPlan.Launch part : plan.launches()) {
      MemorySegment factors = arena.allocate(part.factors().length, 8);
      factors.copyFrom(MemorySegment.ofArray(part.factors()));
      MemorySegment tiles = arena.allocateFrom(JAVA_INT, part.tiles());
      MemorySegment arguments = arena.allocate(FactorPlan.ARGUMENT_BYTES, 8);
      plan.writeArguments(
          new FactorPlan.Addresses(
              factors.address(), tiles.address(), slots.address(), output.address()),
          type,
          arguments.asByteBuffer());
      String function = part.kernel().function(type);
      int result;
      try {
        result =
            (int)
                launch.invokeExact(
                    arena.allocateFrom(function),
                    part.tiles().length,
                    adapters.size(),
                    part.kernel().threads(),
                    order,
                    arguments);
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
      if (result != 0) {
        throw new AssertionError("unknown kernel: " + function);
      }
    }
    return output;
  }
}
