package dev.nola.trainer.image;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * What turns a decoded image into the input of a model: resizing, cropping, flipping, normalizing.
 *
 * @param resize size that images are brought to; null for their own
 * @param filter how they are brought to it
 * @param crop part of an image that the model sees; null for all of it
 * @param flips whether training flips half of the images horizontally
 * @param normalization how bytes become numbers
 */
public record ImageTransform(
    @Nullable Size resize,
    Resampling filter,
    @Nullable Crop crop,
    boolean flips,
    Normalization normalization) {
  /** Key in the provenance of adapters of what evaluation depends on. */
  public static final String KEY = "images";

  /** Leaves images as they are, with numbers from 0 to 1. */
  static final ImageTransform NONE =
      new ImageTransform(null, Resampling.BILINEAR, null, false, Normalization.NONE);

  /**
   * Returns an image as a model sees it in evaluation, or in training.
   *
   * @param image the decoded image
   * @param seed decides the part and the side that training shows; null for evaluation
   * @return the image, not yet normalized
   * @throws IllegalArgumentException if it is smaller than the part
   */
  public Raster apply(Raster image, @Nullable Long seed) {
    Raster resized = image;
    if (resize != null) {
      Size.Exact size = resize.of(image.height(), image.width());
      resized = filter.resize(image, size.height(), size.width());
    }
    if (seed == null) {
      return crop == null ? resized : crop.center(resized);
    }
    SplittableRandom random = new SplittableRandom(seed);
    Raster part = crop == null ? resized : crop.draw(resized, random);
    return flips && random.nextBoolean() ? part.flipped() : part;
  }

  /**
   * Returns what evaluation depends on, as {@code preprocessor_config.json} of Transformers states
   * it.
   *
   * @return a JSON object
   */
  public String toJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("do_resize", resize != null);
    if (resize != null) {
      json.put(
          "size",
          switch (resize) {
            case Size.Shorter(int side) -> Map.of("shortest_edge", side);
            case Size.Exact size -> sides(size.height(), size.width());
          });
      json.put("resample", filter.code());
    }
    json.put("do_center_crop", crop != null);
    if (crop != null) {
      json.put("crop_size", sides(crop.height(), crop.width()));
    }
    json.put("rescale_factor", normalization.scale());
    json.put("image_mean", normalization.mean());
    json.put("image_std", normalization.deviation());
    return JsonMapper.shared().writeValueAsString(json);
  }

  private static Map<String, Integer> sides(int height, int width) {
    Map<String, Integer> sides = new LinkedHashMap<>();
    sides.put("height", height);
    sides.put("width", width);
    return sides;
  }

  /**
   * Normalizes the images of a batch, which must have one size.
   *
   * @param images images as the model sees them
   * @return the numbers of all, channel by channel: images×3×height×width
   * @throws IllegalArgumentException if two differ
   */
  public float[] numbers(List<Raster> images) {
    Raster first = images.getFirst();
    int length = first.pixels().length;
    float[] numbers = new float[Math.multiplyExact(images.size(), length)];
    for (int i = 0; i < images.size(); i++) {
      Raster image = images.get(i);
      if (image.height() != first.height() || image.width() != first.width()) {
        throw new IllegalArgumentException(
            "images of one batch have %d×%d and %d×%d pixels; must be equal: set data.resize or data.crop"
                .formatted(first.height(), first.width(), image.height(), image.width()));
      }
      normalization.write(image, numbers, i * length);
    }
    return numbers;
  }
}
