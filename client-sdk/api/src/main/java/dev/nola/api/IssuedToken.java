package dev.nola.api;

/**
 * A new token with its secret.
 *
 * @param token the token
 * @param secret text that follows {@code Authorization: Bearer}; shown only this once
 */
public record IssuedToken(Token token, String secret) {
  @Override
  public String toString() {
    return "IssuedToken[" + token + "]"; // secrets do not belong into logs
  }
}
