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
 */
public final class DeviceAdapterPool implements AutoCloseable {
  private final AdapterPlan plan;
  private final ResidentAdapters resident;
  private final Map<String, Integer> slots = new HashMap<>();
  private final Deque<Integer> freeSlots = new ArrayDeque<>();
  private final List<DeviceFactors> rooms = new ArrayList<>();
  private final Deque<DeviceFactors> freeRooms = new ArrayDeque<>();

  /** Least recently asked for first. */
  private final Map<String, Active> active = new LinkedHashMap<>(16, 0.75f, true);

  private long activations;
  private long hits;

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

  private DeviceAdapterPool(AdapterPlan plan, int residentCount) {
    this.plan = plan;
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
    DeviceAdapterPool pool = new DeviceAdapterPool(plan, residentCount);
    try {
      for (int i = 0; i < activeCount; i++) {
        DeviceFactors room = plan.allocate(dtype, 1);
        pool.rooms.add(room);
        pool.freeRooms.add(room);
      }
      return pool;
    } catch (RuntimeException e) {
      pool.close();
      throw e;
    }
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
   *     fails
   */
  public void put(Map<String, AdapterFile> files) throws DigestMismatchException {
    if (files.isEmpty()) {
      return;
    }
    List<Map.Entry<String, AdapterFile>> entries = List.copyOf(files.entrySet());
    List<Adapter> adapters = entries.stream().map(entry -> entry.getValue().adapter()).toList();
    List<ReconstructionDigest> digests = plan.digests(adapters);
    for (int i = 0; i < entries.size(); i++) {
      entries.get(i).getValue().requireDigest(digests.get(i).root());
    }
    synchronized (this) {
      long added = files.keySet().stream().filter(name -> !slots.containsKey(name)).count();
      if (added > freeSlots.size()) {
        throw new IllegalStateException(
            "no room for %d more adapters: %d of %d are resident; remove some"
                .formatted(added, slots.size(), resident.count()));
      }
      for (Map.Entry<String, AdapterFile> entry : entries) {
        deactivate(entry.getKey());
        int slot = slots.computeIfAbsent(entry.getKey(), _ -> freeSlots.remove());
        resident.replace(slot, entry.getValue().adapter());
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
    Integer slot = slots.remove(name);
    if (slot == null) {
      return false;
    }
    deactivate(name);
    freeSlots.add(slot);
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
    Integer slot = slots.get(name);
    if (slot == null) {
      throw new NoSuchElementException("adapter not in the pool: " + name);
    }
    Active entry = active.get(name);
    if (entry == null) {
      DeviceFactors room = room();
      try {
        plan.reconstruct(resident, slot, 1, room);
      } catch (RuntimeException e) {
        freeRooms.add(room);
        throw e;
      }
      entry = new Active(room);
      active.put(name, entry);
      activations++;
    } else {
      hits++;
    }
    entry.users++;
    return new Lease(entry);
  }

  /** Returns room for an adapter's factors, that of the least recently used one if none is free. */
  private DeviceFactors room() {
    DeviceFactors room = freeRooms.poll();
    if (room != null) {
      return room;
    }
    for (Iterator<Active> entries = active.values().iterator(); entries.hasNext(); ) {
      Active entry = entries.next();
      if (entry.users == 0) {
        entries.remove();
        return entry.factors;
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
    return slots.size();
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
    slots.clear();
    freeSlots.clear();
    active.clear();
    freeRooms.clear();
    rooms.forEach(DeviceFactors::close);
    resident.close();
  }
}
