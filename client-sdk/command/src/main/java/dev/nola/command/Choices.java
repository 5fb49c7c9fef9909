package dev.nola.command;

import dev.nola.text.Label;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Model.ArgSpec;

/** The words that an option accepts, for messages and for completion. */
public final class Choices {
  private Choices() {}

  /**
   * Lists the values of an option that has a fixed list.
   *
   * @param argument picocli's model of an option or argument
   * @return its completion candidates; of an enum, the constants in lower case as help and results
   *     have them; empty if any value may be valid
   */
  public static List<String> of(ArgSpec argument) {
    List<String> words = new ArrayList<>();
    if (argument.completionCandidates() != null) {
      argument.completionCandidates().forEach(words::add);
    }
    Class<?> type = argument.auxiliaryTypes()[0];
    // Names of several words come from elsewhere, such as PEFT's task types and the types of
    // webhooks' messages, and stay as they are.
    return !type.isEnum() || words.stream().anyMatch(word -> word.matches(".*[_.].*"))
        ? words
        : Arrays.stream(type.getEnumConstants()).map(Enum.class::cast).map(Label::of).toList();
  }
}
