package dev.nola.bench;

import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterException;
import dev.nola.format.AdapterFile;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.format.RealAdapters;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.ReconstructionDigest;
import dev.nola.reconstruct.Reconstructor;
import java.security.MessageDigest;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.Blackhole;

/** Whole adapters, from the bytes of the file to the digest that it carries. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class AdapterBenchmark {
  /** Adapters of the benchmark. */
  public enum Subject {
    /** 72 matrices, rank 8, k = l = 1000. */
    GPT2_LARGE_QV_SRHT,
    /** 224 matrices, rank 16, k = l = 128. */
    LLAMA2_7B_SRHT,
    /** The same on independent bases. */
    LLAMA2_7B_UNIFORM8,
    /** 65,536 matrices of one element, rank 1, k = l = 4. */
    TINY_LAYERS_UNIFORM8,
    /** The same by rademacher, whose blocks are the longest. */
    TINY_LAYERS_RADEMACHER;

    Adapter adapter() {
      return switch (this) {
        case GPT2_LARGE_QV_SRHT ->
            RealAdapters.gpt2LargeQueryValue(Generator.SRHT, 36, 1000).build();
        case LLAMA2_7B_SRHT -> RealAdapters.llama2AllLinear(Generator.SRHT).build();
        case LLAMA2_7B_UNIFORM8 -> RealAdapters.llama2AllLinear(Generator.UNIFORM8).build();
        case TINY_LAYERS_UNIFORM8 -> tinyLayers(Generator.UNIFORM8);
        case TINY_LAYERS_RADEMACHER -> tinyLayers(Generator.RADEMACHER);
      };
    }
  }

  private static Adapter tinyLayers(Generator generator) {
    Adapter.Builder adapter =
        Adapter.builder()
            .generator(generator)
            .seed(1)
            .base(new BaseModel("tiny", "main", null))
            .metadata(Metadata.of("Layers of one element", "benchmark", "Apache-2.0"));
    Codes codes = Codes.of(4, 1, 2, 3, 4);
    for (int i = 0; i < 65_536; i++) {
      adapter.layer(
          Layer.ofMatrix("layer." + i, 1, 1, i, 1, new Coefficients.LowRank(1, codes, codes)));
    }
    return adapter.build();
  }

  /** What is reconstructed. */
  @Param public Subject subject = Subject.GPT2_LARGE_QV_SRHT;

  private byte[] file = {};
  private byte[] factorBytes = {};

  /** Seals the adapter. */
  @Setup
  public void prepare() throws AdapterException {
    Adapter adapter = subject.adapter();
    file = Reconstructor.standard().seal(adapter).toBytes();
    Layer layer = adapter.layers().getFirst();
    factorBytes = new byte[4 * layer.rows()];
  }

  /** Number of threads. */
  @State(Scope.Thread)
  public static class Threads {
    /** Number of threads. */
    @Param({"1", "2"})
    public int threads = 1;
  }

  /** Reads the file, reconstructs every factor, compares the digest. */
  @Benchmark
  public ReconstructionDigest verify(Threads state) throws AdapterException {
    return Reconstructor.standard().withThreads(state.threads).verify(AdapterFile.read(file));
  }

  /** Reads the file. */
  @Benchmark
  public AdapterFile read() throws AdapterException {
    return AdapterFile.read(file);
  }

  /** Reads the file and reconstructs every factor, on one thread. */
  @Benchmark
  public void readAndReconstruct(Blackhole hole) throws AdapterException {
    Adapter adapter = AdapterFile.read(file).adapter();
    Function<Layer, Factors> factors = Reconstructor.standard().open(adapter);
    for (Layer layer : adapter.layers()) {
      hole.consume(factors.apply(layer));
    }
  }

  /** Hashes as many bytes as the factors have, in pieces of some kilobytes, on one thread. */
  @Benchmark
  public byte[] hash() throws AdapterException {
    MessageDigest digest = Sha256.newMessageDigest();
    long bytes = 0;
    for (Layer layer : AdapterFile.read(file).adapter().layers()) {
      for (Side side : Side.values()) {
        Basis basis = layer.basis(Generator.SRHT, 0, side);
        bytes += basis == null ? 0 : 4L * basis.length();
      }
    }
    for (; bytes > 0; bytes -= factorBytes.length) {
      digest.update(factorBytes);
    }
    return digest.digest();
  }
}
