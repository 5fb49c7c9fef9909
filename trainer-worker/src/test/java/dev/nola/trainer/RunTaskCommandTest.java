package dev.nola.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.CudaException;
import dev.nola.trainer.data.InvalidDataException;
import dev.nola.trainer.model.UnavailableDeviceException;
import dev.nola.trainer.model.UnsupportedModelException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class RunTaskCommandTest {
  @Test
  void failureOfTheMachine_isRetryable() {
    try (StandInDriver _ = StandInDriver.useOtherLibrary()) {
      CudaException gpu = catchThrowableOfType(CudaException.class, CudaDevice::open);
      assertThat(RunTaskCommand.isRetryable(gpu)).isTrue();
    }
    assertThat(RunTaskCommand.isRetryable(new UnavailableDeviceException("no GPU"))).isTrue();
    assertThat(RunTaskCommand.isRetryable(new NoSuchFileException("train.txt"))).isTrue();
    assertThat(RunTaskCommand.isRetryable(new IllegalStateException("a bug"))).isTrue();
  }

  @Test
  void failureOfTheJob_isFinal() {
    assertThat(RunTaskCommand.isRetryable(new UnsupportedModelException("unknown type"))).isFalse();
    assertThat(RunTaskCommand.isRetryable(new InvalidDataException("no example"))).isFalse();
    assertThat(RunTaskCommand.isRetryable(new IllegalArgumentException("too large"))).isFalse();
  }
}
