package dev.nola.reconstruct;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.cases.PropertyTest;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.CorruptAdapterException;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.format.LimitExceededException.Limit;
import dev.nola.format.RandomAdapters;
import dev.nola.generator.Generator;
import dev.nola.kernel.Kernel;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class ReconstructionPropertiesTest {
  private final Reconstructor reconstructor = Reconstructor.standard();

  @PropertyTest(cases = 300)
  void fileWrittenReadAndWrittenAgainIsIdentical(long seed) throws IOException {
    AdapterFile file = reconstructor.seal(RandomAdapters.of(seed));
    byte[] bytes = file.toBytes();

    AdapterFile read = AdapterFile.read(bytes);

    assertThat(read).isEqualTo(file);
    assertThat(read.toBytes()).isEqualTo(bytes);
    assertThat(reconstructor.verify(read).root()).isEqualTo(file.reconstructionDigest());
  }

  @PropertyTest(cases = 200)
  void orderOfBuildingDoesNotChangeTheFile(long seed) throws IOException {
    assertThat(reconstructor.seal(RandomAdapters.shuffled(seed)).toBytes())
        .isEqualTo(reconstructor.seal(RandomAdapters.of(seed)).toBytes());
  }

  @PropertyTest(cases = 60)
  void numberOfThreadsDoesNotChangeTheDigest(long seed) throws IOException {
    Adapter adapter = RandomAdapters.of(seed);
    ReconstructionDigest one = reconstructor.withThreads(1).digest(adapter);
    assertThat(reconstructor.withThreads(2).digest(adapter)).isEqualTo(one);
    assertThat(reconstructor.withThreads(7).digest(adapter)).isEqualTo(one);
  }

  @PropertyTest(cases = 100)
  void factorsOfAllLayersEqualThoseOfSingleLayers(long seed) throws IOException {
    AdapterFile file = reconstructor.seal(RandomAdapters.of(seed));
    Function<Layer, Factors> oneByOne = reconstructor.open(file.adapter());
    List<Factors> all = reconstructor.withThreads(2).factors(file.adapter());
    List<Factors> verified = reconstructor.withThreads(2).verifiedFactors(file);

    assertThat(all).extracting(Factors::layer).isEqualTo(file.adapter().layers());
    assertThat(verified).extracting(Factors::layer).isEqualTo(file.adapter().layers());
    for (int i = 0; i < all.size(); i++) {
      Factors expected = oneByOne.apply(all.get(i).layer());
      for (Factors actual : List.of(all.get(i), verified.get(i))) {
        assertThat(actual.rank()).isEqualTo(expected.rank());
        assertThat(actual.a()).isEqualTo(expected.a());
        assertThat(actual.b()).isEqualTo(expected.b());
      }
    }
  }

  @Test
  void factorsOfAnotherDigestAreNotReturned() throws IOException {
    AdapterFile file = reconstructor.seal(RandomAdapters.of(1));
    AdapterFile forged = new AdapterFile(file.adapter(), Sha256.hash(new byte[0]));
    assertThatThrownBy(() -> reconstructor.verifiedFactors(forged))
        .isInstanceOf(DigestMismatchException.class)
        .hasMessage(
            "reconstruction digest failed: expected=%s actual=%s",
            forged.reconstructionDigest(), file.reconstructionDigest());
  }

  @PropertyTest(cases = 100)
  void anyPartOfDeltaIsTheSumOverRanksOfTheSpecification(long seed) throws IOException {
    Adapter adapter = RandomAdapters.of(seed);
    for (Layer layer : adapter.layers()) {
      Factors factors = reconstructor.open(adapter).apply(layer);
      double[] whole = new double[(int) layer.elements()];
      factors.delta(0, whole, whole.length);
      int start = Math.floorMod(seed, whole.length);
      double[] part = new double[whole.length - start];
      factors.delta(start, part, part.length);
      assertThat(part).isEqualTo(Arrays.copyOfRange(whole, start, whole.length));

      float[] b = factors.b();
      for (int e = 0; e < whole.length; e++) {
        double expected = b == null ? factors.a()[e] : 0.0;
        for (int t = 0; b != null && t < factors.rank(); t++) {
          expected +=
              (double) factors.a()[e / layer.cols() * factors.rank() + t]
                  * b[t * layer.cols() + e % layer.cols()];
        }
        assertThat(whole[e]).isEqualTo(expected);
      }
    }
  }

  @Test
  void budgetRefusesBeforeAnythingIsComputed() {
    // 300 bytes that ask for two factors of 2^30 elements and a terabyte of ΔW.
    Codes one = Codes.of(1, 0);
    Adapter huge =
        Adapter.builder()
            .generator(Generator.SRHT)
            .layer(Layer.ofMatrix("w", 1 << 20, 1 << 20, 0, 1, new LowRank(1 << 10, one, one)))
            .build();
    assertThatThrownBy(() -> reconstructor.digest(huge))
        .isInstanceOf(LimitExceededException.class)
        .hasMessageContaining(
            "reconstruction of tensor w exceeds the budget: 8,594,129,152 bytes of memory; limit is");
    assertThatThrownBy(() -> reconstructor.factors(huge))
        .isInstanceOf(LimitExceededException.class);
  }

  @Test
  void budgetCountsAdditionsOverAllLayers() throws IOException {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.RADEMACHER);
    for (int i = 0; i < 3; i++) {
      adapter.layer(Layer.ofMatrix("w." + i, 10, 10, i, 1, new Direct(Codes.of(1, new int[7]))));
    }
    Adapter small = adapter.build();
    reconstructor.withBudget(new Budget(1 << 20, 3 * 100 * 7)).digest(small);
    assertThatThrownBy(() -> reconstructor.withBudget(new Budget(1 << 20, 2099)).digest(small))
        .isInstanceOfSatisfying(
            LimitExceededException.class,
            refused -> {
              assertThat(refused)
                  .hasMessage("reconstruction exceeds the budget: 2,100 additions; limit is 2,099");
              assertThat(refused.limit()).isEqualTo(Limit.ADDITIONS);
              assertThat(refused.required()).isEqualTo(2100);
            });
  }

  @Test
  void budgetCountsTheMemoryOfFactorsAndTheirAccumulators() throws IOException {
    Codes one = Codes.of(1, new int[1 << 5]);
    Adapter.Builder adapter = Adapter.builder().generator(Generator.SRHT);
    for (int i = 0; i < 3; i++) {
      adapter.layer(Layer.ofMatrix("w." + i, 64, 64, i, 1, new LowRank(16, one, one)));
    }
    Adapter small = adapter.build();
    long side = 4 * 64 * 16;
    long transform = 8 * 64 * 16; // or a part of the factor, and the transform
    long object = 256;

    // One factor at a time for a digest, however many threads; one layer, or all, for factors.
    assertThat(smallestMemory(budget -> reconstructor.withBudget(budget).digest(small)))
        .isEqualTo(side + transform + object);
    assertThat(smallestMemory(budget -> reconstructor.withBudget(budget).open(small)))
        .isEqualTo(2 * side + transform + object);
    assertThat(smallestMemory(budget -> reconstructor.withBudget(budget).open(small, 2)))
        .isEqualTo(2 * (2 * side + transform + object));
    assertThat(
            smallestMemory(
                budget -> reconstructor.withThreads(2).withBudget(budget).factors(small)))
        .isEqualTo(3 * (2 * side + object) + 2 * transform);
  }

  @FunctionalInterface
  private interface Attempt {
    void within(Budget budget) throws LimitExceededException;
  }

  /** The memory that an attempt asks for if it has one byte, which then is enough. */
  private static long smallestMemory(Attempt attempt) throws LimitExceededException {
    long bytes = 1;
    for (int tries = 0; tries < 4; tries++) {
      try {
        attempt.within(new Budget(bytes, Long.MAX_VALUE));
        return bytes;
      } catch (LimitExceededException e) {
        assertThat(e.limit()).isEqualTo(Limit.MEMORY);
        bytes = e.required();
      }
    }
    throw new AssertionError("the memory that is asked for is never enough: " + bytes);
  }

  @Test
  void factorThatIsNotHeldWholeHasTheSameDigest() throws IOException {
    int rows = 3 * 1024 + 1;
    Adapter adapter =
        Adapter.builder()
            .generator(Generator.RADEMACHER)
            .layer(Layer.ofMatrix("w", rows, 1000, 0, 0x1p-5f, new Direct(Codes.of(2, 1, 3, 0))))
            .build();
    assertThat(rows * 1000).isGreaterThan(2 * Kernel.CHUNK);
    Budget aThird = new Budget(4L * Kernel.CHUNK + (1 << 19), Long.MAX_VALUE);

    Sha256 streamed = reconstructor.withBudget(aThird).digest(adapter).layers().getFirst();

    Factors whole = reconstructor.open(adapter).apply(adapter.layers().getFirst());
    assertThat(streamed).isEqualTo(ReconstructionDigest.leaf(whole));
    assertThatThrownBy(() -> reconstructor.withBudget(aThird).open(adapter))
        .isInstanceOf(LimitExceededException.class);
  }

  @Test
  void refusalOfAnotherFileNamesTheExpectedMagic() {
    assertThatThrownBy(
            () -> AdapterFile.read("not an adapter, but long enough to be one".getBytes(US_ASCII)))
        .isInstanceOf(CorruptAdapterException.class)
        .hasMessage(
            "not a .nola file: it begins with 6e 6f 74 20; must begin with 4e 4f 4c 41 (NOLA); it"
                + " seems to be text");
  }
}
