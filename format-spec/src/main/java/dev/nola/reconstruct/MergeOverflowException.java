package dev.nola.reconstruct;

/**
 * A finite weight would not have stayed finite in its type: the adapter does not fit this base
 * model.
 */
public final class MergeOverflowException extends ArithmeticException {
  MergeOverflowException(String message) {
    super(message);
  }
}
