package dev.nola.format;

/**
 * Thrown if a rule is broken. To callers that build an adapter it is an {@link
 * IllegalArgumentException}; the reader turns it into the {@link AdapterException} of the rule.
 */
final class RuleViolation extends IllegalArgumentException {
  private final Rule rule;

  RuleViolation(Rule rule, String message) {
    super(message);
    this.rule = rule;
  }

  Rule rule() {
    return rule;
  }

  AdapterException refusal() {
    return switch (rule.kind()) {
      case CORRUPT -> new CorruptAdapterException(getMessage());
      case TOO_OLD -> new AdapterTooOldException(getMessage());
      case TOO_NEW -> new AdapterTooNewException(getMessage());
      case LIMIT -> new LimitExceededException(getMessage());
      case GENERATOR -> new UnsupportedGeneratorException(getMessage());
    };
  }
}
