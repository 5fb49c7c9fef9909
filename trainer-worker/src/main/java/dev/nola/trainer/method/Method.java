package dev.nola.trainer.method;

/** A training method: the parameters that it trains. */
public enum Method {
  /** Coefficients of two random bases per target, and the head. */
  NOLA,
  /** Coefficients of one random basis per target, without a low rank, and the head. */
  PRANC,
  /** The elements of two factors per target, and the head. */
  LORA,
  /** The targets themselves, by default every tensor of the model. */
  FULL,
  /** The head alone: a classifier, and the biases of a model that is trained from scratch. */
  HEAD
}
