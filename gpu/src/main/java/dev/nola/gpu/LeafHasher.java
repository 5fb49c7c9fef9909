package dev.nola.gpu;

import dev.nola.digest.Sha256;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.generator.Side;
import dev.nola.reconstruct.ReconstructionDigest;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Computes the leaves of layers on a device. Writes the structures of src/main/cuda/leaves.cuh. */
final class LeafHasher implements AutoCloseable {
  private static final int THREADS = 32;
  private static final int LEAF_BYTES = 40;
  private static final int ARGUMENT_BYTES = 48;

  private final CudaDevice device;
  private final FactorPlan factors;
  private final DeviceMemory leaves;
  private final DeviceMemory heads;

  LeafHasher(CudaDevice device, FactorPlan factors) {
    this.device = device;
    this.factors = factors;
    List<Layer> layers = factors.sample().layers();
    ByteArrayOutputStream headBytes = new ByteArrayOutputStream();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment table = arena.allocate((long) LEAF_BYTES * layers.size(), Long.BYTES);
      ByteBuffer writer = table.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < layers.size(); i++) {
        byte[] head = ReconstructionDigest.leafHead(layers.get(i));
        FactorPlan.Place a = factors.place(i, Side.A);
        FactorPlan.Place b = factors.place(i, Side.B);
        writer
            .putLong(a.start())
            .putLong(b.start())
            .putLong(headBytes.size())
            .putInt(a.length())
            .putInt(b.length())
            .putInt(head.length)
            .putInt(0);
        headBytes.writeBytes(head);
      }
      this.leaves = DeviceMemory.of(device, table);
      try {
        MemorySegment content = arena.allocate(headBytes.size());
        content.copyFrom(MemorySegment.ofArray(headBytes.toByteArray()));
        this.heads = DeviceMemory.of(device, content);
      } catch (RuntimeException e) {
        Releases.after(e, leaves::close);
        throw e;
      }
    }
  }

  /**
   * Computes the leaves of reconstructed adapters.
   *
   * @param reconstructed their factors, f32
   * @param count number of adapters, from the first
   * @return for each adapter its layers' leaves
   */
  List<List<Sha256>> leaves(DeviceFactors reconstructed, int count) {
    if (reconstructed.dtype() != DType.F32) {
      throw new IllegalArgumentException(
          "wrong type of factors: %s; digests are computed from f32"
              .formatted(reconstructed.dtype()));
    }
    int layers = factors.layers();
    int all = Math.multiplyExact(layers, count);
    try (Arena arena = Arena.ofConfined();
        DeviceMemory digests = new DeviceMemory(device, (long) all * Sha256.BYTES)) {
      MemorySegment arguments = arena.allocate(ARGUMENT_BYTES, Long.BYTES);
      arguments
          .asByteBuffer()
          .order(ByteOrder.LITTLE_ENDIAN)
          .putLong(leaves.address())
          .putLong(heads.address())
          .putLong(reconstructed.memory().address())
          .putLong(factors.elements())
          .putLong(digests.address())
          .putInt(layers)
          .putInt(count);
      device.launch("leaves", (all - 1) / THREADS + 1, 1, THREADS, arguments);
      MemorySegment host = arena.allocate(digests.bytes());
      digests.copyTo(host, 0);
      List<List<Sha256>> result = new ArrayList<>();
      for (int n = 0; n < count; n++) {
        List<Sha256> ofAdapter = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
          long offset = (long) (n * layers + i) * Sha256.BYTES;
          ofAdapter.add(
              Sha256.ofBytes(host.asSlice(offset, Sha256.BYTES).toArray(ValueLayout.JAVA_BYTE)));
        }
        result.add(ofAdapter);
      }
      return result;
    }
  }

  @Override
  public void close() {
    Releases.runAll(List.of(leaves::close, heads::close));
  }
}
