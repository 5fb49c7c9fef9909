package dev.nola.trainer.image;

import dev.nola.client.JsonProblem;
import dev.nola.client.PythonJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * What a model's folder says about its images: {@code preprocessor_config.json} of Transformers, or
 * {@code pretrained_cfg} in timm's {@code config.json}, or else the size in {@code config.json} and
 * the mean and standard deviation that {@code ViTImageProcessor} has by default, 0.5.
 */
public final class ImageConfig {
  private static final String PREPROCESSOR = "preprocessor_config.json";
  private static final String CONFIG = "config.json";

  private final String origin;
  private final JsonNode json;

  private ImageConfig(String origin, JsonNode json) {
    this.origin = origin;
    this.json = json;
  }

  /**
   * Combines what a job and its model say.
   *
   * @param settings what the job says
   * @param model the model's folder; null for a network trained from scratch
   * @return the transform
   * @throws IOException if a file cannot be read, or says what is not supported: the message names
   *     the key
   * @throws IllegalArgumentException if the settings do not fit together
   */
  public static ImageTransform transform(ImageSettings settings, @Nullable Path model)
      throws IOException {
    return settings.over(model == null ? ImageTransform.NONE : ofModel(model));
  }

  /**
   * Reads what an adapter states about the images that it was trained with.
   *
   * @param json as {@link ImageTransform#toJson} returns it
   * @return the transform
   * @throws InvalidImageException if it is not such a text
   */
  public static ImageTransform ofProvenance(String json) throws IOException {
    String origin = "provenance images of the adapter";
    return new ImageConfig(origin, parsed(origin, json)).ofTransformers();
  }

  private static ImageTransform ofModel(Path folder) throws IOException {
    Path preprocessor = folder.resolve(PREPROCESSOR);
    if (Files.exists(preprocessor)) {
      return read(preprocessor).ofTransformers();
    }
    ImageConfig config = read(folder.resolve(CONFIG));
    return config.json.has("pretrained_cfg") ? config.ofTimm() : config.ofSize();
  }

  private static ImageConfig read(Path file) throws IOException {
    return new ImageConfig(file.toString(), parsed(file.toString(), Files.readString(file)));
  }

  private static JsonNode parsed(String origin, String text) throws IOException {
    try {
      return PythonJson.mapper().readTree(text);
    } catch (JacksonException e) {
      throw new InvalidImageException(origin + ": invalid JSON: " + JsonProblem.of(e), e);
    }
  }

  private ImageTransform ofTransformers() throws IOException {
    if (!json.path("crop_pct").isMissingNode() && !json.path("crop_pct").isNull()) {
      throw unsupported("crop_pct", json.path("crop_pct"), "absent");
    }
    boolean resizes = json.path("do_resize").asBoolean(true);
    boolean crops = json.path("do_center_crop").asBoolean(json.has("crop_size"));
    boolean normalizes = json.path("do_normalize").asBoolean(true);
    double scale =
        json.path("do_rescale").asBoolean(true)
            ? json.path("rescale_factor").asDouble(Normalization.BYTE)
            : 1;
    Crop crop = null;
    if (crops) {
      Size.Exact part = exact("crop_size", json.path("crop_size"));
      crop = new Crop(part.height(), part.width(), false, 0);
    }
    return new ImageTransform(
        resizes ? size(json.path("size")) : null,
        resizes
            ? filter(json.path("resample").asInt(Resampling.BILINEAR.code()))
            : Resampling.BILINEAR,
        crop,
        false,
        new Normalization(
            scale,
            normalizes ? numbers("image_mean", json.path("image_mean")) : Normalization.NONE.mean(),
            normalizes
                ? numbers("image_std", json.path("image_std"))
                : Normalization.NONE.deviation()));
  }

  /** A number alone is both sides, as for {@code ViTImageProcessor}. */
  private Size size(JsonNode size) throws IOException {
    return size.has("shortest_edge")
        ? new Size.Shorter(side("size", size.path("shortest_edge")))
        : exact("size", size);
  }

  private Size.Exact exact(String key, JsonNode size) throws IOException {
    if (size.isArray() && size.size() == 2) { // as in timm's configs
      return new Size.Exact(side(key, size.get(0)), side(key, size.get(1)));
    }
    return size.isObject()
        ? new Size.Exact(side(key, size.path("height")), side(key, size.path("width")))
        : new Size.Exact(side(key, size), side(key, size));
  }

  private int side(String key, JsonNode value) throws IOException {
    if (!value.isInt() || value.asInt() < 1) {
      throw unsupported(
          key, json.path(key), "a number, [height, width], {height, width} or {shortest_edge}");
    }
    return value.asInt();
  }

  private Resampling filter(int code) throws IOException {
    for (Resampling filter : Resampling.values()) {
      if (filter.code() == code) {
        return filter;
      }
    }
    throw unsupported("resample", json.path("resample"), "2 (bilinear) or 3 (bicubic)");
  }

  private List<Double> numbers(String key, JsonNode values) throws IOException {
    boolean areNumbers = values.valueStream().allMatch(JsonNode::isNumber);
    if (!areNumbers || values.size() != 1 && values.size() != Raster.CHANNELS) {
      throw unsupported(key, values, "one number for each of 3 channels");
    }
    List<Double> numbers = values.valueStream().map(JsonNode::asDouble).toList();
    if (key.endsWith("std") && numbers.stream().anyMatch(number -> number <= 0)) {
      throw unsupported(key, values, "above 0");
    }
    return numbers;
  }

  /** Resizes the shorter side to that of the crop divided by its share, as timm's transforms do. */
  private ImageTransform ofTimm() throws IOException {
    JsonNode settings = json.path("pretrained_cfg");
    JsonNode mode = settings.path("crop_mode");
    if (!mode.isMissingNode() && !mode.asString("").equals("center")) {
      throw unsupported("pretrained_cfg.crop_mode", mode, "center");
    }
    List<Integer> input =
        settings.path("input_size").valueStream().map(size -> size.asInt(0)).toList();
    if (input.size() != 3
        || input.get(1) < 1
        || input.getFirst() != Raster.CHANNELS
        || !input.get(1).equals(input.get(2))) {
      throw unsupported("pretrained_cfg.input_size", settings.path("input_size"), "[3, N, N]");
    }
    int side = input.get(1);
    int resized = (int) Math.floor(side / settings.path("crop_pct").asDouble(1));
    String filter = settings.path("interpolation").asString("bilinear");
    if (!Set.of("bilinear", "bicubic").contains(filter)) {
      throw unsupported(
          "pretrained_cfg.interpolation", settings.path("interpolation"), "bilinear or bicubic");
    }
    return new ImageTransform(
        new Size.Shorter(resized),
        filter.equals("bicubic") ? Resampling.BICUBIC : Resampling.BILINEAR,
        new Crop(side, side, false, 0),
        false,
        new Normalization(
            Normalization.BYTE,
            numbers("pretrained_cfg.mean", settings.path("mean")),
            numbers("pretrained_cfg.std", settings.path("std"))));
  }

  private ImageTransform ofSize() throws IOException {
    return new ImageTransform(
        exact("image_size", json.path("image_size")),
        Resampling.BILINEAR,
        null,
        false,
        new Normalization(Normalization.BYTE, List.of(0.5), List.of(0.5)));
  }

  private InvalidImageException unsupported(String key, JsonNode value, String rule) {
    return new InvalidImageException(
        "%s: unsupported %s: %s; must be %s"
            .formatted(origin, key, value.isMissingNode() ? "missing" : value, rule));
  }
}
