package dev.nola.trainer.data;

import dev.nola.trainer.data.DataFiles.Validation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Training and validation examples.
 *
 * @param train at least one
 * @param validation at least one
 */
record Split<T>(List<T> train, List<T> validation) {
  /** Keeps the first examples of each, as many as were asked for. */
  Split<T> limited(DataFiles.Selection selection) {
    return new Split<>(
        first(train, selection.trainExamples()), first(validation, selection.validationExamples()));
  }

  private static <T> List<T> first(List<T> examples, int count) {
    return examples.subList(0, Math.min(examples.size(), count));
  }

  /**
   * Takes a share of examples for validation, in random order of a fixed seed: equal files are
   * split equally.
   *
   * @throws InvalidDataException if nothing remains for training
   */
  static <T> Split<T> of(Path path, List<T> examples, Validation.Share share) throws IOException {
    int count = examples.size();
    if (count < 2) {
      throw new InvalidDataException(
          "%s: has %d example; data.validationShare needs two or more".formatted(path, count));
    }
    int chosen = Math.clamp(Math.round(count * share.share()), 1, count - 1);
    SplittableRandom random = new SplittableRandom(count);
    BitSet isValidation = new BitSet(count);
    for (int left = chosen, i = 0; i < count; i++) {
      if (random.nextInt(count - i) < left) {
        isValidation.set(i);
        left--;
      }
    }
    List<T> train = new ArrayList<>();
    List<T> validation = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      (isValidation.get(i) ? validation : train).add(examples.get(i));
    }
    return new Split<>(train, validation);
  }
}
