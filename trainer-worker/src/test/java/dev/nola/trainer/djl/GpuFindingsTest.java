package dev.nola.trainer.djl;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class GpuFindingsTest {
  private static final String TORCH = "2.7.1+cu126";

  @Test
  void pyTorchForTheCpu_isToBeReplaced() {
    assertThat(new GpuFindings(1, "2.7.1", false, false, null, "not set").obstacle())
        .isEqualTo(
            "the driver sees a GPU, but this PyTorch (2.7.1) is for the CPU alone;"
                + " set PYTORCH_LIBRARY_PATH to the libraries of one with CUDA");
  }

  @Test
  void driverOfAnOlderCuda_isToBeReplaced_notPyTorch() {
    assertThat(new GpuFindings(2, TORCH, true, false, "11.8", "/cudart").obstacle())
        .isEqualTo(
            "the driver sees 2 GPUs, but is too old for PyTorch 2.7.1+cu126: it supports CUDA 11.8;"
                + " install a driver for CUDA 12 or later");
  }

  @Test
  void driverThatSuffices_isToBeChecked() {
    for (String torch : new String[] {TORCH, "2.7.1"}) {
      assertThat(new GpuFindings(1, torch, true, false, "12.0", "/cudart").obstacle())
          .isEqualTo(
              "the driver (CUDA 12.0) sees a GPU, but PyTorch "
                  + torch
                  + " cannot start CUDA on it; check it with nvidia-smi, and CUDA_VISIBLE_DEVICES");
    }
  }

  @Test
  void runtimeOfCudaWithoutTheNameThatDjlLooksFor_isToBeLinked() {
    assertThat(new GpuFindings(1, TORCH, true, true, null, "/usr/lib/cuda").obstacle())
        .isEqualTo(
            "the driver sees a GPU, but DJL does not, which looks for %s in LD_LIBRARY_PATH (/usr/lib/cuda);"
                    .formatted(System.mapLibraryName("cudart"))
                + " link that name there to the libcudart of PyTorch");
  }
}
