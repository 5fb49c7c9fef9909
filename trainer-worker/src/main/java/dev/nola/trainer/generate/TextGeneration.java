package dev.nola.trainer.generate;

import dev.nola.trainer.data.TextTokenizer.Prompt;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.model.Network;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.function.ObjIntConsumer;

/** Continues texts by a language model. Texts of equal length are continued together. */
public final class TextGeneration {
  /** Texts at a time, of which keys and values are kept. */
  private static final int BATCH = 16;

  private final LanguageModel model;
  private final Decoding decoding;

  /**
   * Creates it for a model.
   *
   * @param network a language model
   * @param weights its weights, with or without an adapter
   * @param decoding how texts are continued
   */
  public TextGeneration(Network network, AdaptedWeights weights, Decoding decoding) {
    this.model = new LanguageModel(network, weights);
    this.decoding = decoding;
  }

  /** What texts have in common that are continued together. */
  private record Kind(int length, Set<Integer> ends, int room) {
    static Kind of(Prompt prompt) {
      return new Kind(prompt.tokens().length, prompt.ends(), prompt.room());
    }
  }

  /**
   * Continues texts, those first that come first, and tells what follows a text as soon as it is
   * known.
   *
   * @param prompts the texts
   * @param listener receives the tokens after a text, and its index
   * @return the tokens after each text, without the one that ended it
   * @throws InterruptedException if the thread was interrupted
   */
  public List<int[]> generate(List<Prompt> prompts, ObjIntConsumer<int[]> listener)
      throws InterruptedException {
    model.weights().prepare();
    Map<Kind, List<Integer>> kinds = new LinkedHashMap<>();
    for (int i = 0; i < prompts.size(); i++) {
      Prompt prompt = prompts.get(i);
      kinds.computeIfAbsent(Kind.of(prompt), _ -> new ArrayList<>()).add(i);
    }
    int[][] results = new int[prompts.size()][];
    for (List<Integer> part : parts(kinds.values())) {
      List<int[]> tokens = part.stream().map(i -> prompts.get(i).tokens()).toList();
      List<int[]> continued = search(tokens, Kind.of(prompts.get(part.getFirst())), _ -> {});
      for (int i = 0; i < part.size(); i++) {
        results[part.get(i)] = continued.get(i);
        listener.accept(continued.get(i), part.get(i));
      }
    }
    return List.of(results);
  }

  /** Divides texts of each kind into parts that are continued together. */
  private List<List<Integer>> parts(Collection<List<Integer>> kinds) {
    int atOnce = decoding.beams() == 1 ? BATCH : 1;
    List<List<Integer>> parts = new ArrayList<>();
    for (List<Integer> all : kinds) {
      for (int first = 0; first < all.size(); first += atOnce) {
        parts.add(all.subList(first, Math.min(all.size(), first + atOnce)));
      }
    }
    parts.sort(Comparator.comparing(List::getFirst));
    return parts;
  }

  /**
   * Continues a text, and tells each token as soon as it is known: with several beams, at the end.
   *
   * @param prompt the text
   * @param listener receives the tokens after it, without the one that ended it
   * @return the same tokens
   * @throws InterruptedException if the thread was interrupted
   */
  public int[] generate(Prompt prompt, IntConsumer listener) throws InterruptedException {
    model.weights().prepare();
    int[] tokens = search(List.of(prompt.tokens()), Kind.of(prompt), listener).getFirst();
    if (decoding.beams() > 1) {
      for (int token : tokens) {
        listener.accept(token);
      }
    }
    return tokens;
  }

  private List<int[]> search(List<int[]> prompts, Kind kind, IntConsumer listener)
      throws InterruptedException {
    Decoding limited = decoding.atMost(kind.room());
    return limited.beams() == 1
        ? new GreedySearch(model, limited).search(prompts, kind.ends(), listener)
        : List.of(new BeamSearch(model, limited).search(prompts.getFirst(), kind.ends()));
  }
}
