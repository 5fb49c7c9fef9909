package dev.nola.client.export.peft;

import dev.nola.client.export.ExportPlan;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.LoraModule;
import dev.nola.client.export.ModuleLora;
import dev.nola.client.export.RoundedFactors;
import dev.nola.client.peft.FloatRounding;
import dev.nola.client.peft.PeftFiles;
import dev.nola.client.safetensors.SafetensorsHeader;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.format.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * The file {@value PeftFiles#WEIGHTS}, in parts that are made one at a time. Its size, and where
 * each part lies, are known before anything is reconstructed: so any range of the file can be made
 * without the rest of it. Immutable.
 */
public final class PeftWeights {
  private static final Map<String, String> METADATA = Map.of("format", "pt");

  private final ExportPlan plan;
  private final DType dtype;
  private final SafetensorsHeader header;
  private final List<Part> tensors;

  /** A range of the file. */
  public sealed interface Part {
    /**
     * Returns where it begins.
     *
     * @return bytes from the beginning of the file
     */
    long offset();

    /**
     * Returns its size.
     *
     * @return the number of bytes
     */
    long bytes();

    /**
     * Returns whether its bytes are made, and not the adapter's own.
     *
     * @return true if they are in the room that the allocator made
     */
    default boolean isMade() {
      return true;
    }
  }

  private record Header(long offset, long bytes) implements Part {}

  /** Both factors, which are made together: each is scaled by the other's magnitude. */
  private record Module(long offset, long bytes, LoraModule module) implements Part {}

  private record Saved(long offset, SavedTensor tensor) implements Part {
    @Override
    public long bytes() {
      return tensor.slot().bytes();
    }

    @Override
    public boolean isMade() {
      return false;
    }
  }

  /**
   * Lays out the file.
   *
   * @param plan modules that have a LoRA
   * @param saved modules that are stored whole
   * @param dtype the type of the factors
   */
  PeftWeights(ExportPlan plan, SavedModules saved, DType dtype) {
    this.plan = plan;
    this.dtype = dtype;
    List<Slot> slots = new ArrayList<>();
    for (LoraModule module : plan.modules()) {
      long rank = plan.rankOf(module);
      slots.add(Slot.matrix(key(module, "A"), dtype, rank, module.in()));
      slots.add(Slot.matrix(key(module, "B"), dtype, module.out(), rank));
    }
    saved.tensors().forEach(tensor -> slots.add(tensor.slot()));
    header = SafetensorsHeader.of(slots, METADATA);
    List<Part> parts = new ArrayList<>();
    for (LoraModule module : plan.modules()) {
      // The factors are of one type, so that B follows A.
      parts.add(new Module(header.offsetOf(key(module, "A")), plan.bytesOf(module, dtype), module));
    }
    for (SavedTensor tensor : saved.tensors()) {
      parts.add(new Saved(header.offsetOf(tensor.slot().name()), tensor));
    }
    parts.sort(Comparator.comparingLong(Part::offset));
    tensors = List.copyOf(parts);
  }

  private static String key(LoraModule module, String factor) {
    String name =
        module.kind() == LoraModule.Kind.EMBEDDING
            ? ".lora_embedding_" + factor
            : ".lora_" + factor + ".weight";
    return PeftFiles.KEY_PREFIX + module.path() + name;
  }

  /** Returns what precedes the tensors. */
  SafetensorsHeader header() {
    return header;
  }

  /** Returns the parts after the header, in the order of the file. */
  List<Part> tensors() {
    return tensors;
  }

  /**
   * Returns the parts, which follow each other.
   *
   * @return all of the file
   */
  public List<Part> parts() {
    List<Part> parts = new ArrayList<>();
    parts.add(new Header(0, header.bytes().length));
    parts.addAll(tensors);
    return List.copyOf(parts);
  }

  /**
   * Returns the size of the file.
   *
   * @return the number of bytes
   */
  public long bytes() {
    return header.fileBytes();
  }

  /**
   * Makes a part.
   *
   * @param part one of the file's
   * @param factors of the adapter, rounded to the file's type
   * @param allocator makes room for it, unless the adapter has these bytes
   * @return its bytes
   * @throws ExportRefusedException if a value is too large for the type of the factors
   * @throws InterruptedException if the thread was interrupted
   */
  public MemorySegment make(Part part, RoundedFactors factors, SegmentAllocator allocator)
      throws ExportRefusedException, InterruptedException {
    return switch (part) {
      case Header _ -> MemorySegment.ofArray(header.bytes());
      case Saved saved -> saved.tensor().data();
      case Module module -> {
        ModuleLora lora = factors.round(plan, module.module());
        MemorySegment bytes = allocator.allocate(module.bytes(), Float.BYTES);
        long middle = (long) lora.a().length * dtype.bytes();
        FloatRounding.encode(lora.a(), dtype, bytes.asSlice(0, middle));
        FloatRounding.encode(lora.b(), dtype, bytes.asSlice(middle));
        yield bytes;
      }
    };
  }
}
