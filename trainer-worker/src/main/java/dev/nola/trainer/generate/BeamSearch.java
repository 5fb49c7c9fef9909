package dev.nola.trainer.generate;

import dev.nola.trainer.model.KeyValueCache;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * Follows several continuations of a text at a time, and chooses the one of the greatest
 * log-likelihood over its length to the power of a penalty: the beam search of Transformers' {@code
 * generate}, with {@code early_stopping=False}.
 */
final class BeamSearch {
  private final LanguageModel model;
  private final Decoding decoding;

  BeamSearch(LanguageModel model, Decoding decoding) {
    this.model = model;
    this.decoding = decoding;
  }

  /**
   * A continuation.
   *
   * @param tokens of the text, prompt included
   * @param score log-likelihood of what follows the prompt; of an ended one, over its length
   * @param row number of the continuation that it extends
   */
  private record Beam(int[] tokens, double score, int row) {
    int last() {
      return tokens[tokens.length - 1];
    }
  }

  private static final Comparator<Beam> BEST_FIRST =
      Comparator.comparingDouble(Beam::score).reversed();

  /**
   * Continues a text.
   *
   * @param prompt at least one token
   * @param ends the tokens that end a text
   * @return the tokens after the prompt, without the one that ended it
   */
  int[] search(int[] prompt, Set<Integer> ends) throws InterruptedException {
    List<Beam> running = List.of(new Beam(prompt, 0, 0));
    List<Beam> ended = new ArrayList<>();
    try (KeyValueCache cache = new KeyValueCache()) {
      for (int length = 1; length <= decoding.maxTokens(); length++) {
        List<int[]> inputs =
            length == 1
                ? List.of(prompt)
                : running.stream().map(beam -> new int[] {beam.last()}).toList();
        List<Beam> candidates = candidates(running, model.next(cache, inputs), ends.size());
        if (candidates.isEmpty()) { // every token would repeat a sequence
          Beam best = running.getFirst();
          ended.add(new Beam(best.tokens, best.score / penalty(Math.max(1, length - 1)), 0));
          ended.sort(BEST_FIRST);
          break;
        }
        List<Beam> next = new ArrayList<>();
        for (int i = 0; i < candidates.size(); i++) {
          Beam candidate = candidates.get(i);
          boolean isEnd = ends.contains(candidate.last());
          if ((isEnd || length == decoding.maxTokens()) && i < decoding.beams()) {
            ended.add(new Beam(candidate.tokens, candidate.score / penalty(length), candidate.row));
          }
          if (!isEnd && next.size() < decoding.beams()) {
            next.add(candidate);
          }
        }
        ended.sort(BEST_FIRST);
        ended.subList(Math.min(ended.size(), decoding.beams()), ended.size()).clear();
        if (next.isEmpty() || isDecided(ended, next, length)) {
          break;
        }
        cache.select(next.stream().mapToLong(Beam::row).toArray());
        running = next;
      }
    }
    int[] best = ended.getFirst().tokens;
    int end = ends.contains(best[best.length - 1]) ? best.length - 1 : best.length;
    return Arrays.copyOfRange(best, prompt.length, end);
  }

  private double penalty(int length) {
    return Math.pow(length, decoding.lengthPenalty());
  }

  /** Returns whether none of the running continuations can be better than the ended ones. */
  private boolean isDecided(List<Beam> ended, List<Beam> running, int length) {
    return ended.size() == decoding.beams()
        && running.getFirst().score / penalty(length) <= ended.getLast().score;
  }

  /** Returns the likeliest extensions, best first: as many as leave enough that do not end. */
  private List<Beam> candidates(List<Beam> running, float[][] logits, int ends) {
    int count = Math.max(2, 1 + ends) * decoding.beams();
    List<Beam> candidates = new ArrayList<>();
    for (int row = 0; row < running.size(); row++) {
      Beam beam = running.get(row);
      float[] allowed = logits[row];
      double logSum = logSum(allowed);
      Repetition.forbid(allowed, beam.tokens, decoding.noRepeat());
      for (int token : likeliest(allowed, count)) {
        int[] tokens = Arrays.copyOf(beam.tokens, beam.tokens.length + 1);
        tokens[beam.tokens.length] = token;
        candidates.add(new Beam(tokens, beam.score + allowed[token] - logSum, row));
      }
    }
    candidates.sort(BEST_FIRST);
    return candidates.subList(0, Math.min(count, candidates.size()));
  }

  /** Returns the tokens of the greatest logits, of those that are possible. */
  private static List<Integer> likeliest(float[] logits, int count) {
    PriorityQueue<Integer> best =
        new PriorityQueue<>(Comparator.<Integer>comparingDouble(token -> logits[token]));
    for (int token = 0; token < logits.length; token++) {
      if (logits[token] == Float.NEGATIVE_INFINITY
          || best.size() == count && logits[token] <= logits[best.element()]) {
        continue;
      }
      best.add(token);
      if (best.size() > count) {
        best.remove();
      }
    }
    return List.copyOf(best);
  }

  /** Returns log Σ exp, by which logits become log-likelihoods. */
  private static double logSum(float[] logits) {
    double largest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      largest = Math.max(largest, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += StrictMath.exp(logit - largest);
    }
    return largest + StrictMath.log(sum);
  }
}
