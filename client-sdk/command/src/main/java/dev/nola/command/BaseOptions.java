package dev.nola.command;

import dev.nola.client.merge.ModelMerge.BaseCheck;
import picocli.CommandLine.Option;

/**
 * The options that say what to do about another base model than the adapter's; declared as an
 * exclusive {@code @ArgGroup}.
 */
public final class BaseOptions {
  /** What the user can do about a refusal, to be appended to it. */
  public static final String REMEDY =
      "; use the matching base model, or pass --allow-base-mismatch to continue anyway";

  @Option(
      names = "--allow-base-mismatch",
      description = "Only warn if the base model is not the one that the adapter was made for.")
  private boolean allow;

  @Option(
      names = "--skip-base-check",
      description = "Do not compare the base model with the one that the adapter was made for.")
  private boolean skip;

  /**
   * Returns what the options say.
   *
   * @return the policy
   */
  public BaseCheck check() {
    return allow ? BaseCheck.WARN : skip ? BaseCheck.SKIP : BaseCheck.REQUIRE;
  }
}
