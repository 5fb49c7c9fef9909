package dev.nola.gpu;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A test with a device, whose kernels run on the CPU; skipped without g++. */
abstract class DeviceTest {
  /** Seeds of the order in which threads continue after a barrier; 0 is ascending. */
  static final long[] ORDERS = {0, 1, 0x9E3779B97F4A7C15L};

  StandInDriver driver;
  CudaDevice device;

  @BeforeEach
  void openDevice() throws IOException, InterruptedException {
    StandInDriver compiled = StandInDriver.compile().orElse(null);
    assumeTrue(compiled != null, "g++ not found");
    driver = compiled;
    device = driver.open();
  }

  @AfterEach
  void closeDevice() {
    if (device != null) {
      device.close();
      driver.set("order", 0);
      driver.requireNothingHeld();
    }
  }
}
