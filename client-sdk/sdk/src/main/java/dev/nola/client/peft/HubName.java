package dev.nola.client.peft;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Names of models on the Hugging Face Hub. */
public final class HubName {
  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9][\\w.-]{0,95}(/[A-Za-z0-9][\\w.-]{0,95})?");

  private HubName() {}

  /**
   * Returns whether a text can be a model's name, rather than a path, which would reveal something
   * about a machine.
   *
   * @param text the text
   * @return false if it has another form, or there is a folder of that name
   */
  public static boolean isMeant(String text) {
    return NAME.matcher(text).matches() && !Files.isDirectory(Path.of(text));
  }
}
