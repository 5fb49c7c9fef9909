package dev.nola.api.attestation;

/** Thrown if an attestation proves nothing. The message names the value and the rule. */
public final class InvalidAttestationException extends Exception {
  private final Reason reason;

  /** The first thing that was wrong. */
  public enum Reason {
    /** Its signature is invalid: made with another key, or over another statement. */
    BAD_SIGNATURE("bad-signature"),
    /** It is not a valid statement. */
    INVALID_STATEMENT("invalid-statement"),
    /** It is about another file. */
    WRONG_SUBJECT("wrong-subject"),
    /** It is about a different backend. */
    WRONG_BACKEND("wrong-backend"),
    /** It was not made for this job. */
    WRONG_NONCE("wrong-nonce"),
    /** Its digests do not match each other, the file, or its outcome. */
    WRONG_ROOT("wrong-root"),
    /** Its author did not compute the factors. */
    WRONG_PROOF("wrong-proof");

    private final String type;

    Reason(String type) {
      this.type = type;
    }

    /**
     * Returns the name of this reason in a {@link AttestationReport.Verdict}.
     *
     * @return such as {@code bad-signature}
     */
    public String type() {
      return type;
    }
  }

  /**
   * Makes an exception.
   *
   * @param reason the first thing that was wrong
   * @param message the value and the rule
   */
  public InvalidAttestationException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  /**
   * Returns the first thing that was wrong.
   *
   * @return the reason
   */
  public Reason reason() {
    return reason;
  }
}
