package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.gpu.check.SampleAdapters;
import dev.nola.reconstruct.Reconstructor;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DeviceAdapterPoolTest extends DeviceTest {
  private static final List<Adapter> ADAPTERS = SampleAdapters.alike(Generator.SRHT, 4);

  private AdapterPlan plan;
  private DeviceAdapterPool pool;

  @BeforeEach
  void openPool() throws Exception {
    plan = AdapterPlan.of(device, ADAPTERS.getFirst());
    pool = DeviceAdapterPool.open(plan, DType.F32, 3, 2);
    pool.put(Map.of("a", file(0), "b", file(1), "c", file(2)));
  }

  @AfterEach
  void closePool() {
    if (pool != null) {
      pool.close();
      plan.close();
    }
  }

  private static AdapterFile file(int n) throws LimitExceededException {
    return Reconstructor.standard().seal(ADAPTERS.get(n));
  }

  private void requireFactors(String name, int adapter) throws LimitExceededException {
    try (DeviceAdapterPool.Lease lease = pool.activate(name)) {
      requireFactors(lease, adapter);
    }
  }

  private static void requireFactors(DeviceAdapterPool.Lease lease, int adapter)
      throws LimitExceededException {
    float[] expected = Reconstructor.standard().factors(ADAPTERS.get(adapter)).getFirst().a();
    MemorySegment actual = MemorySegment.ofArray(lease.factors().copy(0, 0, Side.A));
    assertThat(actual.mismatch(MemorySegment.ofArray(expected))).isEqualTo(-1);
  }

  @Test
  void activate_moreAdaptersThanRoom_leastRecentlyUsedIsEvicted() throws Exception {
    requireFactors("a", 0);
    requireFactors("b", 1);
    requireFactors("a", 0);
    requireFactors("c", 2);
    requireFactors("a", 0);
    assertThat(pool.activations()).isEqualTo(3);
    assertThat(pool.hits()).isEqualTo(2);
    requireFactors("b", 1);
    assertThat(pool.activations()).isEqualTo(4);
  }

  @Test
  void activate_allRoomInUse_refused() throws Exception {
    try (DeviceAdapterPool.Lease a = pool.activate("a");
        DeviceAdapterPool.Lease b = pool.activate("b")) {
      assertThatIllegalStateException()
          .isThrownBy(() -> pool.activate("c"))
          .withMessage(
              "all active adapters are in use: 2; close some, or open the pool with room for more");
      requireFactors(a, 0);
      requireFactors(b, 1);
    }
    requireFactors("c", 2);
  }

  @Test
  void put_nameInUse_leaseKeepsOldFactors() throws Exception {
    try (DeviceAdapterPool.Lease old = pool.activate("a")) {
      pool.put(Map.of("a", file(3)));
      requireFactors("a", 3);
      requireFactors("b", 1); // in the room of the new a, not of the old one
      requireFactors(old, 0);
    }
    try (DeviceAdapterPool.Lease b = pool.activate("b");
        DeviceAdapterPool.Lease c = pool.activate("c")) {
      requireFactors(b, 1);
      requireFactors(c, 2); // in the room of the old a
    }
  }

  @Test
  void put_wrongDigest_nothingAdded() throws Exception {
    Sha256 wrong = Sha256.hash("wrong".getBytes(StandardCharsets.UTF_8));
    assertThatExceptionOfType(DigestMismatchException.class)
        .isThrownBy(() -> pool.put(Map.of("a", new AdapterFile(ADAPTERS.get(3), wrong))));
    requireFactors("a", 0);
  }

  @Test
  void put_noRoom_refused() throws Exception {
    Map<String, AdapterFile> more = Map.of("d", file(3));
    assertThatIllegalStateException()
        .isThrownBy(() -> pool.put(more))
        .withMessage("no room for 1 more adapters: 3 of 3 are resident; remove some");
    assertThat(pool.remove("b")).isTrue();
    pool.put(more);
    requireFactors("d", 3);
    assertThat(pool.size()).isEqualTo(3);
  }

  @Test
  void openWithin_bytes_holdsAsManyAdaptersAsFit() {
    long room = plan.factorBytes(DType.F16);
    long slot = plan.residentBytes();
    long bytes = 2 * room + 5 * slot - 1;
    try (DeviceAdapterPool bounded = DeviceAdapterPool.openWithin(plan, DType.F16, bytes, 2)) {
      assertThat(bounded.capacity()).isEqualTo(4);
      assertThat(bounded.bytes()).isEqualTo(2 * room + 4 * slot);
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DeviceAdapterPool.openWithin(plan, DType.F16, 2 * room + slot - 1, 2))
        .withMessage(
            "pool too small: %d bytes; must be at least %d for the factors of 2 adapters and a compressed one",
            2 * room + slot - 1, 2 * room + slot);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DeviceAdapterPool.openWithin(plan, DType.F16, bytes, 0))
        .withMessage("invalid number of active adapters: 0; must be at least 1");
  }

  @Test
  void activate_unknownName_refused() {
    assertThat(pool.remove("x")).isFalse();
    assertThatExceptionOfType(NoSuchElementException.class)
        .isThrownBy(() -> pool.activate("x"))
        .withMessage("adapter not found in the pool: x; put it first");
  }
}
