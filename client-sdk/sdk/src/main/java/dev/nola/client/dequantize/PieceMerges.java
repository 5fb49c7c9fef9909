package dev.nola.client.dequantize;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * The merges of a SentencePiece BPE model, which stores only a score for each piece: of all
 * neighbours that are a piece together, those with the highest score are merged first.
 */
final class PieceMerges {
  /** Longest piece that is taken apart, in characters; those of models have 16 or fewer. */
  private static final int MAX_LENGTH = 64;

  /** Two pieces that become one. */
  private record Merge(String left, String right, double score) {}

  private PieceMerges() {}

  /**
   * Lists the merges in the order of their priority.
   *
   * @param pieces the pieces that take part, with their scores
   * @return each merge as its two parts with a space between
   */
  static List<String> of(Map<String, Double> pieces) {
    List<Merge> merges = new ArrayList<>();
    pieces.forEach(
        (piece, score) -> {
          if (piece.length() > MAX_LENGTH) {
            return;
          }
          for (int i = piece.offsetByCodePoints(0, 1);
              i < piece.length();
              i = piece.offsetByCodePoints(i, 1)) {
            String left = piece.substring(0, i);
            String right = piece.substring(i);
            if (pieces.containsKey(left) && pieces.containsKey(right)) {
              merges.add(new Merge(left, right, score));
            }
          }
        });
    // Of the ways to make one piece, those with the longer left part come first, as in
    // Transformers.
    merges.sort(
        Comparator.comparingDouble(Merge::score)
            .thenComparingInt(merge -> merge.left.codePointCount(0, merge.left.length()))
            .reversed());
    return merges.stream().map(merge -> merge.left + " " + merge.right).toList();
  }
}
