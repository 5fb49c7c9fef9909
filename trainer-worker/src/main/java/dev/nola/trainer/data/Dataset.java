package dev.nola.trainer.data;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Examples that were read from files.
 *
 * <p>A completion is tokenized with its prompt, as one text. The prompt is as long as the tokens
 * are those of the prompt alone, which are what a model is given later; all tokens after them count
 * for the loss, the last one, EOS, too. Before the text is what the tokenizer puts there, or else
 * the BOS that {@code config.json} names, if it names one; after it what the tokenizer puts there,
 * or else EOS. Of E2E's lines the prompt is the slots and {@code " ||"}, the completion a space and
 * the sentence. JSON's prompts and completions are joined as they are: who wants a space or a line
 * between them writes it. An example that is too long is skipped: half a prompt would teach to make
 * up the other half.
 *
 * <p>A text that has a class is tokenized with the tokenizer's special tokens; where it is too
 * long, its end is cut off. Classes are in alphabetical order. Pixels are bytes divided by 255, and
 * nothing else; their classes are the labels from 0 to the largest.
 *
 * @param train to learn from, in the order of the file; never empty
 * @param validation to measure on, in the order of the file; never empty
 * @param classes names of the classes by number; empty if examples are completions
 * @param cut how many texts of both were cut
 * @param skipped how many examples of both were skipped
 * @param digests SHA-256 of the files' uncompressed bytes, all of them, by their keys in job files,
 *     such as {@code train}
 */
public record Dataset(
    List<Example> train,
    List<Example> validation,
    List<String> classes,
    int cut,
    int skipped,
    SortedMap<String, Sha256> digests) {
  /** Keeps copies. */
  public Dataset {
    train = List.copyOf(train);
    validation = List.copyOf(validation);
    classes = List.copyOf(classes);
    digests = Collections.unmodifiableSortedMap(new TreeMap<>(digests));
  }

  /**
   * Reads files to their ends; the first examples, as many as wanted, are kept.
   *
   * @param model folder with the tokenizer of texts; null for images
   * @throws IOException if a file cannot be read, or is damaged: with its name, the line and the
   *     rule
   * @throws InterruptedException if the thread is interrupted
   */
  public static Dataset read(DataFiles files, @Nullable Path model)
      throws IOException, InterruptedException {
    if (files.layout() instanceof DataFiles.Layout.Idx labels) {
      return Images.read(files, labels);
    }
    if (model == null) {
      throw new IllegalArgumentException("texts need a tokenizer, but the job has no base model");
    }
    return Texts.read(files, model);
  }
}
