package dev.nola.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.trainer.model.FreshTensor.Role;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResNetTest {
  private static boolean isTrained(FreshTensor tensor) {
    return tensor.role() != Role.RUNNING_MEAN && tensor.role() != Role.RUNNING_VARIANCE;
  }

  /** The numbers of the paper's tables 8 and 9. */
  @ParameterizedTest
  @CsvSource({"RESNET20, 10, 269722", "RESNET18, 100, 11227812"})
  void networksHaveThePapersNumberOfParameters(ResNet.Kind kind, int classes, long count) {
    assertThat(
            new ResNet(kind)
                .fresh(classes).stream()
                    .filter(ResNetTest::isTrained)
                    .mapToLong(tensor -> tensor.shape().stream().reduce(1, Math::multiplyExact))
                    .sum())
        .isEqualTo(count);
  }

  @Test
  void tensorsHaveTheNamesOfTorchvision() {
    List<FreshTensor> fresh = new ResNet(ResNet.Kind.RESNET18).fresh(5);
    assertThat(fresh)
        .contains(
            new FreshTensor("conv1.weight", List.of(64, 3, 7, 7), Role.WEIGHT),
            new FreshTensor("bn1.running_var", List.of(64), Role.RUNNING_VARIANCE),
            new FreshTensor("layer4.1.conv2.weight", List.of(512, 512, 3, 3), Role.WEIGHT),
            new FreshTensor("layer3.0.downsample.0.weight", List.of(256, 128, 1, 1), Role.WEIGHT),
            new FreshTensor("layer3.0.downsample.1.weight", List.of(256), Role.GAIN),
            new FreshTensor("fc.bias", List.of(5), Role.BIAS));
    assertThat(fresh).extracting(FreshTensor::name).doesNotHaveDuplicates();
  }
}
