package dev.nola.api.attestation;

/** An attestation that proves nothing. The message names the value and the rule. */
public final class InvalidAttestationException extends Exception {
  private final Reason reason;

  /** What was wrong, first of all. */
  public enum Reason {
    /** It is not signed with the key that it names, or it is not what was signed. */
    BAD_SIGNATURE("bad-signature"),
    /** It does not say what a statement of this kind says. */
    INVALID_STATEMENT("invalid-statement"),
    /** It is about another file. */
    WRONG_SUBJECT("wrong-subject"),
    /** It is by another backend than it should be. */
    WRONG_BACKEND("wrong-backend"),
    /** It was not made for this occasion. */
    WRONG_NONCE("wrong-nonce"),
    /** Its digests do not fit each other, the file, or its outcome. */
    WRONG_ROOT("wrong-root"),
    /** Whoever made it did not have the factors. */
    WRONG_PROOF("wrong-proof");

    private final String type;

    Reason(String type) {
      this.type = type;
    }

    /** What a {@link AttestationReport.Verdict} calls it. */
    public String type() {
      return type;
    }
  }

  /** An attestation refused for a reason. */
  public InvalidAttestationException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  /** What was wrong. */
  public Reason reason() {
    return reason;
  }
}
