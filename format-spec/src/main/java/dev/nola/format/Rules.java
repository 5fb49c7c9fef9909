package dev.nola.format;

/**
 * The one place through which every check of the reader goes. Checks neither format a message nor
 * allocate anything unless a rule is broken: a file may have 65,536 layers.
 */
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
   * Returns whether a rule is broken.
   *
   * @param rule the rule
   * @param holds what it requires
   */
  static boolean isBroken(Rule rule, boolean holds) {
    return isBroken(rule, "", holds);
  }

  /**
   * Returns whether a rule is broken for one of the parts that it is about.
   *
   * @param rule the rule
   * @param part the part's name, without any value
   * @param holds what it requires
   */
  static boolean isBroken(Rule rule, String part, boolean holds) {
    if (OMISSION.isBound() && OMISSION.get().leavesOut(new Check(rule, part))) {
      return false;
    }
    return !holds;
  }
}
