package dev.nola.trainer.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.engine.EngineException;
import dev.nola.trainer.StandInDriver;
import dev.nola.trainer.djl.NativeLibraries.TorchFolder;
import dev.nola.trainer.model.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibrariesTest {
  @TempDir private Path folder;

  @AfterEach
  void forgetBinding() {
    System.clearProperty("PYTORCH_VERSION");
    System.clearProperty("PYTORCH_FLAVOR");
  }

  private Path torch(String file, String content) throws Exception {
    Files.writeString(folder.resolve(file), content);
    return Files.createDirectories(folder.resolve("lib"));
  }

  @Test
  void versionIsReadFromPythonsPackage() throws Exception {
    Path lib =
        torch(
            "version.py",
            "from typing import Optional\n\n__version__ = '2.7.1+cu128'\ncuda: Optional[str] = '12.8'\n");
    assertThat(TorchFolder.of(lib).version()).isEqualTo("2.7.1+cu128");
    TorchFolder.of(lib).require();
  }

  @Test
  void versionIsReadFromTheArchiveForCpp() throws Exception {
    assertThat(TorchFolder.of(torch("build-version", "2.8.0+cpu\n")).version())
        .isEqualTo("2.8.0+cpu");
  }

  @Test
  void otherVersionThanTheBindings_isRefused() throws Exception {
    TorchFolder other = TorchFolder.of(torch("build-version", "2.8.0+cpu\n"));
    assertThatThrownBy(other::require)
        .hasMessage(
            "PyTorch 2.8.0+cpu does not match DJL's binding, which is for 2.7.1: %s; unset PYTORCH_LIBRARY_PATH, or set it to a PyTorch of that version"
                .formatted(folder.resolve("lib")));
  }

  @Test
  void folderWithoutAVersion_isRefused() throws Exception {
    Path lib = Files.createDirectories(folder.resolve("lib"));
    assertThatThrownBy(() -> TorchFolder.of(lib))
        .hasMessageStartingWith("version of PyTorch unknown: PYTORCH_LIBRARY_PATH=" + lib + ";");
  }

  @Test
  void pyTorchThatIsNotLoaded_isReportedWithItsCauseAndARemedy() throws Exception {
    EngineException failure =
        new EngineException(
            "Failed to save pytorch index file", new IOException("Offline mode is enabled."));
    assertThat(NativeLibraries.problem(null, failure))
        .isEqualTo(
            "PyTorch cannot be loaded: Offline mode is enabled; unset PYTORCH_VERSION and"
                + " PYTORCH_FLAVOR, or set PYTORCH_LIBRARY_PATH to the libraries of a PyTorch");
    TorchFolder named = TorchFolder.of(torch("build-version", "2.7.1+cu128\n"));
    assertThat(NativeLibraries.problem(named, failure))
        .isEqualTo(
            "PyTorch 2.7.1+cu128 cannot be loaded: Offline mode is enabled; install it in %s with the packages that it requires, unset PYTORCH_VERSION and PYTORCH_FLAVOR, or unset PYTORCH_LIBRARY_PATH"
                .formatted(named.folder()));
  }

  @Test
  void gpuThatOnlyTheDriverSees_stopsTraining_unlessTheCpuIsAskedFor() {
    try (StandInDriver _ = StandInDriver.useNone()) {
      Tensors.use("AUTO", 0);
      assertThatThrownBy(() -> Tensors.use("CUDA", 0))
          .hasMessage(
              "run.device=cuda, but PyTorch cannot use a GPU: the driver sees none, or is not installed; or set run.device to cpu");
    }
    try (StandInDriver _ = StandInDriver.use()) {
      for (String device : new String[] {"AUTO", "CUDA"}) {
        assertThatThrownBy(() -> Tensors.use(device, 0))
            .hasMessageStartingWith("run.device=" + device.toLowerCase(Locale.ROOT))
            .hasMessageContaining(
                "the driver sees a GPU, but this PyTorch (2.7.1) is for the CPU alone;"
                    + " set PYTORCH_LIBRARY_PATH to the libraries of one with CUDA;");
      }
      Tensors.use("CPU", 0);
      Tensors.useFastest(0, _ -> {});
      assertThat(Tensors.deviceName()).isEqualTo("cpu");
    }
  }

  @Test
  void driverThatFails_stopsTraining_butNoWorker() throws Exception {
    TorchFolder torch = TorchFolder.of(torch("build-version", "2.7.1+cu128\n"));
    Files.createFile(torch.folder().resolve(System.mapLibraryName("torch_cuda")));
    List<String> log = new ArrayList<>();
    try (StandInDriver _ = StandInDriver.useOtherLibrary()) {
      assertThatThrownBy(() -> Tensors.use("AUTO", 0))
          .hasMessageStartingWith(
              "run.device=auto, but PyTorch cannot use a GPU: not an NVIDIA driver: ")
          .hasMessageEndingWith("; or set run.device to cpu");
      Tensors.use("CPU", 0);
      Tensors.useFastest(0, log::add);
      assertThat(torch.flavor()).isEqualTo("cpu");
    }
    assertThat(Tensors.deviceName()).isEqualTo("cpu");
    assertThat(log)
        .singleElement()
        .satisfies(line -> assertThat(line).startsWith("device cpu: not an NVIDIA driver: "));
  }

  @Test
  void driverThatIsTooOld_stopsTraining_butNoWorker() {
    List<String> log = new ArrayList<>();
    try (StandInDriver _ = StandInDriver.use()) {
      StandInDriver.set("version", 10_020);
      try {
        assertThatThrownBy(() -> Tensors.use("AUTO", 0))
            .hasMessageStartingWith(
                "run.device=auto, but PyTorch cannot use a GPU: NVIDIA driver too old: ");
        Tensors.useFastest(0, log::add);
      } finally {
        StandInDriver.set("version", 13_000);
      }
    }
    assertThat(log)
        .singleElement()
        .satisfies(line -> assertThat(line).startsWith("device cpu: NVIDIA driver too old: "));
  }

  @Test
  void bindingForCuda_isTakenOnlyIfTheDriverSeesAGpu() throws Exception {
    TorchFolder torch = TorchFolder.of(torch("build-version", "2.7.1+cu128\n"));
    Files.createFile(torch.folder().resolve(System.mapLibraryName("torch_cuda")));
    try (StandInDriver _ = StandInDriver.useNone()) {
      assertThat(torch.flavor()).isEqualTo("cpu");
    }
    try (StandInDriver _ = StandInDriver.use()) {
      assertThat(torch.flavor()).isEqualTo("cu128");
    }
  }
}
