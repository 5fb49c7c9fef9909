package dev.nola.cli;

import java.util.List;

/** The commands of other modules, which the launcher ./nola starts. */
final class LauncherCommands {
  /** All of them, separated by commas. */
  static final String LIST =
      "serve, train, evaluate, predict, generate, targets, worker, demo, import-onnx,"
          + " import-wordnet";

  private LauncherCommands() {}

  /** Returns all of them, one by one. */
  static List<String> all() {
    return List.of(LIST.split(", "));
  }
}
