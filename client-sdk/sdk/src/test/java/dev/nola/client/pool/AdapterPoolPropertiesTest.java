package dev.nola.client.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.client.Adapters;
import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.Reconstructor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class AdapterPoolPropertiesTest {
  private static final String[] NAMES = {"a", "b", "c", "d", "e"};

  /** Adapters of two sizes: 152 bytes of factors, and 160 with a dense tensor. */
  private final List<AdapterFile> files = new ArrayList<>();

  AdapterPoolPropertiesTest() throws Exception {
    for (int seed = 0; seed < 4; seed++) {
      files.add(Adapters.small(seed));
      files.add(AdapterPoolTest.withDense(Adapters.small(seed)));
    }
  }

  /** A pool as one would write it down: lists, searched and summed again each time. */
  private static final class Expected {
    final long bound;
    final Map<String, AdapterFile> held = new HashMap<>();

    /** Least recently asked for first. */
    final List<String> active = new ArrayList<>();

    long hits;
    long activations;
    long evictions;

    Expected(long bound) {
      this.bound = bound;
    }

    static long bytes(AdapterFile file) {
      return 152 + 8 * file.adapter().dense().size();
    }

    long activeBytes() {
      return active.stream().mapToLong(name -> bytes(held.get(name))).sum();
    }

    void activate(String name) {
      if (active.remove(name)) {
        hits++;
      } else {
        activations++;
        if (bytes(held.get(name)) > bound) {
          return;
        }
        while (activeBytes() + bytes(held.get(name)) > bound) {
          active.removeFirst();
          evictions++;
        }
      }
      active.add(name);
    }

    AdapterPool.Metrics metrics() {
      long heldBytes = held.values().stream().mapToLong(f -> f.toBytes().length).sum();
      return new AdapterPool.Metrics(
          held.size(), heldBytes, active.size(), activeBytes(), hits, activations, 0, evictions);
    }
  }

  private static Stream<Arguments> seedsAndBounds() {
    SplittableRandom random = new SplittableRandom(1);
    // None, one or several adapters fit; below and at the size of one and of all.
    IntStream bounds = IntStream.of(0, 1, 151, 152, 159, 160, 311, 312, 699, 700);
    return IntStream.concat(bounds, random.ints(100, 0, 701))
        .mapToObj(bound -> Arguments.of(random.nextLong(), bound));
  }

  private static Stream<Arguments> fewSeedsAndBounds() {
    return seedsAndBounds().limit(30);
  }

  @ParameterizedTest(name = "seed {0}, bound {1}")
  @MethodSource("seedsAndBounds")
  void anySequenceOfCallsDoesWhatTheModelSays(long seed, int bound) throws Exception {
    Random random = new Random(seed);
    Expected expected = new Expected(bound);
    try (AdapterPool pool = new AdapterPool(bound, Reconstructor.standard().withThreads(1))) {
      for (int step = 0; step < 60; step++) {
        String name = NAMES[random.nextInt(NAMES.length)];
        switch (random.nextInt(6)) {
          case 0 -> {
            AdapterFile file = files.get(random.nextInt(files.size()));
            pool.put(name, file);
            expected.held.put(name, file);
            expected.active.remove(name);
          }
          case 1 -> {
            assertThat(pool.remove(name)).isEqualTo(expected.held.remove(name) != null);
            expected.active.remove(name);
          }
          default -> {
            AdapterFile file = expected.held.get(name);
            if (file == null) {
              assertThatThrownBy(() -> pool.activate(name))
                  .isInstanceOf(NoSuchElementException.class);
            } else {
              requireOf(file, pool.activate(name));
              expected.activate(name);
            }
          }
        }
        assertThat(pool.metrics())
            .as("seed %d, bound %d, step %d", seed, bound, step)
            .isEqualTo(expected.metrics());
        assertThat(pool.names())
            .as("seed %d, bound %d, step %d", seed, bound, step)
            .isEqualTo(expected.held.keySet());
      }
    }
  }

  @ParameterizedTest(name = "seed {0}, bound {1}")
  @MethodSource("fewSeedsAndBounds")
  void manyThreadsAtOnceKeepTheBoundAndTheBooks(long seed, int bound) throws Exception {
    int threads = 6;
    int steps = 60;
    try (AdapterPool pool = new AdapterPool(bound, Reconstructor.standard().withThreads(2));
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Long>> counts = new ArrayList<>();
      for (int caller = 0; caller < threads; caller++) {
        Random random = new Random(seed + caller);
        counts.add(callers.submit(() -> act(pool, random, steps, bound)));
      }
      long answered = 0;
      for (Future<Long> count : counts) {
        answered += count.get();
      }
      AdapterPool.Metrics end = pool.metrics();
      assertThat(end.failures()).as("seed %d, bound %d", seed, bound).isZero();
      assertThat(end.hits() + end.activations())
          .as("seed %d, bound %d", seed, bound)
          .isEqualTo(answered);
      long heldBytes = 0;
      long activeBytes = 0;
      for (String name : pool.names()) {
        long activations = pool.metrics().activations();
        ActiveAdapter active = pool.activate(name);
        if (pool.metrics().activations() == activations) {
          activeBytes += active.bytes();
        }
        heldBytes += file(active).toBytes().length;
      }
      assertThat(pool.metrics().heldBytes()).isEqualTo(heldBytes);
      assertThat(activeBytes).isLessThanOrEqualTo(bound);
    }
  }

  /** Calls at random; returns how many activations were answered. */
  private long act(AdapterPool pool, Random random, int steps, long bound) throws Exception {
    long answered = 0;
    for (int step = 0; step < steps; step++) {
      String name = NAMES[random.nextInt(NAMES.length)];
      switch (random.nextInt(8)) {
        case 0 -> pool.put(name, files.get(random.nextInt(files.size())));
        case 1 -> pool.remove(name);
        default -> {
          try {
            ActiveAdapter active = pool.activate(name);
            answered++;
            requireOf(file(active), active);
          } catch (NoSuchElementException e) {
            assertThat(e).hasMessage("the pool has no adapter " + name);
          }
        }
      }
      assertThat(pool.metrics().activeBytes()).isBetween(0L, bound);
    }
    return answered;
  }

  /** The file that an adapter came from. */
  private AdapterFile file(ActiveAdapter active) {
    return files.stream()
        .filter(file -> file.adapter().equals(active.adapter()))
        .findFirst()
        .orElseThrow();
  }

  private static void requireOf(AdapterFile file, ActiveAdapter active) throws Exception {
    assertThat(active.adapter()).isEqualTo(file.adapter());
    var factors = Reconstructor.standard().open(file.adapter());
    for (var actual : active.factors()) {
      assertThat(actual.a()).isEqualTo(factors.apply(actual.layer()).a());
      assertThat(actual.b()).isEqualTo(factors.apply(actual.layer()).b());
    }
  }
}
