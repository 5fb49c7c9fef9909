package dev.nola.trainer.job;

import dev.nola.format.MatrixView;
import dev.nola.generator.Generator;
import dev.nola.trainer.method.Method;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The format's limits on rank and coefficients, as far as a job file alone determines them. */
final class FactorLimits {
  private FactorLimits() {}

  /** Returns the limit for a factor of any size; training takes coefficients at 16 bits. */
  static long maxCoefficients(Generator generator) {
    return generator.maxCoefficients(generator.maxLength(), Generator.MAX_BITS);
  }

  /**
   * Requires that factors are within the format's limits (SPEC.md, sections 6, 7.1 and 10): each
   * factor of a model trained from scratch; of another model, whose tensors are not known yet, the
   * largest possible one.
   */
  static void require(Settings settings) {
    Method method = settings.find(MethodKeys.METHOD);
    Generator generator =
        method == Method.LORA ? Generator.IDENTITY : settings.find(MethodKeys.GENERATOR);
    List<Integer> widths = settings.find(ModelKeys.MLP);
    if (method == null || generator == null || method == Method.FULL || method == Method.HEAD) {
      return;
    }
    Integer rank = method == Method.PRANC ? null : settings.find(MethodKeys.RANK);
    Integer k = method == Method.LORA ? null : settings.find(MethodKeys.K);
    Integer l = method == Method.NOLA ? settings.find(MethodKeys.L) : null;
    long longest = generator.maxLength();
    if (widths == null) {
      requireAtMost(settings, MethodKeys.RANK, rank, longest, "the elements of a factor");
      requireAtMost(settings, MethodKeys.K, k, maxCoefficients(generator), generator.label());
      requireAtMost(settings, MethodKeys.L, l, maxCoefficients(generator), generator.label());
      return;
    }
    for (int i = 0; i < widths.size() - 1; i++) {
      List<Integer> shape = List.of(widths.get(i + 1), widths.get(i));
      String layer = "the layer %d to %d of model.mlp".formatted(shape.getLast(), shape.getFirst());
      MatrixView view = settings.get(MethodKeys.VIEW).of(layer, shape);
      long rows = view.rows();
      long cols = view.cols();
      if (rank != null) {
        requireAtMost(settings, MethodKeys.RANK, rank, longest / Math.max(rows, cols), layer);
      }
      requireCoefficients(
          settings, MethodKeys.K, k, generator, rank == null ? rows * cols : rank * rows, layer);
      requireCoefficients(
          settings, MethodKeys.L, l, generator, rank == null ? 0 : rank * cols, layer);
    }
  }

  private static void requireCoefficients(
      Settings settings,
      Key<Integer> key,
      @Nullable Integer count,
      Generator generator,
      long length,
      String layer) {
    if (count != null && length <= generator.maxLength()) {
      requireAtMost(
          settings,
          key,
          count,
          generator.maxCoefficients((int) length, Generator.MAX_BITS),
          "%s and a factor of %d elements, of %s".formatted(generator.label(), length, layer));
    }
  }

  private static void requireAtMost(
      Settings settings, Key<Integer> key, @Nullable Integer value, long limit, String subject) {
    settings.require(
        value == null || value <= limit,
        "invalid %s: %s; must be at most %d for %s".formatted(key.path(), value, limit, subject));
  }
}
