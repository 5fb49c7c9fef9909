package dev.nola.gpu;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.DigestMismatchException;
import dev.nola.reconstruct.ReconstructionDigest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;

/**
 * Adapters of one base model on a GPU, by name. All are resident as the bytes of their files; those
 * used last have their factors too. A switch to an adapter without factors is one launch. Their
 * memory is allocated once, when the pool is opened: activating an adapter allocates nothing.
 *
 * <p>Files are verified when they come in: their factors are computed and hashed on the device, in
 * memory that is freed again, and the digest is compared with that of the file. Thread-safe.
 *
 * <p>In f16, each adapter's factors are {@link ElementType#balanced}: A·B is ΔW, and {@link
 * DeviceFactors#type} of a lease states the powers of two that its A and B were multiplied by.
 */
public final class DeviceAdapterPool implements AutoCloseable {
  private final AdapterPlan plan;
  private final DType dtype;
  private final ResidentAdapters resident;
  private final Map<String, Entry> entries = new HashMap<>();
  private final Deque<Integer> freeSlots = new ArrayDeque<>();
  private final List<DeviceFactors> rooms = new ArrayList<>();
  private final Deque<DeviceFactors> freeRooms = new ArrayDeque<>();

  /** Least recently asked for first. */
  private final Map<String, Active> active = new LinkedHashMap<>(16, 0.75f, true);

  private long activations;
  private long hits;

  /**
   * A resident adapter.
   *
   * @param slot index of its slot
   * @param type how its factors are stored
   */
  private record Entry(int slot, ElementType type) {}

  private static final class Active {
    private final DeviceFactors factors;
    private int users;

    /** Set once the adapter was replaced or removed while it was used. */
    private boolean stale;

    Active(DeviceFactors factors) {
      this.factors = factors;
    }
  }

  /** An adapter with its factors, which stay until this is closed. */
  public final class Lease implements AutoCloseable {
    private final Active entry;
    private boolean closed;

    private Lease(Active entry) {
      this.entry = entry;
    }

    /**
     * Returns the factors. What is launched after this waits until they are computed.
     *
     * @return room for one adapter; not to be closed by the caller
     */
    public DeviceFactors factors() {
      return entry.factors;
    }

    @Override
    public void close() {
      synchronized (DeviceAdapterPool.this) {
        if (!closed) {
          closed = true;
          entry.users--;
          if (entry.stale && entry.users == 0) {
            freeRooms.add(entry.factors);
          }
        }
      }
    }
  }

  private DeviceAdapterPool(AdapterPlan plan, DType dtype, int residentCount) {
    this.plan = plan;
    this.dtype = dtype;
    this.resident = plan.allocateAdapters(residentCount);
    for (int slot = 0; slot < residentCount; slot++) {
      freeSlots.add(slot);
    }
  }

  /**
   * Opens a pool and allocates its memory.
   *
   * @param plan of all its adapters; to be closed after the pool
   * @param dtype type of the factors
   * @param residentCount number of adapters that there is room for
   * @param activeCount number of adapters whose factors there is room for
   * @return the pool, without adapters
   * @throws IllegalArgumentException if a number is less than 1
   * @throws CudaException if the GPU's memory does not suffice
   */
  public static DeviceAdapterPool open(
      AdapterPlan plan, DType dtype, int residentCount, int activeCount) {
    if (activeCount < 1) {
      throw new IllegalArgumentException(
          "invalid number of active adapters: " + activeCount + "; must be at least 1");
    }
    DeviceAdapterPool pool = new DeviceAdapterPool(plan, dtype, residentCount);
    try {
      for (int i = 0; i < activeCount; i++) {
        DeviceFactors room = plan.allocate(dtype, 1);
        pool.rooms.add(room);
        pool.freeRooms.add(room);
      }
      return pool;
    } catch (RuntimeException e) {
      Releases.after(e, pool::close);
      throw e;
    }
  }

  /**
   * Opens a pool for as many adapters as a number of bytes holds, and allocates its memory.
   *
   * @param plan of all its adapters; to be closed after the pool
   * @param dtype type of the factors
   * @param bytes memory of the device that {@link #bytes} does not exceed
   * @param activeCount number of adapters whose factors there is room for
   * @return the pool, without adapters; {@link #capacity} is the number that there is room for
   * @throws IllegalArgumentException if {@code activeCount} is less than 1, or the bytes do not
   *     suffice for it and one adapter
   * @throws CudaException if the GPU's memory does not suffice
   */
  public static DeviceAdapterPool openWithin(
      AdapterPlan plan, DType dtype, long bytes, int activeCount) {
    long active = Math.multiplyExact(plan.factorBytes(dtype), Math.max(0, activeCount));
    long count = (bytes - active) / plan.residentBytes();
    if (activeCount >= 1 && count < 1) {
      throw new IllegalArgumentException(
          "pool too small: %d bytes; must be at least %d for the factors of %d adapters and a compressed one"
              .formatted(bytes, active + plan.residentBytes(), activeCount));
    }
    return open(plan, dtype, Math.clamp(count, 1, Integer.MAX_VALUE), activeCount);
  }

  /**
   * Verifies files and adds their adapters, replacing those of the same name. Either all are added
   * or none.
   *
   * @param files files by the names of their adapters
   * @throws DigestMismatchException if a file's digest is not that of its reconstruction
   * @throws IllegalArgumentException if the plan does not accept one
   * @throws IllegalStateException if the pool has too little room
   * @throws CudaException if the GPU's memory does not suffice to verify the files, or the GPU
   *     fails; if it fails after the verification, some of the adapters may be added, and those
   *     that are not are removed
   */
  public void put(Map<String, AdapterFile> files) throws DigestMismatchException {
    if (files.isEmpty()) {
      return;
    }
    List<Map.Entry<String, AdapterFile>> added = List.copyOf(files.entrySet());
    List<Adapter> adapters = added.stream().map(file -> file.getValue().adapter()).toList();
    List<ReconstructionDigest> digests = plan.digests(adapters);
    for (int i = 0; i < added.size(); i++) {
      added.get(i).getValue().requireDigest(digests.get(i).root());
    }
    synchronized (this) {
      long more = files.keySet().stream().filter(name -> !entries.containsKey(name)).count();
      if (more > freeSlots.size()) {
        throw new IllegalStateException(
            "no room for %d more adapters: %d of %d are resident; remove some"
                .formatted(more, entries.size(), resident.count()));
      }
      for (Map.Entry<String, AdapterFile> file : added) {
        Adapter adapter = file.getValue().adapter();
        remove(file.getKey());
        int slot = freeSlots.remove();
        try {
          resident.replace(slot, adapter);
        } catch (RuntimeException e) {
          freeSlots.add(slot);
          throw e;
        }
        entries.put(file.getKey(), new Entry(slot, ElementType.balanced(dtype, adapter)));
      }
    }
  }

  /**
   * Removes an adapter. Leases on it stay valid.
   *
   * @param name its name
   * @return whether there was one
   */
  public synchronized boolean remove(String name) {
    Entry entry = entries.remove(name);
    if (entry == null) {
      return false;
    }
    deactivate(name);
    freeSlots.add(entry.slot());
    return true;
  }

  private void deactivate(String name) {
    Active entry = active.remove(name);
    if (entry == null) {
      return;
    }
    if (entry.users == 0) {
      freeRooms.add(entry.factors);
    } else {
      entry.stale = true;
    }
  }

  /**
   * Returns an adapter's factors; launches their reconstruction if they are not there, and returns
   * at once.
   *
   * @param name the adapter's name
   * @return the adapter; close it to let its room be used for others
   * @throws NoSuchElementException if the pool has no adapter of this name
   * @throws IllegalStateException if the room of all active adapters is in use
   * @throws CudaException if the GPU fails
   */
  public synchronized Lease activate(String name) {
    Entry entry = entries.get(name);
    if (entry == null) {
      throw new NoSuchElementException("adapter not found in the pool: " + name + "; put it first");
    }
    Active used = active.get(name);
    if (used == null) {
      DeviceFactors room = room();
      DeviceFactors factors = room.withType(entry.type());
      try {
        plan.reconstruct(resident, entry.slot(), 1, factors);
      } catch (RuntimeException e) {
        freeRooms.add(room);
        throw e;
      }
      used = new Active(factors);
      active.put(name, used);
      activations++;
    } else {
      hits++;
    }
    used.users++;
    return new Lease(used);
  }

  /** Returns room for an adapter's factors, that of the least recently used one if none is free. */
  private DeviceFactors room() {
    DeviceFactors room = freeRooms.poll();
    if (room != null) {
      return room;
    }
    for (Iterator<Active> oldest = active.values().iterator(); oldest.hasNext(); ) {
      Active used = oldest.next();
      if (used.users == 0) {
        oldest.remove();
        return used.factors;
      }
    }
    throw new IllegalStateException(
        "all active adapters are in use: %d; close some, or open the pool with room for more"
            .formatted(rooms.size()));
  }

  /**
   * Returns the number of adapters.
   *
   * @return those that can be activated
   */
  public synchronized int size() {
    return entries.size();
  }

  /**
   * Returns the number of adapters that there is room for.
   *
   * @return at least 1
   */
  public int capacity() {
    return resident.count();
  }

  /**
   * Returns how often factors had to be computed.
   *
   * @return since the pool was opened
   */
  public synchronized long activations() {
    return activations;
  }

  /**
   * Returns how often factors were there already.
   *
   * @return since the pool was opened
   */
  public synchronized long hits() {
    return hits;
  }

  /**
   * Returns the memory that the pool takes on the device.
   *
   * @return bytes
   */
  public long bytes() {
    return resident.bytes() + rooms.stream().mapToLong(DeviceFactors::bytes).sum();
  }

  /** Frees the memory; leases end. */
  @Override
  public synchronized void close() {
    entries.clear();
    freeSlots.clear();
    active.clear();
    freeRooms.clear();
    List<Runnable> releases = new ArrayList<>();
    rooms.forEach(room -> releases.add(room::close));
    releases.add(resident::close);
    Releases.runAll(releases);
  }
}
