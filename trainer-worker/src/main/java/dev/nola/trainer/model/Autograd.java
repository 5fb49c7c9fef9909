package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.util.function.UnaryOperator;

/** Gradients of a computation in parts, and the life of the arrays between. */
public final class Autograd {
  private Autograd() {}

  /**
   * Computes the gradients with respect to all leaves that follow from that of an array.
   *
   * @param array result of recorded operations
   * @param gradient gradient of the loss with respect to it, of its shape
   */
  public static void backward(NDArray array, NDArray gradient) {
    JniUtils.backward((PtNDArray) array, (PtNDArray) gradient, false, false);
  }

  /**
   * Computes an array and closes all others that the computation has made, of which PyTorch keeps
   * what a backward pass needs.
   *
   * @param x input of the computation; stays open
   * @param computation a function that makes its arrays by the manager of its argument
   * @return the result, owned by the manager of {@code x}
   */
  public static NDArray inScope(NDArray x, UnaryOperator<NDArray> computation) {
    NDManager owner = x.getManager();
    try (NDManager scope = owner.newSubManager()) {
      x.attach(scope);
      NDArray result = computation.apply(x);
      result.attach(owner);
      x.attach(owner);
      return result;
    }
  }
}
