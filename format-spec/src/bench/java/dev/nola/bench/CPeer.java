package dev.nola.bench;

import dev.nola.generator.Basis;
import java.io.IOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The same arithmetic in C with AVX2 intrinsics, compiled by the machine's gcc and called on heap
 * arrays without a copy.
 */
public final class CPeer {
  private static final AddressLayout POINTER = ValueLayout.ADDRESS;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

  private final SymbolLookup library;

  private CPeer(SymbolLookup library) {
    this.library = library;
  }

  /**
   * Compiles and loads the C sources.
   *
   * @throws IOException if gcc is absent, or it fails
   */
  public static CPeer compiled() throws IOException {
    Path output = Path.of(System.getenv("NOLA_BENCH_OUTPUT"));
    Path library = Files.createDirectories(output).resolve("libpeer.so");
    List<String> command = new ArrayList<>(List.of("gcc", "-O3", "-mavx2", "-mfma", "-fPIC"));
    command.addAll(List.of("-shared", "-o", library.toString()));
    for (String source : List.of("combine.c", "hadamard.c", "merge.c")) {
      command.add(Path.of(System.getenv("NOLA_BENCH_SOURCES"), source).toString());
    }
    try {
      int status = new ProcessBuilder(command).inheritIO().start().waitFor();
      if (status != 0) {
        throw new IOException("gcc ended with status " + status);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while gcc ran", e);
    }
    return new CPeer(SymbolLookup.libraryLookup(library, Arena.global()));
  }

  private MethodHandle function(String name, FunctionDescriptor signature) {
    return Linker.nativeLinker()
        .downcallHandle(library.findOrThrow(name), signature, Linker.Option.critical(true));
  }

  private static FunctionDescriptor ofVoid(MemoryLayout... arguments) {
    return FunctionDescriptor.ofVoid(arguments);
  }

  /** {@code dev.nola.kernel.Kernel.combine} for codes of at most 4 bits, named by its function. */
  public Combine combine(String name) {
    MethodHandle handle = function(name, ofVoid(LONG, INT, INT, POINTER, INT, FLOAT, POINTER, INT));
    return (basis, coefficients, scale, factor) -> {
      try {
        handle.invokeExact(
            basis.seed(),
            basis.stream(),
            basis.counterTag(),
            MemorySegment.ofArray(coefficients),
            coefficients.length,
            scale,
            MemorySegment.ofArray(factor),
            factor.length);
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    };
  }

  /** The Walsh–Hadamard transform of ints, in place. */
  public Transform hadamard() {
    MethodHandle handle = function("hadamard", ofVoid(POINTER, LONG));
    return values -> {
      try {
        handle.invokeExact(MemorySegment.ofArray(values), (long) values.length);
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    };
  }

  /** The merge of one adapter into bf16 weights. */
  public MergeBf16 mergeBf16() {
    MethodHandle handle =
        function(
            "merge_bf16",
            FunctionDescriptor.of(INT, POINTER, POINTER, INT, INT, INT, POINTER, POINTER));
    return (a, b, rank, rows, cols, weights, merged) -> {
      try {
        int notFinite =
            (int)
                handle.invokeExact(
                    MemorySegment.ofArray(a),
                    MemorySegment.ofArray(b),
                    rank,
                    rows,
                    cols,
                    weights,
                    merged);
        if (notFinite != 0) {
          throw new IllegalStateException("a weight is not finite");
        }
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    };
  }

  /** A factor: {@code factor[e] = f32(f64(Σᵢ vᵢ·bᵢ[e])·f64(scale))}. */
  @FunctionalInterface
  public interface Combine {
    /** Computes a whole factor, whose length is a multiple of 1024. */
    void combine(Basis basis, int[] coefficients, float scale, float[] factor);
  }

  /** A transform in place. */
  @FunctionalInterface
  public interface Transform {
    /** Transforms a power of two of values, at least 64. */
    void transform(int[] values);
  }

  /** A merge of R×C weights. */
  @FunctionalInterface
  public interface MergeBf16 {
    /** Merges; rows must be a multiple of 4, columns of 8192 div rank. */
    void merge(
        float[] a,
        float[] b,
        int rank,
        int rows,
        int cols,
        MemorySegment weights,
        MemorySegment merged);
  }
}
