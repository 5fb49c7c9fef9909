package dev.nola.format;

import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.generator.Basis;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One adapted tensor, or one adapted part of a tensor. The tensor as stored, or the slice of it, is
 * flattened row-major and viewed as a matrix of R×C; ΔW has that shape and orientation (SPEC.md
 * section 4.2). Its eight components are the fields that the file stores for a layer.
 *
 * @param tensor the tensor's name in the base model's safetensors
 * @param shape the tensor's stored shape, 1 to {@link Limits#DIMENSIONS} dimensions
 * @param slice the adapted part, or null if the whole tensor is adapted
 * @param rows R, the rows of ΔW
 * @param cols C, the columns of ΔW
 * @param stream stream number, an unsigned 32-bit integer; layers with equal numbers share their
 *     bases
 * @param scale multiplies side A: both quantizer steps, 1/√k, 1/√l, the generator's normalisation
 *     and c/r in one; +0, or 2⁻¹²⁶ to 2⁷⁴
 * @param coefficients the quantized coefficients of one or two sides
 */
public record Layer(
    String tensor,
    List<Integer> shape,
    @Nullable Slice slice,
    int rows,
    int cols,
    int stream,
    float scale,
    Coefficients coefficients) {
  /** The smallest scale but zero: every non-zero element of A is then a normal f32. */
  public static final float MIN_SCALE = 0x1p-126f;

  /** The largest scale: every element of A is then finite. */
  public static final float MAX_SCALE = 0x1p74f;

  /**
   * Checks the values by themselves and against each other.
   *
   * @throws IllegalArgumentException if a value is out of its range, the slice is not a proper part
   *     of the shape, or R·C is not the number of elements adapted
   */
  public Layer {
    Text.requireName("tensor name", tensor, 1);
    shape = List.copyOf(shape);
    Shapes.requireLegal(tensor, shape);
    if (Rules.isBroken(Rule.DIMENSIONS_PRESENT, !shape.isEmpty())) {
      throw new RuleViolation(
          Rule.DIMENSIONS_PRESENT,
          "scalar tensor: " + tensor + "; only tensors with at least one dimension can be adapted");
    }
    if (slice != null) {
      requireProperPart(tensor, shape, slice);
    }
    long adapted = Shapes.elements(adaptedShape(shape, slice));
    if (Rules.isBroken(Rule.VIEW, rows >= 1 && cols >= 1 && (long) rows * cols == adapted)) {
      throw new RuleViolation(
          Rule.VIEW,
          "view does not match tensor %s: %d×%d; must have %d elements"
              .formatted(tensor, rows, cols, adapted));
    }
    if (Rules.isBroken(
        Rule.SCALE,
        Float.floatToRawIntBits(scale) == 0 || scale >= MIN_SCALE && scale <= MAX_SCALE)) {
      throw new RuleViolation(
          Rule.SCALE,
          "invalid scale of tensor %s: %s; must be +0 or %s to %s"
              .formatted(
                  tensor,
                  Float.toHexString(scale),
                  Float.toHexString(MIN_SCALE),
                  Float.toHexString(MAX_SCALE)));
    }
  }

  /**
   * Returns a layer that adapts a whole matrix.
   *
   * @param tensor the matrix's name
   * @param rows R, its first dimension
   * @param cols C, its second dimension
   * @param stream stream number, an unsigned 32-bit integer
   * @param scale multiplies side A; +0, or {@link #MIN_SCALE} to {@link #MAX_SCALE}
   * @param coefficients the quantized coefficients
   * @return the layer
   * @throws IllegalArgumentException if a value is out of its range
   */
  public static Layer ofMatrix(
      String tensor, int rows, int cols, int stream, float scale, Coefficients coefficients) {
    return new Layer(tensor, List.of(rows, cols), null, rows, cols, stream, scale, coefficients);
  }

  /**
   * Returns the number of elements of ΔW.
   *
   * @return R·C
   */
  public long elements() {
    return (long) rows * cols;
  }

  /**
   * Returns the basis of one side.
   *
   * @param generator the adapter's generator
   * @param seed the adapter's seed, an unsigned 64-bit integer
   * @param side the factor
   * @return its basis, or null for side B of the direct form
   * @throws IllegalArgumentException if the factor is longer than the generator allows
   */
  public @Nullable Basis basis(Generator generator, long seed, Side side) {
    long length = factorLength(side);
    if (length == 0) {
      return null;
    }
    requireFactorLength(generator, side);
    return new Basis(generator, seed, stream, side, (int) length);
  }

  /** Returns the number of elements of a factor; 0 for side B of the direct form. */
  long factorLength(Side side) {
    return switch (coefficients) {
      case Direct _ -> side == Side.A ? elements() : 0;
      case LowRank lowRank -> (long) lowRank.rank() * (side == Side.A ? rows : cols);
    };
  }

  /** Requires that a factor is not longer than the generator allows. */
  void requireFactorLength(Generator generator, Side side) {
    if (Rules.isBroken(
        Rule.FACTOR_LENGTH, Codes.part(side), factorLength(side) <= generator.maxLength())) {
      throw new RuleViolation(
          Rule.FACTOR_LENGTH,
          "factor %s of tensor %s too large: %d elements; limit is %d for %s"
              .formatted(side, tensor, factorLength(side), generator.maxLength(), generator));
    }
  }

  /**
   * Returns the codes of one side.
   *
   * @param side the factor
   * @return its codes, or null for side B of the direct form
   */
  public @Nullable Codes codes(Side side) {
    return switch (coefficients) {
      case Direct direct -> side == Side.A ? direct.alpha() : null;
      case LowRank lowRank -> side == Side.A ? lowRank.alpha() : lowRank.beta();
    };
  }

  /** Returns whether two layers of one tensor adapt an element in common. */
  boolean overlaps(Layer other) {
    return slice == null || other.slice == null || slice.overlaps(other.slice);
  }

  private static void requireProperPart(String tensor, List<Integer> shape, Slice slice) {
    if (Rules.isBroken(
        Rule.SLICE_INSIDE, slice.dim() < shape.size() && slice.end() <= shape.get(slice.dim()))) {
      throw new RuleViolation(
          Rule.SLICE_INSIDE,
          "slice outside tensor %s: %s; its shape is %s".formatted(tensor, slice, shape));
    }
    if (Rules.isBroken(Rule.SLICE_PROPER, slice.length() != shape.get(slice.dim()))) {
      throw new RuleViolation(
          Rule.SLICE_PROPER,
          "slice covers all of tensor %s: %s; omit the slice".formatted(tensor, slice));
    }
  }

  private static List<Integer> adaptedShape(List<Integer> shape, @Nullable Slice slice) {
    if (slice == null) {
      return shape;
    }
    List<Integer> adapted = new ArrayList<>(shape);
    adapted.set(slice.dim(), slice.length());
    return adapted;
  }
}
