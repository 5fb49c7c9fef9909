package dev.nola.format;

import java.util.function.Supplier;

/** The one place through which every check of the reader goes. */
final class Rules {
  /** A check, apart from the value that is checked. */
  record Check(Rule rule, String part) {}

  /** Decides which checks are left out. */
  interface Omission {
    boolean leavesOut(Check check);
  }

  /**
   * Bound by a test that shows that a vector notices when a check is missing; never bound
   * otherwise, and out of reach from outside this package.
   */
  static final ScopedValue<Omission> OMISSION = ScopedValue.newInstance();

  private Rules() {}

  /**
   * Requires that a rule holds.
   *
   * @param rule the rule
   * @param holds whether it does
   * @param message says what is wrong
   * @throws RuleViolation if it does not
   */
  static void require(Rule rule, boolean holds, Supplier<String> message) {
    require(rule, "", holds, message);
  }

  /**
   * Requires that a rule holds for one of the parts that it is about.
   *
   * @param rule the rule
   * @param part the part's name, without any value
   * @param holds whether it does
   * @param message says what is wrong
   * @throws RuleViolation if it does not
   */
  static void require(Rule rule, String part, boolean holds, Supplier<String> message) {
    if (OMISSION.isBound() && OMISSION.get().leavesOut(new Check(rule, part))) {
      return;
    }
    if (!holds) {
      throw new RuleViolation(rule, message.get());
    }
  }
}
