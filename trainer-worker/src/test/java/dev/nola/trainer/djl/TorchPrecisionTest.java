package dev.nola.trainer.djl;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What PyTorch itself says of its settings, which a PyTorch for the CPU has as well. */
class TorchPrecisionTest {
  @ParameterizedTest
  @CsvSource({"allowTF32CuDNN, false", "allowTF32CuBLAS, false", "deterministicCuDNN, true"})
  @SuppressWarnings("restricted") // calls native code, which is the purpose
  void computationsOnGpus_areExactAndRepeatable(String getter, boolean expected) throws Throwable {
    NativeLibraries.torch();
    MemorySegment context =
        (MemorySegment)
            Linker.nativeLinker()
                .downcallHandle(
                    SymbolLookup.loaderLookup().findOrThrow("_ZN2at13globalContextEv"),
                    FunctionDescriptor.of(ValueLayout.ADDRESS))
                .invokeExact();
    String symbol = "_ZNK2at7Context%d%sEv".formatted(getter.length(), getter);
    boolean actual =
        (boolean)
            Linker.nativeLinker()
                .downcallHandle(
                    SymbolLookup.loaderLookup().findOrThrow(symbol),
                    FunctionDescriptor.of(ValueLayout.JAVA_BOOLEAN, ValueLayout.ADDRESS))
                .invokeExact(context);
    assertThat(actual).isEqualTo(expected);
  }
}
