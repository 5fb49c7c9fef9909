package dev.nola.trainer.data;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Draws the same number of training examples from each class: the paper's k-shot protocol (section
 * 4.3).
 */
final class Shots {
  private Shots() {}

  /**
   * Draws examples of a data set with classes.
   *
   * @param data the examples
   * @param shots number of training examples of each class
   * @param seed seed of the draw
   * @return the drawn training examples, in the order of the files, and all validation examples
   * @throws InvalidDataException if a class has fewer examples
   */
  static Dataset draw(Dataset data, int shots, long seed) throws IOException {
    List<List<Integer>> byClass = new ArrayList<>();
    data.classes().forEach(_ -> byClass.add(new ArrayList<>()));
    for (int i = 0; i < data.train().size(); i++) {
      byClass.get(label(data.train().get(i))).add(i);
    }
    RandomGenerator random =
        new SplittableRandom(seed); // Random draws alike for neighbouring seeds
    List<Integer> drawn = new ArrayList<>();
    for (int label = 0; label < byClass.size(); label++) {
      List<Integer> examples = byClass.get(label);
      if (examples.size() < shots) {
        throw new InvalidDataException(
            "class %s has %d training examples; must have at least %d for data.shots"
                .formatted(data.classes().get(label), examples.size(), shots));
      }
      Collections.shuffle(examples, random);
      drawn.addAll(examples.subList(0, shots));
    }
    Collections.sort(drawn);
    return new Dataset(
        drawn.stream().map(data.train()::get).toList(),
        data.validation(),
        data.classes(),
        data.cut(),
        data.skipped(),
        data.warnings(),
        data.digests());
  }

  private static int label(Example example) {
    return switch (example) {
      case Example.Classified text -> text.label();
      case Example.Features features -> features.label();
      case Example.Picture picture -> picture.label();
      case Example.Completion _ ->
          throw new IllegalArgumentException("texts to be continued have no classes");
    };
  }
}
