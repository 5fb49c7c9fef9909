package dev.nola.trainer.image;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a job says about its images; the model's own settings stand for what it does not say.
 *
 * @param resize size that images are brought to; null for the model's
 * @param filter how they are brought to it; null for the model's
 * @param crop the part that the model sees
 * @param flips whether training flips half of the images horizontally
 * @param mean mean of each channel; null for the model's
 * @param deviation standard deviation of each channel; null for the model's
 */
public record ImageSettings(
    @Nullable Size resize,
    @Nullable Resampling filter,
    Cropping crop,
    boolean flips,
    @Nullable List<Double> mean,
    @Nullable List<Double> deviation) {
  /** No settings: those of the model apply. */
  public static final ImageSettings NONE =
      new ImageSettings(null, null, new Cropping(null, false, 0), false, null, null);

  /**
   * How images are cropped.
   *
   * @param side length of the part's sides; null for the model's
   * @param random whether training draws the part
   * @param padding number of black pixels around the image before training draws
   */
  public record Cropping(@Nullable Integer side, boolean random, int padding) {}

  /**
   * Combines them with a model's settings.
   *
   * @param model the model's own
   * @return the transform
   * @throws IllegalArgumentException if training shall draw a part, and none is set
   */
  ImageTransform over(ImageTransform model) {
    Crop own = model.crop();
    Integer side = crop.side;
    if (side == null && own == null && (crop.random || crop.padding > 0)) {
      throw new IllegalArgumentException(
          "data.randomCrop and data.padding need the size of the part: set data.crop");
    }
    Crop part =
        side != null
            ? new Crop(side, side, crop.random, crop.padding)
            : own == null ? null : new Crop(own.height(), own.width(), crop.random, crop.padding);
    return new ImageTransform(
        resize == null ? model.resize() : resize,
        Objects.requireNonNullElse(filter, model.filter()),
        part,
        flips,
        new Normalization(
            model.normalization().scale(),
            Objects.requireNonNullElse(mean, model.normalization().mean()),
            Objects.requireNonNullElse(deviation, model.normalization().deviation())));
  }
}
