package dev.nola.trainer.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.trainer.data.Example;
import dev.nola.trainer.image.ImageConfig;
import dev.nola.trainer.image.ImageSettings;
import dev.nola.trainer.image.ImageSource;
import dev.nola.trainer.image.ImageTransform;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BatchOrderTest {
  private static List<Example> pictures() throws IOException {
    ImageTransform transform = ImageConfig.transform(ImageSettings.NONE, null);
    ImageSource source = new ImageSource.Pixels(new byte[1], 1, 1, 1);
    List<Example> pictures = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      pictures.add(new Example.Picture(source, transform, null, i));
    }
    return pictures;
  }

  private static List<Long> seeds(int batchSize, long seed, long... steps) throws IOException {
    BatchOrder order = new BatchOrder(pictures(), batchSize, seed);
    List<Example> seen = new ArrayList<>();
    for (long step : steps) {
      seen.addAll(order.batch(step));
    }
    return seen.stream().map(Example.Picture.class::cast).map(Example.Picture::seed).toList();
  }

  @Test
  void whatIsDrawnOfAPicture_followsFromSeedEpochAndPictureAlone() throws IOException {
    List<Long> first = seeds(3, 7, 1, 2);
    List<Long> second = seeds(3, 7, 3, 4);
    assertThat(first).hasSize(6).doesNotHaveDuplicates().doesNotContainNull();
    assertThat(second).doesNotContainAnyElementsOf(first);
    assertThat(seeds(3, 7, 4, 3, 2, 1)).startsWith(second.get(3), second.get(4), second.get(5));
    assertThat(seeds(2, 7, 1, 2, 3)).isEqualTo(first);
    assertThat(seeds(3, 8, 1, 2)).doesNotContainAnyElementsOf(first);
  }
}
