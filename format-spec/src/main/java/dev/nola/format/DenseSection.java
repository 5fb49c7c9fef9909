package dev.nola.format;

import dev.nola.format.ManifestContent.Dense;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.Consumer;

/** Cuts the dense section into tensors, which remain slices of it (SPEC.md section 5.2). */
final class DenseSection {
  private final long start;
  private final MemorySegment section;
  private long position;

  private DenseSection(long start, MemorySegment section) {
    this.start = start;
    this.section = section;
    this.position = start;
  }

  /**
   * Reads all dense tensors.
   *
   * @param declared the tensors of a manifest within its limits, in the file's order
   * @param start where the section starts in the file
   * @param section the section
   * @param receiver receives the tensors in the file's order
   * @throws RuleViolation if the section or a tensor breaks a rule
   */
  static void read(
      List<Dense> declared, long start, MemorySegment section, Consumer<DenseTensor> receiver) {
    DenseSection dense = new DenseSection(start, section);
    declared.forEach(tensor -> receiver.accept(dense.read(tensor)));
    if (Rules.isBroken(Rule.DENSE_LENGTH, "end", dense.position == start + section.byteSize())) {
      throw new RuleViolation(
          Rule.DENSE_LENGTH,
          "dense section too long: %d bytes; its tensors need %d"
              .formatted(section.byteSize(), dense.position - start));
    }
  }

  private DenseTensor read(Dense tensor) {
    String name = tensor.name();
    if (Rules.isBroken(Rule.DTYPE, DType.ofCode(tensor.dtype()).isPresent())) {
      throw new RuleViolation(
          Rule.DTYPE,
          "dense tensor %s has an unknown dtype: %d; must be 0 to 2"
              .formatted(name, tensor.dtype()));
    }
    DType dtype = DType.ofCode(tensor.dtype()).orElseThrow();
    List<Integer> shape =
        tensor.shape().stream().map(dim -> CodesSection.number("dense dimension", dim)).toList();
    long length = DenseTensor.byteSize(name, dtype, shape);
    long aligned = DenseTensor.align(position);
    long room = start + section.byteSize() - aligned;
    if (Rules.isBroken(Rule.DENSE_LENGTH, "tensor", length <= room)) {
      throw new RuleViolation(
          Rule.DENSE_LENGTH,
          "dense section too short: %d bytes; tensor %s needs more"
              .formatted(section.byteSize(), name));
    }
    for (long i = position; i < aligned; i++) {
      requireZero(name, i);
    }
    position = aligned + length;
    return new DenseTensor(name, dtype, shape, section.asSlice(aligned - start, length));
  }

  private void requireZero(String name, long offset) {
    if (Rules.isBroken(Rule.PADDING, section.get(ValueLayout.JAVA_BYTE, offset - start) == 0)) {
      throw new RuleViolation(
          Rule.PADDING,
          "padding before dense tensor %s not zero at byte %d".formatted(name, offset));
    }
  }
}
