package dev.nola.cli.team;

import dev.nola.client.RegistryException;

/** Adds a command's advice to a registry's refusal. */
final class Advice {
  private Advice() {}

  /** Returns the same refusal with advice at the end of its message. */
  static RegistryException add(RegistryException refusal, String advice) {
    return new RegistryException(
        refusal.kind(),
        refusal.status(),
        refusal.problem(),
        refusal.retryAfter(),
        refusal.getMessage() + "; " + advice);
  }
}
