package dev.nola.registry.pages;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.Contents.LayerEntry;
import dev.nola.api.Contents.SideEntry;
import dev.nola.api.Contents.SliceEntry;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Where layers stand in the map, and in which shade. */
class LayerMapTest {
  private static LayerEntry layer(String tensor, @Nullable SliceEntry slice) {
    SideEntry side = new SideEntry(4, 4);
    return new LayerEntry(
        tensor, List.of(8, 8), slice, "low-rank", 8, 8, 2, 0, "0x1.0p0", side, side);
  }

  @Test
  void rowsAreDepthsAndColumnsKindsOfMatrices() {
    LayerMap map =
        LayerMap.of(
            List.of(
                layer("model.layers.10.mlp.up_proj.weight", null),
                layer("model.layers.2.mlp.up_proj.weight", null),
                layer("model.layers.2.attn.0.weight", null),
                layer("lm_head.weight", null),
                layer("h.2.attn.weight", new SliceEntry(0, 4, 4))),
            new double[] {1, 2, 3, 4, 5});
    assertThat(map.kinds()).containsExactly("mlp.up_proj", "attn.0", "lm_head", "attn [4:8]");
    assertThat(map.rows()).extracting(LayerMap.Row::depth).containsExactly("", "2", "10");
    assertThat(map.rows().get(1).cells())
        .extracting(cell -> cell == null ? -1 : cell.index())
        .containsExactly(1, 2, -1, 4);
  }

  @Test
  void shadesAreFifthsOfTheLayers_andEqualLayersHaveTheSame() {
    List<LayerEntry> layers =
        IntStream.range(0, 10).mapToObj(i -> layer("layers." + i + ".w.weight", null)).toList();
    double[] strengths = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    assertThat(shades(LayerMap.of(layers, strengths)))
        .containsExactly(4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
    assertThat(shades(LayerMap.of(layers, new double[10]))).containsOnly(0);
  }

  private static List<Integer> shades(LayerMap map) {
    return map.rows().stream()
        .map(row -> Objects.requireNonNull(row.cells().getFirst()).shade())
        .toList();
  }
}
