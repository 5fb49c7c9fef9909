package dev.nola.trainer.data;

import dev.nola.digest.Sha256;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Examples that were read from files. It has seven components: what was read, and how.
 *
 * <p>A completion is tokenized with its prompt, as one text. The prompt is as long as the tokens
 * are those of the prompt alone, which are what a model is given later; all tokens after them count
 * for the loss, the last one, EOS, too. The text begins with the special tokens that the tokenizer
 * adds, unless {@link Bos} says otherwise; it ends with the tokenizer's, or else EOS. The prompt of
 * E2E's lines is the slots and {@code " ||"}, the completion a space and the sentence. JSON's
 * prompts and completions are joined as they are, so one of them has to contain the space or line
 * feed between them. An example that is too long is skipped: half a prompt would teach the model to
 * make up the other half.
 *
 * <p>A text that has a class is tokenized with the tokenizer's special tokens; where it is too
 * long, its end is cut off. Classes are those of all training rows, used or not, in alphabetical
 * order or, if all are whole numbers, in theirs; unless names were given, which are in their order.
 * Pixels are bytes divided by 255; their classes are the labels from 0 to the largest.
 *
 * @param train training examples, in the order of the file; never empty
 * @param validation validation examples, in the order of the file; never empty
 * @param classes names of the classes by number; empty if examples are completions
 * @param cut number of texts in both that were cut
 * @param skipped number of examples in both that were skipped
 * @param warnings sentences for the user about how the files are read
 * @param digests SHA-256 of the files' uncompressed bytes, all of them, by their keys in job files,
 *     such as {@code train}
 */
public record Dataset(
    List<Example> train,
    List<Example> validation,
    List<String> classes,
    int cut,
    int skipped,
    List<String> warnings,
    SortedMap<String, Sha256> digests) {
  /** Copies the collections. */
  public Dataset {
    train = List.copyOf(train);
    validation = List.copyOf(validation);
    classes = List.copyOf(classes);
    warnings = List.copyOf(warnings);
    digests = Collections.unmodifiableSortedMap(new TreeMap<>(digests));
  }
}
