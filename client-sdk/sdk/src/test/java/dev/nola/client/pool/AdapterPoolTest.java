package dev.nola.client.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.client.Adapters;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.reconstruct.Budget;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AdapterPoolTest {
  /** Of the factors of {@link Adapters#small}: ranks 2, 6×5 and 4×4. */
  private static final long BYTES = 4 * 2 * (6 + 5 + 4 + 4);

  private final StagedKernel kernel = new StagedKernel();
  private final Reconstructor staged = Reconstructor.standard().withKernel(kernel).withThreads(2);

  @Test
  void theFactorsAreThoseOfTheReconstructorWhetherVerifiedOrNot() throws Exception {
    AdapterFile file = Adapters.small(1);
    Function<Layer, Factors> expected = Reconstructor.standard().open(file.adapter());
    try (AdapterPool pool = new AdapterPool(0, Reconstructor.standard().withThreads(2))) {
      pool.put("a", file);
      for (ActiveAdapter activated : List.of(pool.activate("a"), pool.activate("a"))) {
        assertThat(activated.factors())
            .extracting(Factors::layer)
            .isEqualTo(file.adapter().layers());
        for (Factors factors : activated.factors()) {
          assertThat(factors.a()).isEqualTo(expected.apply(factors.layer()).a());
          assertThat(factors.b()).isEqualTo(expected.apply(factors.layer()).b());
        }
      }
      assertThat(pool.metrics().activations()).isEqualTo(2);
    }
  }

  @Test
  void anActiveAdapterIsTheSameUntilItIsEvicted() throws Exception {
    try (AdapterPool pool = pool(2 * BYTES)) {
      putSmall(pool, "a", "b", "c");
      ActiveAdapter a = pool.activate("a");
      ActiveAdapter b = pool.activate("b");
      assertThat(a.bytes()).isEqualTo(BYTES);
      assertThat(pool.activate("a")).isSameAs(a);

      pool.activate("c"); // b has been asked for least recently

      assertThat(pool.activate("a")).isSameAs(a);
      assertThat(pool.activate("b")).isNotSameAs(b);
      AdapterPool.Metrics metrics = pool.metrics();
      assertThat(metrics.activeBytes()).isEqualTo(2 * BYTES);
      assertThat(metrics.active()).isEqualTo(2);
      assertThat(metrics.hits()).isEqualTo(2);
      assertThat(metrics.activations()).isEqualTo(4);
      assertThat(metrics.evictions()).isEqualTo(2);
      assertThat(metrics.failures()).isZero();
    }
  }

  @Test
  void whoHasAnAdapterKeepsItsBitsWhateverThePoolDoes() throws Exception {
    AdapterPool pool = pool(BYTES);
    putSmall(pool, "a", "b");
    ActiveAdapter held = pool.activate("a");
    List<float[]> before = held.factors().stream().map(f -> f.a().clone()).toList();
    pool.activate("b");
    pool.put("a", Adapters.small(9));
    pool.activate("a");
    pool.remove("a");
    pool.close();
    for (int i = 0; i < before.size(); i++) {
      assertThat(held.factors().get(i).a()).isEqualTo(before.get(i));
    }
  }

  @Test
  void heldBytesAreThoseOfTheFilesAndDenseTensorsCountAsActive() throws Exception {
    AdapterFile file = withDense(Adapters.small(3));
    try (AdapterPool pool = pool(BYTES + 8)) {
      pool.put("a", file);
      pool.put("a", file);
      assertThat(pool.metrics().heldBytes()).isEqualTo(file.toBytes().length);
      assertThat(pool.metrics().adapters()).isEqualTo(1);
      ActiveAdapter activated = pool.activate("a");
      assertThat(activated.bytes()).isEqualTo(BYTES + 8);
      assertThat(activated.adapter().dense()).isEqualTo(file.adapter().dense());
      assertThat(pool.metrics().activeBytes()).isEqualTo(BYTES + 8);
    }
  }

  @Test
  void anAdapterBeyondTheBoundIsHandedOutAndNotKeptAndEvictsNone() throws Exception {
    try (AdapterPool pool = pool(BYTES)) {
      putSmall(pool, "a");
      pool.put("large", withDense(Adapters.small(3)));
      ActiveAdapter a = pool.activate("a");
      assertThat(pool.activate("large").bytes()).isEqualTo(BYTES + 8);
      assertThat(pool.activate("a")).isSameAs(a);
      assertThat(pool.metrics().active()).isEqualTo(1);
      assertThat(pool.metrics().evictions()).isZero();
    }
  }

  @Test
  void manyThreadsThatAskAtOnceGetOneActivation() throws Exception {
    int threads = 16;
    kernel.stop();
    try (AdapterPool pool = new AdapterPool(BYTES, staged);
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      putSmall(pool, "a");
      List<Future<ActiveAdapter>> answers = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        answers.add(callers.submit(() -> pool.activate("a")));
      }
      while (pool.metrics().hits() < threads - 1) {
        Thread.onSpinWait();
      }
      kernel.go();
      ActiveAdapter first = answers.getFirst().get();
      for (Future<ActiveAdapter> answer : answers) {
        assertThat(answer.get()).isSameAs(first);
      }
      assertThat(pool.metrics().activations()).isEqualTo(1);
    }
  }

  @Test
  void anAdapterThatFailsVerificationIsRefusedToAllAndTriedAnewByTheNext() throws Exception {
    AdapterFile file = Adapters.small(1);
    try (AdapterPool pool = new AdapterPool(BYTES, staged);
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      pool.put("a", file);
      kernel.turn(StagedKernel.Outcome.WRONG);
      kernel.stop();
      Future<ActiveAdapter> one = callers.submit(() -> pool.activate("a"));
      Future<ActiveAdapter> other = callers.submit(() -> pool.activate("a"));
      while (pool.metrics().hits() < 1) {
        Thread.onSpinWait();
      }
      kernel.go();
      for (Future<ActiveAdapter> answer : List.of(one, other)) {
        assertThatThrownBy(answer::get)
            .cause()
            .isInstanceOf(DigestMismatchException.class)
            .hasMessageStartingWith(
                "reconstruction digest failed: expected=%s actual=", file.reconstructionDigest());
      }
      assertThat(pool.metrics().failures()).isEqualTo(1);
      assertThat(pool.metrics().active()).isZero();

      kernel.turn(StagedKernel.Outcome.RIGHT);
      assertThat(pool.activate("a").factors()).hasSize(2);
    }
  }

  @Test
  void aForgedDigestIsTakenAndNeverHandedOut() throws Exception {
    AdapterFile forged =
        new AdapterFile(Adapters.small(1).adapter(), Sha256.hash(new byte[] {1, 2}));
    try (AdapterPool pool = pool(BYTES)) {
      pool.put("a", forged);
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> pool.activate("a")).isInstanceOf(DigestMismatchException.class);
      }
      assertThat(pool.metrics().failures()).isEqualTo(2);
    }
  }

  @Test
  void whatWasVerifiedOnceIsNotHashedAgain() throws Exception {
    try (AdapterPool pool = new AdapterPool(0, staged)) {
      putSmall(pool, "a");
      float[] verified = pool.activate("a").factors().getFirst().a();
      kernel.turn(StagedKernel.Outcome.WRONG); // as only a faulty machine would
      assertThat(pool.activate("a").factors().getFirst().a()).isNotEqualTo(verified);
    }
  }

  @Test
  void anotherAdapterOfAVerifiedNameIsVerifiedItself() throws Exception {
    try (AdapterPool pool = pool(BYTES)) {
      putSmall(pool, "a");
      pool.activate("a");
      pool.put("a", new AdapterFile(Adapters.small(2).adapter(), Sha256.hash(new byte[0])));
      assertThatThrownBy(() -> pool.activate("a")).isInstanceOf(DigestMismatchException.class);
    }
  }

  @Test
  void anErrorWhileActivatingReachesTheCallerAndLeavesThePoolUsable() throws Exception {
    try (AdapterPool pool = new AdapterPool(BYTES, staged)) {
      putSmall(pool, "a");
      kernel.turn(StagedKernel.Outcome.OUT_OF_MEMORY);
      assertThatThrownBy(() -> pool.activate("a")).isInstanceOf(OutOfMemoryError.class);
      kernel.turn(StagedKernel.Outcome.RIGHT);
      assertThat(pool.activate("a").bytes()).isEqualTo(BYTES);
    }
  }

  @Test
  void interruptingOneWhoWaitsLeavesTheActivationToTheOthers() throws Exception {
    kernel.stop();
    try (AdapterPool pool = new AdapterPool(BYTES, staged)) {
      putSmall(pool, "a");
      FutureTask<ActiveAdapter> interrupted = new FutureTask<>(() -> pool.activate("a"));
      FutureTask<ActiveAdapter> patient = new FutureTask<>(() -> pool.activate("a"));
      Thread first = Thread.startVirtualThread(interrupted);
      kernel.awaitReached();
      Thread.startVirtualThread(patient);
      first.interrupt();
      assertThatThrownBy(interrupted::get).hasCauseInstanceOf(InterruptedException.class);
      kernel.go();
      assertThat(patient.get().bytes()).isEqualTo(BYTES);
      assertThat(pool.metrics().activations()).isEqualTo(1);
    }
  }

  @Test
  void whatIsRemovedOrReplacedWhileItIsActivatedIsHandedOutAndNotKept() throws Exception {
    kernel.stop();
    try (AdapterPool pool = new AdapterPool(2 * BYTES, staged)) {
      putSmall(pool, "removed");
      FutureTask<ActiveAdapter> removed = new FutureTask<>(() -> pool.activate("removed"));
      Thread.startVirtualThread(removed);
      kernel.awaitReached();
      pool.put("replaced", Adapters.small(1));
      FutureTask<ActiveAdapter> replaced = new FutureTask<>(() -> pool.activate("replaced"));
      Thread.startVirtualThread(replaced);
      FutureTask<ActiveAdapter> again = new FutureTask<>(() -> pool.activate("replaced"));
      Thread.startVirtualThread(again);
      while (pool.metrics().hits() < 1) {
        Thread.onSpinWait();
      }
      assertThat(pool.remove("removed")).isTrue();
      pool.put("replaced", Adapters.small(2));
      kernel.go();

      assertThat(removed.get().bytes()).isEqualTo(BYTES);
      assertThat(replaced.get().adapter().seed()).isEqualTo(1);
      assertThat(again.get()).isSameAs(replaced.get());
      assertThat(pool.metrics().active()).isZero();
      assertThat(pool.activate("replaced").adapter().seed()).isEqualTo(2);
    }
  }

  @Test
  void removingTakesTheFactorsAlong() throws Exception {
    try (AdapterPool pool = pool(BYTES)) {
      putSmall(pool, "a", "b");
      pool.activate("a");
      assertThat(pool.remove("a")).isTrue();
      assertThat(pool.remove("a")).isFalse();
      assertThat(pool.names()).containsExactly("b");
      assertThat(pool.metrics().activeBytes()).isZero();
      assertThat(pool.metrics().evictions()).isZero();
      assertThatThrownBy(() -> pool.activate("a"))
          .isInstanceOf(NoSuchElementException.class)
          .hasMessage("the pool has no adapter a");
    }
  }

  @Test
  void closingEndsTheWaitingOfAll() throws Exception {
    kernel.stop();
    AdapterPool pool = new AdapterPool(BYTES, staged);
    putSmall(pool, "a", "b");
    FutureTask<ActiveAdapter> underWay = new FutureTask<>(() -> pool.activate("a"));
    Thread.startVirtualThread(underWay);
    kernel.awaitReached();
    FutureTask<ActiveAdapter> queued = new FutureTask<>(() -> pool.activate("b"));
    FutureTask<ActiveAdapter> second = new FutureTask<>(() -> pool.activate("b"));
    Thread.startVirtualThread(queued);
    Thread.startVirtualThread(second);
    while (pool.metrics().hits() < 1) {
      Thread.onSpinWait();
    }
    pool.close();
    for (FutureTask<ActiveAdapter> waiting : List.of(underWay, queued, second)) {
      assertThatThrownBy(waiting::get)
          .isInstanceOf(ExecutionException.class)
          .cause()
          .isInstanceOf(IllegalStateException.class)
          .hasMessageEndingWith("the adapter pool is closed");
    }
    assertThatThrownBy(() -> pool.activate("a")).hasMessage("the adapter pool is closed");
    assertThatThrownBy(() -> putSmall(pool, "c")).hasMessage("the adapter pool is closed");
    pool.close();
  }

  @Test
  void whatWouldExceedTheBudgetIsNotTaken() {
    Reconstructor narrow = Reconstructor.standard().withBudget(new Budget(1000, 1 << 20));
    try (AdapterPool pool = new AdapterPool(BYTES, narrow)) {
      assertThatThrownBy(() -> putSmall(pool, "a"))
          .isInstanceOf(LimitExceededException.class)
          .hasMessage(
              "reconstruction of tensor h.0.w exceeds the budget: 1,368 bytes of memory; limit is 1,000");
      assertThat(pool.names()).isEmpty();
    }
  }

  @Test
  void aNegativeBoundIsRefused() {
    assertThatThrownBy(() -> new AdapterPool(-1, Reconstructor.standard()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("invalid activeBound: -1; must not be negative");
  }

  private static AdapterPool pool(long bound) {
    return new AdapterPool(bound, Reconstructor.standard().withThreads(1));
  }

  private static void putSmall(AdapterPool pool, String... names) throws LimitExceededException {
    for (String name : names) {
      pool.put(name, Adapters.small(name.charAt(0)));
    }
  }

  /** The same with a dense tensor of 8 bytes. */
  static AdapterFile withDense(AdapterFile file) throws LimitExceededException {
    Adapter of = file.adapter();
    Adapter.Builder adapter = Adapter.builder().generator(of.generator()).seed(of.seed());
    of.layers().forEach(adapter::layer);
    adapter.dense(
        new DenseTensor("norm", DType.F32, List.of(2), MemorySegment.ofArray(new byte[8])));
    return Reconstructor.standard().seal(adapter.build());
  }
}
