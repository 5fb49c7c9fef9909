package dev.nola.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nola.format.Adapter;
import dev.nola.format.DType;
import dev.nola.generator.Generator;
import dev.nola.generator.Side;
import dev.nola.gpu.CudaException.Reason;
import dev.nola.gpu.check.SampleAdapters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checks the messages when a GPU cannot be used, and that nothing leaks. */
class CudaDeviceTest {
  private static final Adapter ADAPTER = SampleAdapters.small(Generator.SRHT).getFirst();

  @TempDir private Path folder;
  private StandInDriver driver;

  @BeforeEach
  void compileDriver() throws IOException, InterruptedException {
    StandInDriver compiled = StandInDriver.compile().orElse(null);
    assumeTrue(compiled != null, "g++ not found");
    driver = compiled;
  }

  @AfterEach
  void resetDriver() {
    if (driver != null) {
      driver.set("version", 13_000);
      driver.set("devices", 1);
      driver.set("memory", 4L << 30);
      driver.set("capability", 90);
      driver.set("launchError", 0);
      driver.set("kernelError", 0);
      driver.set("initError", 0);
      driver.set("refuseCubins", 0);
      driver.requireNothingHeld();
    }
  }

  private void requireRefusal(Reason reason, String message) {
    assertThatExceptionOfType(CudaException.class)
        .isThrownBy(() -> driver.open().close())
        .withMessage(message)
        .satisfies(e -> assertThat(e.reason()).isEqualTo(reason));
  }

  @Test
  void load_noLibrary_noDriver() {
    assertThatExceptionOfType(CudaException.class)
        .isThrownBy(() -> Driver.load("libcuda-missing.so.1"))
        .withMessage(
            "NVIDIA driver not found: no library libcuda-missing.so.1; install the driver, set"
                + " the system property nola.cuda.library to the driver's library (command line:"
                + " NOLA_JAVA_OPTS=-Dnola.cuda.library=PATH), or use the CPU")
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.NO_DRIVER));
  }

  @Test
  void load_libraryThatCannotBeLoaded_saysWhy() throws IOException {
    Path broken = Files.writeString(folder.resolve("libcuda.so.1"), "not a library");
    assertThatExceptionOfType(CudaException.class)
        .isThrownBy(() -> Driver.load(broken.toString()))
        .withMessageStartingWith("NVIDIA driver cannot be loaded: " + broken + ": ")
        .withMessageEndingWith("; reinstall the driver, or use the CPU")
        .withCauseInstanceOf(IllegalArgumentException.class)
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.OTHER));
  }

  @Test
  void open_stubOfTheToolkit_isAnError() {
    driver.set("initError", 34);
    requireRefusal(
        Reason.OTHER,
        "NVIDIA driver is a stub: CUDA driver is a stub library (error 34 of cuInit); remove CUDA's"
            + " stubs from LD_LIBRARY_PATH, or use the CPU");
  }

  private static void withLibrary(String library, Runnable use) {
    String former = System.setProperty(Driver.LIBRARY_PROPERTY, library);
    try {
      use.run();
    } finally {
      if (former == null) {
        System.clearProperty(Driver.LIBRARY_PROPERTY);
      } else {
        System.setProperty(Driver.LIBRARY_PROPERTY, former);
      }
    }
  }

  @Test
  void load_pathOfNoFile_saysSo() {
    withLibrary(
        "/missing/libcuda.so.1",
        () ->
            assertThatExceptionOfType(CudaException.class)
                .isThrownBy(Driver::load)
                .withMessage(
                    "nola.cuda.library not found: /missing/libcuda.so.1; must be the library of an NVIDIA driver")
                .satisfies(e -> assertThat(e.reason().isAbsence()).isFalse()));
  }

  @Test
  void load_otherLibrary_notADriver() {
    String other = System.mapLibraryName("java"); // the JDK has loaded it
    Path library = Path.of(System.getProperty("java.home"), "lib", other);
    assertThatExceptionOfType(CudaException.class)
        .isThrownBy(() -> Driver.load(library.toString()))
        .withMessage(
            "not an NVIDIA driver: %s has no function cuInit; set the system property nola.cuda.library to the driver's library (command line: NOLA_JAVA_OPTS=-Dnola.cuda.library=PATH), or use the CPU"
                .formatted(library))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.OTHER));
  }

  @Test
  void load_blankProperty_librariesOfTheSystem() {
    withLibrary(
        " ",
        () -> {
          try {
            Driver.load();
          } catch (CudaException e) {
            assertThat(e.getMessage()).doesNotContain("not an NVIDIA driver", "no library  ");
          }
        });
  }

  @Test
  void open_oldDriver_tooOld() {
    driver.set("version", 10_020);
    requireRefusal(
        Reason.DRIVER_TOO_OLD,
        "NVIDIA driver too old: it supports CUDA 10.2; must support 11.0, as drivers from 450 on do");
  }

  @Test
  void open_noDevice_noDevice() {
    driver.set("devices", 0);
    requireRefusal(
        Reason.NO_DEVICE,
        "no NVIDIA GPU found: no CUDA-capable device is detected (error 100 of cuInit); check that"
            + " nvidia-smi lists one, or use the CPU");
  }

  @Test
  void open_missingOrdinal_noDevice() throws Exception {
    assertThatExceptionOfType(CudaException.class)
        .isThrownBy(() -> CudaDevice.open(Driver.load(StandInDriver.LIBRARY.toString()), 1))
        .withMessage("GPU not found: number 1; there are 1, counted from 0");
  }

  @Test
  void open_oldDevice_tooOld() {
    driver.set("capability", 70);
    requireRefusal(
        Reason.DEVICE_TOO_OLD,
        "GPU too old: Fibers has compute capability 7.0; must have 7.5 or later");
  }

  @Test
  void open_architectures_bestImage() {
    assertThat(image(90)).isEqualTo("nola_sm_90.cubin");
    assertThat(image(87)).isEqualTo("nola_sm_86.cubin");
    assertThat(image(75)).isEqualTo("nola.ptx");
    assertThat(image(120)).isEqualTo("nola.ptx");
  }

  @Test
  void open_driverRefusesMachineCode_ptx() {
    driver.set("refuseCubins", 1);
    assertThat(image(90)).isEqualTo("nola.ptx");
  }

  private String image(int capability) {
    driver.set("capability", capability);
    try (CudaDevice device = driver.open()) {
      return device.image();
    }
  }

  @Test
  void reconstruct_littleMemory_outOfMemory() {
    driver.set("memory", 10_000);
    try (CudaDevice device = driver.open();
        AdapterPlan plan = AdapterPlan.of(device, ADAPTER)) {
      assertThatExceptionOfType(CudaException.class)
          .isThrownBy(() -> plan.allocate(DType.F32, 1_000))
          .withMessageMatching(
              "too little GPU memory: [0-9,]+ bytes needed, [0-9,]+ of 10,000 free; free some, or use the CPU")
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.OUT_OF_MEMORY));
    }
  }

  @Test
  void reconstruct_failingKernel_contextLost() {
    CudaDevice device = driver.open();
    AdapterPlan plan = AdapterPlan.of(device, ADAPTER);
    driver.set("launchError", 700);
    assertThatExceptionOfType(CudaException.class)
        .isThrownBy(() -> plan.reconstruct(ADAPTER, DType.F32))
        .withMessage(
            "GPU failed, and everything on it is lost: an illegal memory access was encountered"
                + " (error 700 of cuLaunchKernel); restart the program to use it again")
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CONTEXT_LOST));
    plan.close();
    device.close();
    assertThatExceptionOfType(CudaException.class)
        .as("another thread that still uses the device")
        .isThrownBy(() -> AdapterPlan.of(device, ADAPTER))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CONTEXT_LOST));
  }

  /** A kernel is launched before it fails: the next call that waits reports it. */
  @ParameterizedTest
  @ValueSource(ints = {214, 220, 700, 702, 721})
  void reconstruct_kernelThatFailsWhileItRuns_contextLost(int error) {
    CudaDevice device = driver.open();
    AdapterPlan plan = AdapterPlan.of(device, ADAPTER);
    driver.set("kernelError", error);
    assertThatExceptionOfType(CudaException.class)
        .isThrownBy(() -> plan.reconstruct(ADAPTER, DType.F32))
        .withMessageContaining("(error %d of cuCtxSynchronize)", error)
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CONTEXT_LOST));
    plan.close();
    device.close();
  }

  @Test
  void copy_afterKernelThatFailed_contextLost() {
    CudaDevice device = driver.open();
    AdapterPlan plan = AdapterPlan.of(device, ADAPTER);
    ResidentAdapters resident = plan.upload(List.of(ADAPTER));
    DeviceFactors factors = plan.allocate(DType.F32, 1);
    driver.set("kernelError", 700);
    plan.reconstruct(resident, 0, 1, factors);
    assertThatExceptionOfType(CudaException.class)
        .isThrownBy(() -> factors.copy(0, 0, Side.A))
        .withMessageContaining("(error 700 of cuMemcpyDtoH_v2)")
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CONTEXT_LOST));
    factors.close();
    resident.close();
    plan.close();
    device.close();
  }

  @Test
  void closedDevice_cannotBeUsed() {
    CudaDevice device = driver.open();
    device.close();
    assertThatIllegalStateException()
        .isThrownBy(() -> AdapterPlan.of(device, ADAPTER))
        .withMessage("GPU was closed: Fibers; open it again");
  }

  @Test
  void reconstruct_kernelThatCannotBeLaunched_deviceStaysUsable() {
    try (CudaDevice device = driver.open();
        AdapterPlan plan = AdapterPlan.of(device, ADAPTER)) {
      driver.set("launchError", 701);
      assertThatExceptionOfType(CudaException.class)
          .isThrownBy(() -> plan.reconstruct(ADAPTER, DType.F32))
          .withMessage(
              "GPU cannot be used: too many resources requested for launch (error 701 of"
                  + " cuLaunchKernel); use the CPU")
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.OTHER));
      driver.set("launchError", 0);
      plan.reconstruct(ADAPTER, DType.F32).close();
    }
  }

  @Test
  void reconstruct_adaptersOfAnotherPlan_refused() {
    try (CudaDevice device = driver.open();
        AdapterPlan plan = AdapterPlan.of(device, ADAPTER);
        AdapterPlan other = AdapterPlan.of(device, ADAPTER);
        ResidentAdapters resident = plan.upload(List.of(ADAPTER));
        DeviceFactors factors = plan.allocate(DType.F32, 1);
        DeviceFactors others = other.allocate(DType.F32, 1);
        DeviceProducts products = plan.allocateProducts()) {
      String rule = " of another plan: that of %s; must be of this one, of %s";
      assertThatIllegalArgumentException()
          .isThrownBy(() -> other.reconstruct(resident, 0, 1, others))
          .withMessage("adapters" + rule, ADAPTER, ADAPTER);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> plan.reconstruct(resident, 0, 1, others))
          .withMessage("factors" + rule, ADAPTER, ADAPTER);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> plan.project(ADAPTER.seed(), others, products))
          .withMessage("gradient" + rule, ADAPTER, ADAPTER);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> other.project(ADAPTER.seed(), others, products))
          .withMessage("products" + rule, ADAPTER, ADAPTER);
      plan.reconstruct(resident, 0, 1, factors);
    }
  }

  @Test
  void upload_otherAdapter_refused() {
    try (CudaDevice device = driver.open();
        AdapterPlan plan = AdapterPlan.of(device, ADAPTER)) {
      Adapter other = SampleAdapters.small(Generator.UNIFORM8).getFirst();
      assertThat(plan.accepts(ADAPTER)).isTrue();
      assertThat(plan.accepts(other)).isFalse();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> plan.upload(List.of(other)))
          .withMessageContaining("adapter does not fit the plan");
    }
  }
}
