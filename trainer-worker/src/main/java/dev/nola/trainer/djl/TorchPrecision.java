package dev.nola.trainer.djl;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.Optional;

/**
 * PyTorch's settings for GPUs that DJL does not expose. By default, convolutions round f32 to the
 * ten bits of TF32, and may add in an order that differs from run to run.
 */
final class TorchPrecision {
  /** {@code at::globalContext()}; absent where a compiler mangles names in another way. */
  private static final String CONTEXT = "_ZN2at13globalContextEv";

  /** Functions of {@code at::Context} that take a boolean, and what they get. */
  private static final Map<String, Boolean> SETTINGS =
      Map.of(
          "_ZN2at7Context17setAllowTF32CuDNNEb", false,
          "_ZN2at7Context18setAllowTF32CuBLASEb", false,
          "_ZN2at7Context21setDeterministicCuDNNEb", true);

  private TorchPrecision() {}

  /**
   * Makes GPUs compute in f32, and the same in every run; to be called after PyTorch was loaded.
   *
   * @param hasCuda whether the PyTorch that is loaded can use GPUs
   * @throws IllegalStateException if it can, and does not have these settings
   */
  @SuppressWarnings("restricted") // calls native code, which is the purpose
  static void makeExact(boolean hasCuda) {
    SymbolLookup torch = SymbolLookup.loaderLookup();
    Optional<MemorySegment> context = torch.find(CONTEXT);
    if (context.isEmpty()) {
      if (hasCuda) {
        throw new IllegalStateException("function missing in PyTorch's libraries: " + CONTEXT);
      }
      return;
    }
    Linker linker = Linker.nativeLinker();
    try {
      MemorySegment settings =
          (MemorySegment)
              linker
                  .downcallHandle(context.get(), FunctionDescriptor.of(ValueLayout.ADDRESS))
                  .invokeExact();
      for (Map.Entry<String, Boolean> setting : SETTINGS.entrySet()) {
        linker
            .downcallHandle(
                torch.findOrThrow(setting.getKey()),
                FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_BOOLEAN))
            .invokeExact(settings, (boolean) setting.getValue());
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e); // these functions throw nothing
    }
  }
}
