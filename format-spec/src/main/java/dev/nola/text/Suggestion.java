package dev.nola.text;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds the word that was probably meant by one that is unknown. */
public final class Suggestion {
  /** Characters that may be wrong: one in three, but always one. */
  private static final int CHARACTERS_PER_MISTAKE = 3;

  private static final int SHORTEST_PART = 3;

  private Suggestion() {}

  /**
   * Finds the nearest word: one with the same letters, one that is abbreviated by its initials (as
   * {@code lr} is of {@code learningRate}), its beginning or its end, or one with few other
   * letters.
   *
   * @param words the known words; those with dots also match without the groups before the last
   * @param unknown the unknown word
   * @return the nearest word, or nothing if none is near
   */
  public static Optional<String> nearest(Collection<String> words, String unknown) {
    return words.stream()
        .filter(word -> distance(word, unknown) <= limit(unknown))
        .min(
            Comparator.comparingInt((String word) -> distance(word, unknown))
                .thenComparing(Comparator.naturalOrder()));
  }

  /** Twice the number of mistakes, so that abbreviations come between none and one; and a group. */
  private static int limit(String unknown) {
    return 1 + 2 * Math.max(1, letters(last(unknown)).length() / CHARACTERS_PER_MISTAKE);
  }

  private static int distance(String word, String unknown) {
    int whole = distanceOfPart(word, unknown);
    return word.contains(".")
        ? Math.min(whole, 1 + distanceOfPart(last(word), last(unknown)))
        : whole;
  }

  private static int distanceOfPart(String word, String unknown) {
    String known = letters(word);
    String letters = letters(unknown);
    if (known.equals(letters)) {
      return 0;
    }
    boolean abbreviates =
        letters.length() > 1 && initials(word).equals(letters)
            || letters.length() >= SHORTEST_PART && known.startsWith(letters);
    if (abbreviates) {
      return 1;
    }
    boolean isEnd = letters.length() >= SHORTEST_PART && known.endsWith(letters);
    return isEnd ? 2 : 2 * edits(known, letters);
  }

  private static String last(String path) {
    return path.substring(path.lastIndexOf('.') + 1);
  }

  private static String letters(String word) {
    return word.replaceAll("[_-]", "").toLowerCase(Locale.ROOT);
  }

  /** Returns the first letters of the words in {@code learningRate} or {@code learning-rate}. */
  private static String initials(String word) {
    return word.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-")
        .replaceAll("([A-Za-z0-9])[A-Za-z0-9]*[_-]?", "$1")
        .toLowerCase(Locale.ROOT);
  }

  /**
   * Counts the characters to change, add, remove or swap with the next (Damerau and Levenshtein).
   *
   * @param a a word
   * @param b another word
   * @return the least number of edits that turn one into the other
   */
  public static int edits(String a, String b) {
    int[][] distances = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          distances[i][j] = i + j;
          continue;
        }
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        int least =
            Math.min(
                distances[i - 1][j - 1] + change,
                1 + Math.min(distances[i - 1][j], distances[i][j - 1]));
        boolean isSwapped =
            i > 1
                && j > 1
                && a.charAt(i - 1) == b.charAt(j - 2)
                && a.charAt(i - 2) == b.charAt(j - 1);
        distances[i][j] = isSwapped ? Math.min(least, 1 + distances[i - 2][j - 2]) : least;
      }
    }
    return distances[a.length()][b.length()];
  }
}
