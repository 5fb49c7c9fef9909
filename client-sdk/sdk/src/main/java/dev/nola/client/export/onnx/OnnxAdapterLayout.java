package dev.nola.client.export.onnx;

import com.google.flatbuffers.FlatBufferBuilder;
import dev.nola.client.export.ExportLayout;
import dev.nola.client.export.ExportPlan;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.ExportRefusedException.Reason;
import dev.nola.client.export.LoraModule;
import dev.nola.client.export.RoundedFactors;
import dev.nola.format.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes the file.
 *
 * @param plan of one rank
 */
record OnnxAdapterLayout(ExportPlan plan) implements ExportLayout {
  private static final String IDENTIFIER = "TORT";

  private static final int FORMAT_VERSION = 1;

  /** Bytes of a FlatBuffer, whose size is an int. */
  private static final long LIMIT = Integer.MAX_VALUE - (1 << 16);

  /** Bytes of a parameter beside its name and data, at most. */
  private static final long PER_PARAMETER = 128;

  /** The fields of {@code table Adapter}. */
  private static final class AdapterTable {
    static final int FIELDS = 4;
    static final int FORMAT_VERSION = 0;
    static final int PARAMETERS = 3; // after adapter_version and model_version, which are 0

    private AdapterTable() {}
  }

  /** The fields of {@code table Parameter}. */
  private static final class ParameterTable {
    static final int FIELDS = 4;
    static final int NAME = 0;
    static final int DIMS = 1;
    static final int DATA_TYPE = 2;
    static final int RAW_DATA = 3;

    private ParameterTable() {}
  }

  @Override
  public List<String> write(Path file, RoundedFactors factors)
      throws IOException, ExportRefusedException, InterruptedException {
    // The file's length is known only when all of it is built: outside Java's heap, whose limit
    // does not depend on the model.
    try (Arena arena = Arena.ofConfined()) {
      FlatBufferBuilder builder =
          new FlatBufferBuilder(size(factors.dtype()), new NativeMemory(arena));
      build(builder, factors);
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        for (ByteBuffer bytes = builder.dataBuffer(); bytes.hasRemaining(); ) {
          channel.write(bytes);
        }
      }
    }
    return List.of();
  }

  private static final class NativeMemory extends FlatBufferBuilder.ByteBufferFactory {
    private final Arena arena;

    NativeMemory(Arena arena) {
      this.arena = arena;
    }

    @Override
    public ByteBuffer newByteBuffer(int capacity) {
      return arena.allocate(capacity, Long.BYTES).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  private void build(FlatBufferBuilder builder, RoundedFactors factors)
      throws IOException, ExportRefusedException, InterruptedException {
    List<Integer> parameters = new ArrayList<>();
    factors.write(
        plan,
        lora -> {
          String path = lora.module().path();
          long rank = lora.rank();
          int a = data(builder, lora.transposedA(), factors);
          long[] dimsOfA = {lora.module().in(), rank};
          parameters.add(parameter(builder, path + ".lora_A.weight", dimsOfA, factors.dtype(), a));
          int b = data(builder, lora.transposedB(), factors);
          long[] dimsOfB = {rank, lora.module().out()};
          parameters.add(parameter(builder, path + ".lora_B.weight", dimsOfB, factors.dtype(), b));
        });
    int list =
        builder.createVectorOfTables(parameters.stream().mapToInt(Integer::intValue).toArray());
    builder.startTable(AdapterTable.FIELDS);
    builder.addOffset(AdapterTable.PARAMETERS, list, 0);
    builder.addInt(AdapterTable.FORMAT_VERSION, FORMAT_VERSION, 0);
    builder.finish(builder.endTable(), IDENTIFIER);
  }

  /** Returns room for the whole file, so that the builder need not grow. */
  private int size(DType dtype) throws ExportRefusedException {
    long size = plan.bytes(dtype) + PER_PARAMETER;
    for (LoraModule module : plan.modules()) {
      size += 2 * (PER_PARAMETER + module.path().getBytes(StandardCharsets.UTF_8).length);
    }
    if (size > LIMIT) {
      throw new ExportRefusedException(
          Reason.CONTENT,
          "LoRA for ONNX Runtime has %d bytes; limit is %d: choose a smaller type, or PEFT's format"
              .formatted(size, LIMIT));
    }
    return (int) size;
  }

  private static int data(FlatBufferBuilder builder, float[] values, RoundedFactors factors)
      throws IOException {
    int size = Math.multiplyExact(values.length, factors.dtype().bytes());
    ByteBuffer room = builder.createUnintializedVector(1, size, Long.BYTES);
    factors.encode(values, bytes -> room.put(bytes.asByteBuffer()));
    return builder.endVector();
  }

  private static int parameter(
      FlatBufferBuilder builder, String name, long[] dims, DType dtype, int data) {
    int nameOffset = builder.createString(name);
    builder.startVector(Long.BYTES, dims.length, Long.BYTES);
    for (int i = dims.length - 1; i >= 0; i--) {
      builder.addLong(dims[i]);
    }
    int dimsOffset = builder.endVector();
    builder.startTable(ParameterTable.FIELDS);
    builder.addOffset(ParameterTable.RAW_DATA, data, 0);
    builder.addInt(ParameterTable.DATA_TYPE, dataType(dtype), 0);
    builder.addOffset(ParameterTable.DIMS, dimsOffset, 0);
    builder.addOffset(ParameterTable.NAME, nameOffset, 0);
    return builder.endTable();
  }

  /** Returns a type's number, which is that of ONNX. */
  private static int dataType(DType dtype) {
    return switch (dtype) {
      case F32 -> 1;
      case F16 -> 10;
      case BF16 -> 16;
    };
  }
}
