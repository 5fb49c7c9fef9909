package dev.nola.registry.pages;

import dev.nola.api.Contents;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The layers of an adapter by their place in the model: a row for each depth, a column for each
 * kind of matrix.
 *
 * @param kinds titles of the columns, in file order
 * @param rows by depth; layers outside of the model's blocks come first
 */
record LayerMap(List<String> kinds, List<Row> rows) {
  /** The first number in a tensor's name is the depth of its block. */
  private static final Pattern DEPTH = Pattern.compile("(?:^|(?<=\\.))(\\d+)\\.(.+)$");

  private static final int SHADES = 5;
  private static final int NO_DEPTH = -1;

  /**
   * A row.
   *
   * @param depth of the block; empty outside of the blocks
   * @param cells one for each kind; null where no layer is adapted
   */
  record Row(String depth, List<@Nullable Cell> cells) {}

  /**
   * A layer.
   *
   * @param index in file order
   * @param shade 0 for the least to 4 for the greatest fifth of the adapter's layers
   * @param layer as the file describes it
   * @param strength what the shade stands for
   */
  record Cell(int index, int shade, Contents.LayerEntry layer, double strength) {}

  /** A place in the map. */
  private record Place(int depth, String kind) {}

  /**
   * Arranges layers.
   *
   * @param layers of a file
   * @param strengths one for each layer
   * @return the map
   */
  static LayerMap of(List<Contents.LayerEntry> layers, double[] strengths) {
    double[] sorted = strengths.clone();
    Arrays.sort(sorted);
    LinkedHashSet<String> kinds = new LinkedHashSet<>();
    SortedMap<Integer, Map<String, Cell>> byDepth = new TreeMap<>();
    for (int i = 0; i < layers.size(); i++) {
      Place place = place(layers.get(i));
      kinds.add(place.kind());
      byDepth
          .computeIfAbsent(place.depth(), _ -> new TreeMap<>())
          .put(place.kind(), new Cell(i, shade(strengths[i], sorted), layers.get(i), strengths[i]));
    }
    List<Row> rows = new ArrayList<>();
    byDepth.forEach(
        (depth, cells) ->
            rows.add(
                new Row(
                    depth == NO_DEPTH ? "" : depth.toString(),
                    kinds.stream().map(cells::get).toList())));
    return new LayerMap(List.copyOf(kinds), rows);
  }

  private static Place place(Contents.LayerEntry layer) {
    String suffix =
        layer.slice() == null
            ? ""
            : " [%d:%d]"
                .formatted(layer.slice().start(), layer.slice().start() + layer.slice().length());
    Matcher depth = DEPTH.matcher(layer.tensor());
    if (depth.find() && depth.group(1).length() < 6) {
      return new Place(
          Integer.parseInt(depth.group(1)), depth.group(2).replaceAll("\\.weight$", "") + suffix);
    }
    return new Place(NO_DEPTH, layer.tensor().replaceAll("\\.weight$", "") + suffix);
  }

  private static int shade(double strength, double[] sorted) {
    int below = 0;
    while (below < sorted.length && sorted[below] < strength) {
      below++;
    }
    return Math.min(SHADES - 1, below * SHADES / sorted.length);
  }
}
