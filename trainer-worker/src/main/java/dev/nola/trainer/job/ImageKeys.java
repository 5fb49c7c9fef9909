package dev.nola.trainer.job;

import dev.nola.text.Label;
import dev.nola.trainer.image.ImageSettings;
import dev.nola.trainer.image.Resampling;
import dev.nola.trainer.image.Size;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The keys of {@code data} that say how images become the input of a vision model. */
final class ImageKeys {
  private static final KeyTable KEYS = new KeyTable();

  private static final String OF_MODEL =
      " (default: that of the model's preprocessor_config.json or pretrained_cfg; %s)";

  static final Key<Size> RESIZE =
      KEYS.add(
          ofImages(
              Key.optional(
                  "data.resize",
                  Kind.size(),
                  null,
                  "size that images are brought to: the shorter side, or height and width"
                      + OF_MODEL.formatted("without these, its image_size, or their own"))));
  static final Key<Resampling> FILTER =
      KEYS.add(
          ofImages(
              Key.optional(
                  "data.filter",
                  Kind.lowerCase(Resampling.values()),
                  null,
                  "how they are brought to it, as by Pillow" + OF_MODEL.formatted("bilinear"))));
  static final Key<Integer> CROP =
      KEYS.add(
          ofImages(
              Key.optional(
                  "data.crop",
                  Kind.whole(1),
                  null,
                  "height and width of the part that the model sees: the centre"
                      + OF_MODEL.formatted("all"))));
  static final Key<Boolean> RANDOM_CROP =
      KEYS.add(
          ofImages(
              Key.optional(
                  "data.randomCrop",
                  Kind.flag(),
                  false,
                  "whether training draws the part instead of taking the centre")));
  static final Key<Integer> PADDING =
      KEYS.add(
          ofImages(
              Key.optional(
                  "data.padding",
                  Kind.whole(0, 1024),
                  0,
                  "black pixels around an image before training draws the part")));
  static final Key<Boolean> FLIP =
      KEYS.add(
          ofImages(
              Key.optional(
                  "data.flip",
                  Kind.flag(),
                  false,
                  "whether training flips half of the images horizontally")));
  static final Key<List<Double>> MEAN =
      KEYS.add(
          ofImages(
              Key.optional(
                  "data.mean",
                  Kind.channels(Kind.notNegative()),
                  null,
                  "mean of a channel, with pixels from 0 to 1" + OF_MODEL.formatted("0"))));
  static final Key<List<Double>> STD =
      KEYS.add(
          ofImages(
              Key.optional(
                  "data.std",
                  Kind.channels(Kind.positive()),
                  null,
                  "standard deviation of a channel" + OF_MODEL.formatted("1"))));

  /** All of them, in the order of the documentation. */
  static final List<Key<?>> ALL = KEYS.all();

  private ImageKeys() {}

  private static <T> Key<T> ofImages(Key<T> key) {
    return key.onlyWith(DataKeys.FORMAT, "idx", "images");
  }

  /** Returns what a job says about its images; null if they are features. */
  static @Nullable ImageSettings read(Settings settings) {
    return settings.find(ModelKeys.MLP) != null
        ? null
        : new ImageSettings(
            settings.find(RESIZE),
            settings.find(FILTER),
            new ImageSettings.Cropping(
                settings.find(CROP), settings.get(RANDOM_CROP), settings.get(PADDING)),
            settings.get(FLIP),
            settings.find(MEAN),
            settings.find(STD));
  }

  /** Returns what a job says by the names of its keys. */
  static Map<String, Object> canonical(ImageSettings images) {
    Map<String, Object> said = new TreeMap<>();
    switch (images.resize()) {
      case Size.Shorter(int side) -> said.put("resize", side);
      case Size.Exact(int height, int width) -> said.put("resize", List.of(height, width));
      case null -> {}
    }
    put(said, "filter", images.filter() == null ? null : Label.of(images.filter()));
    put(said, "crop", images.crop().side());
    said.put("randomCrop", images.crop().random());
    said.put("padding", images.crop().padding());
    said.put("flip", images.flips());
    put(said, "mean", images.mean());
    put(said, "std", images.deviation());
    return said;
  }

  private static void put(Map<String, Object> said, String name, @Nullable Object value) {
    if (value != null) {
      said.put(name, value);
    }
  }

  /** Requires that a network of features has no settings of images. */
  static void requireFit(Settings settings) {
    if (settings.find(ModelKeys.MLP) == null) {
      return;
    }
    for (Key<?> key : ALL) {
      settings.require(
          !settings.states(key),
          key.path() + " does not apply to model.mlp, which reads pixels as they are");
    }
  }
}
