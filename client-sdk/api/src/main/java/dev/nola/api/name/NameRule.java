package dev.nola.api.name;

import java.util.function.Predicate;
import java.util.regex.Pattern;

/** A rule that a text must meet to be a name of some kind. */
public enum NameRule {
  /** Name of a namespace. */
  NAMESPACE(
      "namespace",
      "[a-z0-9](?:[a-z0-9-]{0,37}[a-z0-9])?",
      "must be 1 to 39 characters of a-z, 0-9 and hyphen, with no hyphen at either end"),
  /** Name of an adapter, a model or a dataset within its namespace. */
  NAME(
      "name",
      "[a-z0-9](?:[a-z0-9._-]{0,94}[a-z0-9])?",
      "must be 1 to 96 characters of a-z, 0-9, dot, hyphen and underscore, the first and last a letter or digit"),
  /** Name that can be moved from one version to another. */
  ALIAS(
      "alias",
      text ->
          Patterns.WORD.matcher(text).matches()
              && !text.equals(Reference.LATEST)
              && !VersionRange.isValid(text),
      "must be 1 to 39 characters of a-z, 0-9 and hyphen, the first a letter, and neither 'latest' nor a version range such as x"),
  /** Number of a version. */
  VERSION(
      "version",
      VersionNumber::isValid,
      "must be a SemVer 2 version number such as 1.4.0 or 2.0.0-rc.1, of at most 64 characters,"
          + " with numbers up to 2147483647"),
  /** Name of an account. */
  ACCOUNT(
      "account",
      "[a-z0-9][a-z0-9._-]{0,63}",
      "must be 1 to 64 characters of a-z, 0-9, dot, hyphen and underscore, the first a letter or digit"),
  /** Name of a file or folder within a model or a dataset. */
  FILE_NAME(
      "name",
      Patterns.FILE_NAME,
      "must consist of letters, digits, dots, underscores and hyphens, and not begin with a dot"),
  /** Path of a file within a model or a dataset. */
  FILE_PATH(
      "path",
      text -> text.length() <= Patterns.MAX_PATH && Patterns.FILE_PATH.matcher(text).matches(),
      "must be names of letters, digits, dots, underscores and hyphens, separated by slashes, none beginning with a dot, with a total of at most "
          + Patterns.MAX_PATH
          + " characters"),
  /** Name of a backend. */
  BACKEND(
      "backend",
      text -> BackendName.find(text).isPresent(),
      "must be scalar, vector, torch or cuda");

  private final String field;
  private final Predicate<String> predicate;
  private final String sentence;

  NameRule(String field, String pattern, String sentence) {
    this(field, Pattern.compile(pattern).asMatchPredicate(), sentence);
  }

  NameRule(String field, Predicate<String> predicate, String sentence) {
    this.field = field;
    this.predicate = predicate;
    this.sentence = sentence;
  }

  /**
   * Returns whether a text meets this rule.
   *
   * @param text any text
   * @return whether it is a name of this kind
   */
  public boolean isMet(String text) {
    return predicate.test(text);
  }

  /**
   * Checks that a text meets this rule.
   *
   * @param text any text
   * @return the text
   * @throws IllegalArgumentException if it does not; the message is {@link #message}
   */
  public String require(String text) {
    if (!isMet(text)) {
      throw new IllegalArgumentException(message(text));
    }
    return text;
  }

  /**
   * Returns the field that names of this kind are given in.
   *
   * @return such as {@code namespace}
   */
  public String field() {
    return field;
  }

  /**
   * Returns the message that a text breaks this rule.
   *
   * @param text the text
   * @return field, text and rule in a sentence
   */
  public String message(String text) {
    return "invalid %s: %s; %s".formatted(field, text.isEmpty() ? "\"\"" : text, sentence);
  }

  /**
   * Holds patterns that the constants share: an enum's static fields are initialized after them.
   */
  private static final class Patterns {
    static final String FILE_NAME = "[A-Za-z0-9_-][A-Za-z0-9._-]*";
    static final Pattern FILE_PATH = Pattern.compile(FILE_NAME + "(?:/" + FILE_NAME + ")*");
    static final Pattern WORD = Pattern.compile("[a-z][a-z0-9-]{0,38}");
    static final int MAX_PATH = 500;

    private Patterns() {}
  }

  /**
   * Returns whether a text has the form of an alias; one that has it and is not a range is an
   * alias.
   *
   * @param text any text
   * @return whether it is 1 to 39 of a-z, 0-9 and hyphen, the first a letter
   */
  public static boolean isWord(String text) {
    return Patterns.WORD.matcher(text).matches();
  }
}
