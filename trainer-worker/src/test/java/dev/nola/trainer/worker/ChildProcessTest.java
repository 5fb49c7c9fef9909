package dev.nola.trainer.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ChildProcessTest {
  @Test
  void environmentOfATask_hasPlacesButNoSecret_andNoLeaveToDownload() {
    Map<String, String> environment =
        new HashMap<>(
            Map.of(
                "PATH", "/bin",
                "DJL_CACHE_DIR", "/cache",
                "PYTORCH_LIBRARY_PATH", "/torch/lib",
                "LD_LIBRARY_PATH", "/cudart",
                "CUDA_VISIBLE_DEVICES", "1",
                "DJL_OFFLINE", "false",
                "RUST_FLAVOR", "cu128",
                "NOLA_TOKEN", "secret",
                "AWS_SECRET_ACCESS_KEY", "secret"));
    ChildProcess.limit(environment);
    assertThat(environment)
        .isEqualTo(
            Map.of(
                "PATH", "/bin",
                "DJL_CACHE_DIR", "/cache",
                "PYTORCH_LIBRARY_PATH", "/torch/lib",
                "LD_LIBRARY_PATH", "/cudart",
                "CUDA_VISIBLE_DEVICES", "1",
                "DJL_OFFLINE", "true"));
  }
}
