package dev.nola.trainer.data;

import dev.nola.trainer.image.ImageSource;
import dev.nola.trainer.image.ImageTransform;
import dev.nola.trainer.image.Raster;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** An example to learn from. */
public sealed interface Example {
  /**
   * Returns the example as an epoch of training shows it.
   *
   * @param seed decides what is drawn at random
   * @return the example itself, unless it is a picture
   */
  default Example drawn(long seed) {
    return this;
  }

  /**
   * A text whose end is to be learned.
   *
   * @param tokens ids of the tokens of prompt and completion
   * @param prompt number of tokens of the prompt, at least 1; what follows counts for the loss
   */
  record Completion(int[] tokens, int prompt) implements Example {}

  /**
   * A text and its class.
   *
   * @param tokens ids of the text's tokens
   * @param label number of the class, from 0
   */
  record Classified(int[] tokens, int label) implements Example {}

  /**
   * Features, such as pixels, and their class.
   *
   * @param values the features
   * @param label number of the class, from 0
   */
  record Features(float[] values, int label) implements Example {}

  /**
   * An image and its class.
   *
   * @param source where its pixels come from
   * @param transform what turns it into the input of the model
   * @param seed decides the part and the side that training shows; null for evaluation
   * @param label number of the class, from 0
   */
  record Picture(ImageSource source, ImageTransform transform, @Nullable Long seed, int label)
      implements Example {
    @Override
    public Example drawn(long epochSeed) {
      return new Picture(source, transform, epochSeed, label);
    }

    /**
     * Decodes and transforms the image.
     *
     * @throws UncheckedIOException if its file cannot be read or decoded
     * @throws IllegalArgumentException if it is smaller than the part that the model sees; the
     *     message has its file
     */
    Raster raster() {
      try {
        return transform.apply(source.decode(), seed);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(source.name() + ": " + e.getMessage(), e);
      }
    }
  }
}
