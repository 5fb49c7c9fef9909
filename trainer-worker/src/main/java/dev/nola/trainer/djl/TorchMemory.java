package dev.nola.trainer.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Finds the memory of PyTorch's arrays, which DJL does not expose. */
public final class TorchMemory {
  /**
   * A function of PyTorch's stable C interface. Its handles of tensors are pointers to {@code
   * at::Tensor}, as DJL's are.
   */
  private static final String FUNCTION = "aoti_torch_get_data_ptr";

  private TorchMemory() {}

  /** Loaded once, after PyTorch. */
  private static final class Function {
    @SuppressWarnings("restricted") // calls native code, which is the purpose
    private static final MethodHandle GET_DATA_POINTER =
        Linker.nativeLinker()
            .downcallHandle(
                SymbolLookup.loaderLookup().findOrThrow(FUNCTION),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
  }

  /**
   * Returns the memory of an array of the host.
   *
   * @param array an array of PyTorch in the host's memory, contiguous
   * @return its bytes, valid while the array is open
   */
  @SuppressWarnings("restricted") // PyTorch says where the memory is, the array how long
  public static MemorySegment of(NDArray array) {
    long bytes = array.getShape().size() * array.getDataType().getNumOfBytes();
    return MemorySegment.ofAddress(address(array)).reinterpret(bytes);
  }

  /**
   * Returns where an array's first element is.
   *
   * @param array an array of PyTorch, whose memory is contiguous
   * @return an address of the host, or of the GPU that the array is on
   */
  public static long address(NDArray array) {
    long handle = ((PtNDArray) array).getHandle();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment result = arena.allocate(ValueLayout.JAVA_LONG);
      int error = (int) Function.GET_DATA_POINTER.invokeExact(handle, result);
      if (error != 0) {
        throw new IllegalStateException(FUNCTION + " failed: error " + error);
      }
      return result.get(ValueLayout.JAVA_LONG, 0);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e); // a function of C throws nothing
    }
  }
}
