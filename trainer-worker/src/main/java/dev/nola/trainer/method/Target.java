package dev.nola.trainer.method;

/**
 * A matrix of a model that is adapted.
 *
 * @param tensor name of the tensor in the model
 * @param rows number of outputs
 * @param cols number of inputs
 */
record Target(String tensor, int rows, int cols) {}
