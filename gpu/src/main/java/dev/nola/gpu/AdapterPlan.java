package dev.nola.gpu;

import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.DType;
import dev.nola.reconstruct.ReconstructionDigest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a GPU reconstructs the adapters of a base model: made once, used for all adapters that differ
 * only in seed, scales and codes. One launch computes all factors of one adapter or of many;
 * factors whose sizes or forms need several kernels take one launch per kernel and form.
 */
public final class AdapterPlan implements AutoCloseable {
  /** The largest number of adapters of a launch. */
  private static final int MAX_ADAPTERS = 65_535;

  /** The share of the free memory that factors take while digests are computed. */
  private static final int MEMORY_SHARE = 2;

  private record KernelTables(FactorKernel kernel, boolean direct, LaunchTables tables) {}

  private final CudaDevice device;
  private final FactorPlan factors;
  private final List<KernelTables> launches = new ArrayList<>();
  private @Nullable LeafHasher hasher;
  private @Nullable Projector projector;

  AdapterPlan(CudaDevice device, FactorPlan factors) {
    this.device = device;
    this.factors = factors;
    try {
      for (FactorPlan.Launch launch : factors.launches()) {
        launches.add(
            new KernelTables(
                launch.kernel(), launch.direct(), LaunchTables.of(device, launch.table())));
      }
    } catch (RuntimeException e) {
      Releases.after(e, this::close);
      throw e;
    }
  }

  /**
   * Plans the reconstruction of an adapter and of all that differ from it only in seed, scales and
   * codes.
   *
   * @param device the GPU
   * @param adapter an adapter with at least one layer
   * @return the plan; close it before the device
   * @throws IllegalArgumentException if the adapter has no layer
   * @throws CudaException if the GPU's memory does not suffice
   */
  public static AdapterPlan of(CudaDevice device, Adapter adapter) {
    if (adapter.layers().isEmpty()) {
      throw new IllegalArgumentException("no layer to reconstruct: " + adapter);
    }
    return new AdapterPlan(device, FactorPlan.of(adapter));
  }

  /**
   * Returns whether an adapter can be reconstructed by this plan.
   *
   * @param adapter the adapter
   * @return true if it differs from the plan's only in seed, scales and codes
   */
  public boolean accepts(Adapter adapter) {
    return factors.accepts(adapter);
  }

  /**
   * Uploads adapters as their files store them.
   *
   * @param adapters adapters that this plan accepts
   * @return the adapters on the device
   * @throws IllegalArgumentException if the list is empty, or the plan does not accept an adapter
   * @throws CudaException if the GPU's memory does not suffice
   */
  public ResidentAdapters upload(List<Adapter> adapters) {
    if (adapters.isEmpty()) {
      throw new IllegalArgumentException("no adapters to upload; needs at least one");
    }
    long slotBytes = factors.slotBytes();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment slots = arena.allocate(slotBytes * adapters.size(), Long.BYTES);
      for (int i = 0; i < adapters.size(); i++) {
        factors.writeSlot(adapters.get(i), slots.asSlice(i * slotBytes, slotBytes).asByteBuffer());
      }
      return new ResidentAdapters(factors, DeviceMemory.of(device, slots), adapters.size());
    }
  }

  /**
   * Allocates room for compressed adapters, to be filled by {@link ResidentAdapters#replace}.
   *
   * @param count number of adapters
   * @return the room, not cleared
   * @throws IllegalArgumentException if {@code count} is less than 1
   * @throws CudaException if the GPU's memory does not suffice
   */
  public ResidentAdapters allocateAdapters(int count) {
    requireCount(count);
    return new ResidentAdapters(
        factors, new DeviceMemory(device, factors.slotBytes() * count), count);
  }

  private static void requireCount(int count) {
    if (count < 1) {
      throw new IllegalArgumentException(
          "invalid number of adapters: " + count + "; must be at least 1");
    }
  }

  /**
   * Allocates room for factors without multipliers; in f16, {@link ElementType#balanced} is for
   * them.
   *
   * @param dtype type of an element
   * @param count number of adapters
   * @return the room, not cleared
   * @throws IllegalArgumentException if {@code count} is less than 1
   * @throws CudaException if the GPU's memory does not suffice
   */
  public DeviceFactors allocate(DType dtype, int count) {
    return allocate(ElementType.of(dtype), count);
  }

  /**
   * Allocates room for factors.
   *
   * @param type how they are stored
   * @param count number of adapters
   * @return the room, not cleared
   * @throws IllegalArgumentException if {@code count} is less than 1
   * @throws CudaException if the GPU's memory does not suffice
   */
  public DeviceFactors allocate(ElementType type, int count) {
    requireCount(count);
    long bytes = Math.multiplyExact(factors.elements() * type.dtype().bytes(), count);
    return new DeviceFactors(factors, type, new DeviceMemory(device, bytes), count);
  }

  /**
   * Launches the reconstruction of adapters and returns at once; what is launched or copied later
   * waits for it.
   *
   * @param adapters adapters uploaded by this plan
   * @param first index of the first one to reconstruct
   * @param count number of adapters to reconstruct
   * @param target room allocated by this plan; receives their factors from its index 0 on
   * @throws IllegalArgumentException if the adapters or the target belong to another plan
   * @throws IndexOutOfBoundsException if the range exceeds the adapters or the room
   */
  public void reconstruct(ResidentAdapters adapters, int first, int count, DeviceFactors target) {
    requireOwn("adapters", adapters.plan());
    requireOwn("factors", target.plan());
    Objects.checkFromIndexSize(first, count, adapters.count());
    Objects.checkFromIndexSize(0, count, target.count());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment arguments = arena.allocate(FactorPlan.ARGUMENT_BYTES, Long.BYTES);
      for (int done = 0; done < count; done += MAX_ADAPTERS) {
        int part = Math.min(count - done, MAX_ADAPTERS);
        for (KernelTables launch : launches) {
          factors.writeArguments(
              new FactorPlan.Addresses(
                  launch.tables().factors().address(),
                  launch.tables().tiles().address(),
                  adapters.slot(first + done, factors.slotBytes()),
                  target.memory().address() + done * factors.elements() * target.dtype().bytes()),
              launch.direct() ? ElementType.of(target.dtype()) : target.type(),
              arguments.asByteBuffer());
          device.launch(
              launch.kernel().function(target.type()),
              launch.tables().count(),
              part,
              launch.kernel().threads(),
              arguments);
        }
      }
    }
  }

  private void requireOwn(String what, FactorPlan plan) {
    if (plan != factors) {
      throw new IllegalArgumentException(
          "%s of another plan: that of %s; must be of this one, of %s"
              .formatted(what, plan.sample(), factors.sample()));
    }
  }

  /**
   * Uploads an adapter and reconstructs it.
   *
   * @param adapter an adapter that this plan accepts
   * @param dtype type of an element; in f16, factors are {@link ElementType#balanced}
   * @return its factors on the device
   * @throws IllegalArgumentException if the plan does not accept the adapter
   * @throws CudaException if the GPU's memory does not suffice, or the GPU fails
   */
  public DeviceFactors reconstruct(Adapter adapter, DType dtype) {
    DeviceFactors target = allocate(ElementType.balanced(dtype, adapter), 1);
    try {
      try (ResidentAdapters resident = upload(List.of(adapter))) {
        reconstruct(resident, 0, 1, target);
        device.synchronize(); // the slot is freed next
      }
      return target;
    } catch (RuntimeException e) {
      Releases.after(e, target::close);
      throw e;
    }
  }

  /**
   * Reconstructs adapters and computes their digests, all on the device: as many at a time as its
   * memory holds. One thread hashes a layer, so that one adapter alone leaves most of the GPU idle.
   *
   * @param adapters adapters that this plan accepts
   * @return their digests, in the same order
   * @throws IllegalArgumentException if the list is empty, or the plan does not accept an adapter
   * @throws CudaException if the GPU's memory does not suffice, or the GPU fails
   */
  public List<ReconstructionDigest> digests(List<Adapter> adapters) {
    List<ReconstructionDigest> digests = new ArrayList<>();
    try (ResidentAdapters resident = upload(adapters)) {
      long bytes = factors.elements() * Float.BYTES;
      int atOnce = Math.clamp(device.freeMemory() / MEMORY_SHARE / bytes, 1, adapters.size());
      try (DeviceFactors room = allocate(DType.F32, atOnce)) {
        for (int first = 0; first < adapters.size(); first += atOnce) {
          int count = Math.min(atOnce, adapters.size() - first);
          reconstruct(resident, first, count, room);
          List<List<Sha256>> leaves = hasher().leaves(room, count);
          for (int n = 0; n < count; n++) {
            List<Sha256> dense =
                adapters.get(first + n).dense().stream().map(ReconstructionDigest::leaf).toList();
            digests.add(ReconstructionDigest.of(leaves.get(n), dense));
          }
        }
      }
    }
    return digests;
  }

  /** Returns the memory that one compressed adapter takes on the device. */
  long residentBytes() {
    return factors.slotBytes();
  }

  /** Returns the memory that the factors of one adapter take on the device. */
  long factorBytes(DType dtype) {
    return factors.elements() * dtype.bytes();
  }

  private synchronized LeafHasher hasher() {
    if (hasher == null) {
      hasher = new LeafHasher(device, factors);
    }
    return hasher;
  }

  /**
   * Allocates room for transposed products.
   *
   * @return the room, not cleared; close it before the plan
   * @throws CudaException if the GPU's memory does not suffice
   */
  public synchronized DeviceProducts allocateProducts() {
    if (projector == null) {
      projector = new Projector(device, factors);
    }
    return new DeviceProducts(
        projector, new DeviceMemory(device, projector.products() * Double.BYTES));
  }

  /**
   * Launches the transposed products of all factors, which training needs, and returns at once:
   * {@code products[i] = Σₑ bᵢ[e]·gradient[e]}, with the bits of {@code
   * dev.nola.kernel.Kernel.project}.
   *
   * @param seed the seed of the bases
   * @param gradient the gradient of the loss with respect to the factors: room that this plan
   *     allocated as f32
   * @param target room that this plan allocated; receives the products
   * @throws IllegalArgumentException if one of both belongs to another plan, or the gradient is not
   *     f32
   */
  public void project(long seed, DeviceFactors gradient, DeviceProducts target) {
    requireOwn("gradient", gradient.plan());
    requireOwn("products", target.projector().plan());
    target.projector().project(seed, gradient, target.memory());
  }

  @Override
  public synchronized void close() {
    List<Runnable> releases = new ArrayList<>();
    launches.forEach(launch -> releases.add(launch.tables()::close));
    if (hasher != null) {
      releases.add(hasher::close);
    }
    if (projector != null) {
      releases.add(projector::close);
    }
    launches.clear();
    hasher = null;
    projector = null;
    Releases.runAll(releases);
  }
}
