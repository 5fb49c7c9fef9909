package dev.nola.client.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Tensor;
import dev.nola.files.FileTree;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.format.Slice;
import dev.nola.generator.Generator;
import dev.nola.gpu.CudaDevice;
import dev.nola.reconstruct.Reconstructor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Merged models against {@link PlainMerge}, bit for bit, on one thread or several, or on a GPU. */
class MergedBitsTest {
  private static final List<Machine> MACHINES = new ArrayList<>();

  @TempDir private Path folder;

  /** What merges. */
  private record Machine(int threads, @Nullable CudaDevice gpu) {
    ModelMerge.Builder into(Path base) {
      ModelMerge.Builder merge = ModelMerge.into(base).threads(threads);
      return gpu == null ? merge : merge.gpu(gpu);
    }

    @Override
    public String toString() {
      return threads + " threads, " + (gpu == null ? "CPU" : "GPU");
    }
  }

  @BeforeAll
  static void openMachines() {
    for (int threads : new int[] {1, 2, 7}) {
      MACHINES.add(new Machine(threads, null));
    }
    StandInGpu.open().ifPresent(gpu -> MACHINES.add(new Machine(3, gpu)));
  }

  @AfterAll
  static void closeMachines() {
    MACHINES.stream().map(Machine::gpu).filter(Objects::nonNull).forEach(CudaDevice::close);
  }

  private static LongStream seeds() {
    return LongStream.concat(
        LongStream.of(0, -1, Long.MIN_VALUE, Long.MAX_VALUE), new SplittableRandom(1).longs(150));
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void anyShapesTypesAndSlicesGiveThePlainMergesBits(long seed) throws Exception {
    Path here = Files.createTempDirectory("nola-merge");
    try {
      compare(here, new Case(seed));
    } finally {
      FileTree.delete(here);
    }
  }

  @Test
  void aTensorOfSeveralTasksGivesThePlainMergesBits() throws Exception {
    // 67 MB and 37 MB of bf16: more than the 64 MB of a task, and than the 4 MB of a piece, with
    // rows that no piece ends with.
    Map<String, List<Integer>> shapes =
        Map.of("wide", List.of(4099, 8195), "fused", List.of(2051, 3, 3001));
    TestModel model = new TestModel();
    shapes.forEach(
        (name, shape) ->
            model.with(name, DType.BF16, shape.stream().mapToInt(Integer::intValue).toArray()));
    Codes codes = Codes.of(4, 1, 2, 3, 14, 15, 7);
    Adapter adapter =
        Adapter.builder()
            .generator(Generator.SRHT)
            .seed(3)
            .layer(Layer.ofMatrix("wide", 4099, 8195, 0, 0x1p-6f, new LowRank(2, codes, codes)))
            .layer(
                new Layer(
                    "fused",
                    shapes.get("fused"),
                    new Slice(1, 1, 2),
                    2051,
                    6002,
                    1,
                    0x1p-6f,
                    new LowRank(1, codes, codes)))
            .build();
    Path base = model.writeShards(folder.resolve("base"), 2);
    for (Machine machine : MACHINES) {
      Path merged = folder.resolve("merged");
      machine.into(base).adapter(Reconstructor.standard().seal(adapter), 0.5).build().write(merged);
      try (Model result = Model.open(merged)) {
        for (String name : shapes.keySet()) {
          byte[] expected =
              PlainMerge.merge(
                  name,
                  DType.BF16,
                  shapes.get(name),
                  model.data(name),
                  List.of(adapter),
                  new double[] {0.5});
          requireEqual(name, machine, expected, result.tensors().get(name));
        }
      }
      FileTree.delete(merged);
    }
  }

  @Test
  void notANumberAndInfinityKeepTheirBits() throws Exception {
    for (DType dtype : DType.values()) {
      TestModel model = new TestModel().with("w", dtype, 2, 40);
      MemorySegment weights = model.data("w");
      TestModel.set(dtype, weights, 3, Float.POSITIVE_INFINITY);
      TestModel.set(dtype, weights, 4, Float.NEGATIVE_INFINITY);
      weights.set(ValueLayout.JAVA_BYTE, 5L * dtype.bytes(), (byte) 0x5A);
      weights.set(ValueLayout.JAVA_BYTE, 6L * dtype.bytes() - 1, (byte) 0xFF); // NaN
      weights.set(ValueLayout.JAVA_BYTE, 6L * dtype.bytes() - 2, (byte) 0xDA);
      Codes codes = Codes.of(4, 15, 15);
      Adapter adapter =
          Adapter.builder()
              .generator(Generator.RADEMACHER)
              .layer(Layer.ofMatrix("w", 2, 40, 0, 0x1p-5f, new LowRank(1, codes, codes)))
              .build();
      Path merged = folder.resolve(dtype + ".merged");
      ModelMerge.into(model.writeFile(folder.resolve(dtype + ".safetensors")))
          .adapter(Reconstructor.standard().seal(adapter))
          .build()
          .write(merged);
      try (Model result = Model.open(merged)) {
        MemorySegment data = result.tensors().get("w").data();
        long start = 3L * dtype.bytes();
        long end = 6L * dtype.bytes();
        assertThat(MemorySegment.mismatch(data, start, end, weights, start, end)).isEqualTo(-1);
        assertThat(TestModel.get(dtype, data, 5)).isNaN();
        assertThat(data.mismatch(weights)).isNotEqualTo(-1);
      }
    }
  }

  private static void compare(Path folder, Case given) throws Exception {
    Path base =
        given.shards == 0
            ? given.model.writeFile(folder.resolve("base.safetensors"))
            : given.model.writeShards(folder.resolve("base"), given.shards);
    for (Machine machine : MACHINES) {
      ModelMerge.Builder merge = machine.into(base);
      for (int i = 0; i < given.weights.length; i++) {
        merge.adapter(given.files.get(i), given.weights[i]);
      }
      Path merged = folder.resolve("merged " + machine);
      merge.build().write(merged);
      try (Model result = Model.open(merged)) {
        assertThat(result.tensors().keySet())
            .containsExactlyInAnyOrderElementsOf(given.shapes.keySet());
        for (Map.Entry<String, List<Integer>> tensor : given.shapes.entrySet()) {
          String name = tensor.getKey();
          byte[] expected =
              PlainMerge.merge(
                  name,
                  given.types.get(name),
                  tensor.getValue(),
                  given.model.data(name),
                  given.files.stream().map(AdapterFile::adapter).toList(),
                  given.weights);
          requireEqual(
              name + " of seed " + given.seed, machine, expected, result.tensors().get(name));
        }
      }
    }
  }

  private static void requireEqual(String name, Machine machine, byte[] expected, Tensor actual) {
    assertThat(MemorySegment.ofArray(expected).mismatch(actual.data()))
        .as("first byte of %s that differs, %s", name, machine)
        .isEqualTo(-1);
  }

  /** A random base model, with random adapters for it. */
  private static final class Case {
    private final long seed;
    private final Random random;
    private final Map<String, List<Integer>> shapes = new LinkedHashMap<>();
    private final Map<String, DType> types = new LinkedHashMap<>();
    private final TestModel model = new TestModel();
    private final int shards;
    private final List<AdapterFile> files = new ArrayList<>();
    private final double[] weights;
    private Generator generator = Generator.SRHT;

    Case(long seed) throws Exception {
      this.seed = seed;
      this.random = new Random(seed);
      for (int i = 0; i < 1 + random.nextInt(4); i++) {
        String name = "layers." + i + ".w";
        int[] shape = random.ints(1 + random.nextInt(3), 1, 14).toArray();
        types.put(name, DType.values()[random.nextInt(3)]);
        shapes.put(name, IntStream.of(shape).boxed().toList());
        model.with(name, types.get(name), shape);
      }
      shards = random.nextInt(3);
      weights = random.doubles(1 + random.nextInt(3), -2, 2).toArray();
      for (int i = 0; i < weights.length; i++) {
        files.add(Reconstructor.standard().seal(adapter()));
      }
    }

    private Adapter adapter() {
      generator = Generator.values()[random.nextInt(5)];
      Adapter.Builder adapter =
          Adapter.builder().generator(generator).seed(isLora() ? 0 : random.nextLong());
      List<String> names = new ArrayList<>(shapes.keySet());
      for (String name : names.subList(0, 1 + random.nextInt(names.size()))) {
        layers(name).forEach(adapter::layer);
      }
      return adapter.build();
    }

    /** One layer of the whole tensor, or up to two disjoint slices. */
    private List<Layer> layers(String name) {
      List<Integer> shape = shapes.get(name);
      int dim = random.nextInt(shape.size());
      int size = shape.get(dim);
      if (size < 2 || random.nextInt(3) == 0) {
        return List.of(layer(name, null));
      }
      int middle = 1 + random.nextInt(size - 1);
      Layer first = layer(name, new Slice(dim, random.nextInt(middle), 1));
      return random.nextBoolean()
          ? List.of(first)
          : List.of(first, layer(name, new Slice(dim, middle, size - middle)));
    }

    private Layer layer(String name, @Nullable Slice slice) {
      List<Integer> shape = new ArrayList<>(shapes.get(name));
      if (slice != null) {
        shape.set(slice.dim(), slice.length());
      }
      int elements = shape.stream().reduce(1, (a, b) -> a * b);
      List<Integer> divisors =
          IntStream.rangeClosed(1, elements).filter(d -> elements % d == 0).boxed().toList();
      int cols = divisors.get(random.nextInt(divisors.size()));
      int rank = random.nextInt(6);
      Coefficients coefficients =
          rank == 0
              ? new Direct(codes(elements))
              : new LowRank(rank, codes(rank * elements / cols), codes(rank * cols));
      return new Layer(
          name,
          shapes.get(name),
          slice,
          elements / cols,
          cols,
          isLora() ? 0 : random.nextInt(),
          scale(coefficients instanceof Direct ? 1 : 2),
          coefficients);
    }

    /** Of a size that makes deltas comparable to weights, whatever the generator's integers are. */
    private float scale(int sides) {
      int bits =
          switch (generator) {
            case UNIFORM24 -> 24;
            case UNIFORM8 -> 8;
            case RADEMACHER, SRHT, IDENTITY -> 0;
          };
      return (float) Math.scalb(1 + random.nextDouble(), -sides * (bits + 5));
    }

    private boolean isLora() {
      return generator == Generator.IDENTITY;
    }

    /** One coefficient, or for a LoRA one an element. */
    private Codes codes(int elements) {
      int count = isLora() ? elements : 1;
      int bits = 1 + random.nextInt(8);
      return Codes.of(bits, random.ints(count, 0, 1 << bits).toArray());
    }
  }
}
