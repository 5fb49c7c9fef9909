package dev.nola.trainer.data;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The classes of texts.
 *
 * @param names their names by number
 * @param numbers number of each class by its name or number in the data
 * @param rule rule for a class in the data, for messages, such as "occur in train.tsv"
 */
record ClassNames(List<String> names, Map<String, Integer> numbers, String rule) {
  private static final Pattern WHOLE_NUMBER = Pattern.compile("0|-?[1-9][0-9]*");

  /**
   * Returns the classes.
   *
   * @param train file of the training rows, for messages
   * @param rows training rows, used or not
   * @param labels names by number; empty for those of the rows
   * @param origin where the labels are from, for messages
   * @throws InvalidDataException if there is only one
   */
  static ClassNames of(Path train, List<Row> rows, List<String> labels, String origin)
      throws IOException {
    List<String> answers = rows.stream().map(Row::answer).distinct().toList();
    boolean areNumbers =
        answers.stream().allMatch(answer -> WHOLE_NUMBER.matcher(answer).matches());
    if (!labels.isEmpty()) {
      boolean areNames = labels.containsAll(answers);
      return new ClassNames(
          labels,
          numbers(
              areNumbers && !areNames
                  ? IntStream.range(0, labels.size()).mapToObj(Integer::toString).toList()
                  : labels),
          "be one of " + origin + (areNumbers && !areNames ? ", by its number from 0" : ""));
    }
    List<String> names =
        answers.stream()
            .sorted(areNumbers ? Comparator.comparing(BigInteger::new) : Comparator.naturalOrder())
            .toList();
    if (names.size() < 2) {
      throw new InvalidDataException(
          "%s: all examples have class \"%s\"; must have two or more classes"
              .formatted(train, names.getFirst()));
    }
    return new ClassNames(names, numbers(names), "occur in " + train);
  }

  private static Map<String, Integer> numbers(List<String> answers) {
    Map<String, Integer> numbers = new HashMap<>();
    answers.forEach(answer -> numbers.put(answer, numbers.size()));
    return numbers;
  }

  /** Requires that rows have only these classes. */
  void require(Path path, List<Row> rows) throws IOException {
    for (Row row : rows) {
      if (!numbers.containsKey(row.answer())) {
        throw Lines.invalid(
            path, row.line(), "unknown class: \"%s\"; must %s".formatted(row.answer(), rule));
      }
    }
  }

  int number(String answer) {
    Integer number = numbers.get(answer);
    if (number == null) {
      throw new IllegalArgumentException("unknown class: " + answer);
    }
    return number;
  }
}
