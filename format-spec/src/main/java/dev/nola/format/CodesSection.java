package dev.nola.format;

import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.ManifestContent.CodesHead;
import dev.nola.format.ManifestContent.Group;
import dev.nola.format.ManifestContent.Range;
import dev.nola.generator.Side;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Expands the groups of a manifest that is within its limits, and reads for every layer its scale
 * and codes (SPEC.md section 5.1). Nothing is copied before the section is known to be as long as
 * the groups need.
 */
final class CodesSection {
  private final ByteBuffer section;

  private CodesSection(byte[] section) {
    this.section = ByteBuffer.wrap(section).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Reads all layers.
   *
   * @param groups the groups, which expand to a legal number of layers
   * @param section the codes section
   * @param receiver receives the layers in the file's order
   * @throws RuleViolation if the section or a layer breaks a rule
   */
  static void read(List<Group> groups, byte[] section, Consumer<Layer> receiver) {
    long expected = 0;
    for (Group group : groups) {
      expected += group.count() * group.codesBytes();
    }
    long bytes = expected;
    if (Rules.isBroken(Rule.CODES_LENGTH, bytes == section.length)) {
      throw new RuleViolation(
          Rule.CODES_LENGTH,
          "codes section has the wrong length: %d bytes; the layers of the manifest need %d"
              .formatted(section.length, bytes));
    }
    CodesSection codes = new CodesSection(section);
    groups.forEach(group -> codes.read(group, receiver));
  }

  private void read(Group group, Consumer<Layer> receiver) {
    IndexedName name = requireName(group);
    String prefix = name.prefix();
    String suffix = name.suffix();
    List<Integer> shape = group.shape().stream().map(dim -> number("dimension", dim)).toList();
    Slice slice = slice(group.slice());
    int rows = number("rows", group.rows());
    int cols = number("cols", group.cols());
    int rank = number("rank", group.rank());
    int k = number("k", group.alpha().count());
    int l = group.direct() ? 0 : number("l", group.beta().count());
    for (int i = 0; i < group.count(); i++) {
      float scale = Float.intBitsToFloat(section.getInt());
      Codes alpha = codes(Codes.part(Side.A), k, group.alpha());
      Coefficients coefficients =
          group.direct()
              ? new Direct(alpha)
              : new LowRank(rank, alpha, codes(Codes.part(Side.B), l, group.beta()));
      receiver.accept(
          new Layer(
              i == 0 ? group.tensor() : prefix + (name.index() + i) + suffix,
              shape,
              slice,
              rows,
              cols,
              group.stream() + i * group.streamStep(),
              scale,
              coefficients));
    }
  }

  private static IndexedName requireName(Group group) {
    if (Rules.isBroken(Rule.GROUP_COUNT, group.count() >= 1)) {
      throw new RuleViolation(
          Rule.GROUP_COUNT,
          "invalid count of group %s: 0; must be at least 1".formatted(group.tensor()));
    }
    IndexedName name = IndexedName.of(group.tensor());
    if (Rules.isBroken(
        Rule.GROUP_INDEX,
        group.count() == 1
            || name.index() >= 0 && name.index() + group.count() - 1 <= IndexedName.MAX_INDEX)) {
      throw new RuleViolation(
          Rule.GROUP_INDEX,
          "invalid name of group %s: no index to count up to %d; must contain an index of at most nine digits"
              .formatted(group.tensor(), group.count()));
    }
    return name;
  }

  private static @Nullable Slice slice(@Nullable Range range) {
    return range == null
        ? null
        : new Slice(
            number("slice dim", range.dim()),
            number("slice start", range.start()),
            number("slice length", range.length()));
  }

  /** Requires a number of at most 31 bits, and returns it. */
  static int number(String what, long unsigned) {
    if (Rules.isBroken(Rule.NUMBER_RANGE, what, unsigned <= Integer.MAX_VALUE)) {
      throw new RuleViolation(
          Rule.NUMBER_RANGE, "invalid %s: %d; must be at most 2^31-1".formatted(what, unsigned));
    }
    return Math.toIntExact(unsigned);
  }

  private Codes codes(String what, int count, CodesHead head) {
    byte[] packed = new byte[Math.toIntExact(head.bytes())];
    section.get(packed);
    return Codes.adopting(what, head.bits(), count, packed);
  }
}
