package dev.nola.trainer.job;

import com.google.re2j.Pattern;
import java.util.List;
import java.util.stream.Stream;

/**
 * All keys of job files: the one table that the reader, the schema and the README's table are made
 * from.
 */
final class Keys {
  /** Pattern of all tensors that can be adapted: those that the forward pass multiplies by. */
  static final Pattern ALL_LINEAR = Pattern.compile(TargetSets.ALL_LINEAR);

  /** Pattern of the targets in a job that names none. */
  static final Pattern QV = Pattern.compile(TargetSets.QV);

  /** Pattern of every tensor. */
  static final Pattern EVERY_TENSOR = Pattern.compile("");

  /** All keys, in the order of the documentation. */
  static final List<Key<?>> ALL =
      Stream.of(ModelKeys.ALL, DataKeys.ALL, ImageKeys.ALL, MethodKeys.ALL, RunKeys.ALL)
          .<Key<?>>flatMap(List::stream)
          .toList();

  /** Groups of keys of which a file has exactly one. */
  static final List<List<Key<?>>> ALTERNATIVES =
      List.of(
          List.of(ModelKeys.BASE, ModelKeys.MLP, ModelKeys.NETWORK),
          List.of(DataKeys.VALIDATION, DataKeys.VALIDATION_SHARE),
          List.of(RunKeys.STEPS, RunKeys.EPOCHS));

  private Keys() {}
}
