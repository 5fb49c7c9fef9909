package dev.nola.trainer.method;

/** What is trained. */
public enum Method {
  /** Coefficients of two random bases a target, and the head. */
  NOLA,
  /** Coefficients of one random basis a target, without a low rank, and the head. */
  PRANC,
  /** Two factors a target, and the head. */
  LORA,
  /** Every tensor of the model. */
  FULL,
  /** The head alone: a classifier, and the biases of a model that is trained from scratch. */
  HEAD
}
