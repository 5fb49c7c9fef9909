package dev.nola.trainer.generate;

import dev.nola.trainer.model.KeyValueCache;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;

/** Continues texts with the likeliest token at each step. */
final class GreedySearch {
  private final LanguageModel model;
  private final Decoding decoding;

  GreedySearch(LanguageModel model, Decoding decoding) {
    this.model = model;
    this.decoding = decoding;
  }

  /** A text that has not ended. */
  private static final class Open {
    private final int index;
    private int[] tokens;

    Open(int index, int[] tokens) {
      this.index = index;
      this.tokens = tokens;
    }

    void append(int token) {
      tokens = Arrays.copyOf(tokens, tokens.length + 1);
      tokens[tokens.length - 1] = token;
    }
  }

  /**
   * Continues texts of equal length.
   *
   * @param prompts at least one, of at least one token
   * @param ends the tokens that end a text
   * @param listener receives each token of the first text
   * @return the tokens after each prompt, without the one that ended it
   */
  List<int[]> search(List<int[]> prompts, Set<Integer> ends, IntConsumer listener)
      throws InterruptedException {
    int start = prompts.getFirst().length;
    int[][] results = new int[prompts.size()][];
    List<Open> open = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      open.add(new Open(i, prompts.get(i)));
    }
    try (KeyValueCache cache = new KeyValueCache()) {
      List<int[]> inputs = prompts;
      while (!open.isEmpty()) {
        float[][] logits = model.next(cache, inputs);
        List<Open> remaining = new ArrayList<>();
        List<Long> rows = new ArrayList<>();
        for (int row = 0; row < open.size(); row++) {
          Open text = open.get(row);
          Repetition.forbid(logits[row], text.tokens, decoding.noRepeat());
          int token = argMax(logits[row]);
          // If every token would repeat a sequence, the text ends, as with several beams.
          boolean isEnd = ends.contains(token) || logits[row][token] == Float.NEGATIVE_INFINITY;
          if (!isEnd) {
            text.append(token);
            if (text.index == 0) {
              listener.accept(token);
            }
          }
          if (isEnd || text.tokens.length - start == decoding.maxTokens()) {
            results[text.index] = Arrays.copyOfRange(text.tokens, start, text.tokens.length);
          } else {
            remaining.add(text);
            rows.add((long) row);
          }
        }
        if (remaining.size() < open.size() && !remaining.isEmpty()) {
          cache.select(rows.stream().mapToLong(Long::longValue).toArray());
        }
        open = remaining;
        inputs =
            open.stream().map(text -> new int[] {text.tokens[text.tokens.length - 1]}).toList();
      }
    }
    return List.of(results);
  }

  private static int argMax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }
}
