package dev.nola.registry.data;

/** Checks something that a start needs, and leaves nothing changed. */
public interface StartCheck {
  /**
   * Returns what is checked.
   *
   * @return a noun such as {@code database}
   */
  String subject();

  /**
   * Checks it.
   *
   * @return what was found, in a few words
   * @throws StartFailure if the server cannot start with it
   */
  String run();
}
