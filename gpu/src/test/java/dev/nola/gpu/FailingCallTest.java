package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.gpu.check.SampleAdapters;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Lets one call of the driver fail after the other, and requires that nothing leaks. */
class FailingCallTest {
  private static final List<Adapter> ADAPTERS = SampleAdapters.toMerge(2);

  private StandInDriver driver;

  @BeforeEach
  void compileDriver() throws IOException, InterruptedException {
    StandInDriver compiled = StandInDriver.compile().orElse(null);
    assumeTrue(compiled != null, "g++ not found");
    driver = compiled;
  }

  @AfterEach
  void resetDriver() {
    if (driver != null) {
      driver.set("failAfter", -1);
    }
  }

  /** Work that uses the device. */
  @FunctionalInterface
  private interface Work {
    void on(CudaDevice device) throws IOException;
  }

  /** Returns the messages of the calls that failed. */
  private List<String> failEachCall(Work work) throws IOException {
    List<String> failures = new ArrayList<>();
    while (true) {
      driver.set("failAfter", failures.size());
      try (CudaDevice device = driver.open()) {
        work.on(device);
        driver.set("failAfter", -1); // no call is left that could fail
        break;
      } catch (CudaException e) {
        failures.add(e.getMessage());
        assertThat(e).hasMessageContaining("error 1 of ");
      }
      driver.set("failAfter", -1);
      driver.requireNothingHeld();
    }
    driver.requireNothingHeld();
    return failures;
  }

  @Test
  void factorsDigestsAndProducts_leakNothing() throws IOException {
    Adapter adapter = SampleAdapters.small(Generator.SRHT).getFirst();
    assertThat(
            failEachCall(
                device -> {
                  try (AdapterPlan plan = AdapterPlan.of(device, adapter);
                      DeviceFactors factors = plan.reconstruct(adapter, DType.F32);
                      DeviceProducts products = plan.allocateProducts()) {
                    plan.digests(List.of(adapter));
                    device.measure(() -> plan.project(adapter.seed(), factors, products));
                    products.copy(0, Side.A);
                  }
                }))
        .anySatisfy(message -> assertThat(message).contains("cuMemAlloc"))
        .anySatisfy(message -> assertThat(message).contains("cuMemFree"))
        .anySatisfy(message -> assertThat(message).contains("cuEventCreate"))
        .anySatisfy(message -> assertThat(message).contains("cuModuleLoadData"));
  }

  @Test
  void training_leaksNothing() throws IOException {
    Adapter adapter = SampleAdapters.small(Generator.UNIFORM8).getFirst();
    assertThat(
            failEachCall(
                device -> {
                  try (TrainingFactors factors = TrainingFactors.open(device, adapter)) {
                    factors.reconstruct();
                    factors.project();
                  }
                }))
        .isNotEmpty();
  }

  @Test
  void merge_leaksNothing() throws IOException {
    Adapter adapter = ADAPTERS.getFirst();
    assertThat(
            failEachCall(
                device -> {
                  try (AdapterPlan plan = AdapterPlan.of(device, adapter);
                      DeviceFactors factors = plan.reconstruct(adapter, DType.F32);
                      DeviceTensor tensor =
                          DeviceTensor.allocate(
                              device, DType.F32, adapter.layers().getFirst().elements());
                      DeviceMerge merge = DeviceMerge.open(device)) {
                    merge.add(tensor, tensor, List.of(new DeviceMerge.Term(factors, 0, 0, 1)));
                    merge.finish();
                  }
                }))
        .isNotEmpty();
  }

  @Test
  void backend_leaksNothing() throws IOException {
    Adapter adapter = ADAPTERS.getFirst();
    assertThat(
            failEachCall(
                device -> {
                  try (CudaBackend backend = CudaBackend.on(device)) {
                    backend.digest(adapter);
                    backend.open(adapter).apply(adapter.layers().getFirst());
                  }
                }))
        .isNotEmpty();
  }

  @Test
  void hostMemory_leaksNothing() throws IOException {
    assertThat(
            failEachCall(
                device -> {
                  try (Arena arena = Arena.ofConfined()) {
                    device.allocateHost(100, arena);
                  }
                }))
        .anySatisfy(message -> assertThat(message).contains("cuMemHostAlloc"))
        .anySatisfy(message -> assertThat(message).contains("cuMemFreeHost"));
  }

  @Test
  void pool_leaksNothing_andHasNoAdapterThatWasNotWritten() throws IOException {
    AdapterFile first = Reconstructor.standard().seal(ADAPTERS.getFirst());
    AdapterFile second = Reconstructor.standard().seal(ADAPTERS.getLast());
    assertThat(
            failEachCall(
                device -> {
                  try (AdapterPlan plan = AdapterPlan.of(device, first.adapter());
                      DeviceAdapterPool pool = DeviceAdapterPool.open(plan, DType.F32, 2, 1)) {
                    pool.put(Map.of("a", first));
                    try {
                      pool.put(Map.of("a", second, "b", second));
                    } catch (CudaException e) {
                      requireKnown(pool, "a", first, second);
                      requireKnown(pool, "b", second, second);
                      throw e;
                    }
                    pool.activate("a").close();
                  }
                }))
        .isNotEmpty();
  }

  private static void requireKnown(
      DeviceAdapterPool pool, String name, AdapterFile one, AdapterFile other) throws IOException {
    try (DeviceAdapterPool.Lease lease = pool.activate(name)) {
      assertThat(lease.factors().copyFloats(0, 0, Side.A))
          .isIn(
              Reconstructor.standard().factors(one.adapter()).getFirst().a(),
              Reconstructor.standard().factors(other.adapter()).getFirst().a());
    } catch (NoSuchElementException _) {
      // Removed, as its slot could not be written.
    }
  }
}
