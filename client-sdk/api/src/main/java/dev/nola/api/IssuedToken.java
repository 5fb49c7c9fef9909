package dev.nola.api;

/**
 * A new token.
 *
 * @param secret what goes behind {@code Authorization: Bearer}; shown this once and never again
 */
public record IssuedToken(Token token, String secret) {
  @Override
  public String toString() {
    return "IssuedToken[" + token + "]"; // secrets do not belong into logs
  }
}
