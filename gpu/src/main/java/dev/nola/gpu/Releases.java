package dev.nola.gpu;

import java.util.List;

/** Releases several things, also if that fails for some. */
public final class Releases {
  private Releases() {}

  /**
   * Runs all releases.
   *
   * @param releases in this order
   * @throws RuntimeException what the first release that failed has thrown, with the failures after
   *     it as suppressed exceptions
   */
  public static void runAll(List<? extends Runnable> releases) {
    RuntimeException failure = null;
    for (Runnable release : releases) {
      try {
        release.run();
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /**
   * Releases what was acquired before something failed.
   *
   * @param failure receives what the release throws as a suppressed exception
   * @param release the release
   */
  public static void after(Throwable failure, Runnable release) {
    try {
      release.run();
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
  }
}
