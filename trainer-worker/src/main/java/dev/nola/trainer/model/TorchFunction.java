package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A function of PyTorch that DJL has no name for, reached by a TorchScript module whose {@code
 * forward} is that function. Gradients are PyTorch's own.
 */
final class TorchFunction {
  private static final String CODE =
      """
      class Function(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def forward(self: __torch__.Function, x: Tensor) -> Tensor:
          return %s
      """;

  /** A pickled {@code Function} whose attribute {@code training} is false. */
  private static final String OBJECT =
      "\u0080\u0002c__torch__\nFunction\nq\0)\u0081}X\u0008\0\0\0training\u0089sb.";

  /** A pickled empty tuple. */
  private static final String NO_CONSTANTS = "\u0080\u0002).";

  private final PtSymbolBlock module;

  /**
   * Loads a function.
   *
   * @param expression its value, in TorchScript, of a tensor {@code x}
   */
  TorchFunction(String expression) {
    NDManager manager = Tensors.newManager(); // never closed, as the function
    try {
      module =
          JniUtils.loadModule(
              (PtNDManager) manager, new ByteArrayInputStream(archive(expression)), false, false);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // of reading an array of bytes
    }
  }

  /**
   * Computes the function.
   *
   * @param x any shape
   * @return owned by the manager of {@code x}
   */
  NDArray apply(NDArray x) {
    // For this thread: the operations as they are written, so that no later call rounds otherwise.
    JniUtils.setGraphExecutorOptimize(false);
    return IValueUtils.forward(module, new NDList(x), true).singletonOrThrow();
  }

  private static byte[] archive(String expression) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      add(zip, "data.pkl", OBJECT);
      add(zip, "code/__torch__.py", CODE.formatted(expression));
      add(zip, "constants.pkl", NO_CONSTANTS);
      add(zip, "version", "3\n");
    }
    return bytes.toByteArray();
  }

  /** Adds a file; PyTorch reads those that are not compressed alone. */
  private static void add(ZipOutputStream zip, String name, String content) throws IOException {
    byte[] bytes = content.getBytes(StandardCharsets.ISO_8859_1);
    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    ZipEntry entry = new ZipEntry("function/" + name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    entry.setCrc(checksum.getValue());
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }
}
