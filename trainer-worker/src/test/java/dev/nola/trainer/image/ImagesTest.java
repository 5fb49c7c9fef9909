package dev.nola.trainer.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Compares decoding and resampling with Pillow's, recorded in {@code expected.json}. */
class ImagesTest {
  private static final Path FOLDER = Path.of("src/test/resources/images");

  @TempDir private Path folder = Path.of("");

  private static JsonNode expected(String what) throws IOException {
    return JsonMapper.shared()
        .readTree(Files.readAllBytes(FOLDER.resolve("expected.json")))
        .path(what);
  }

  private static int[] pixels(JsonNode image) {
    return image.path("pixels").valueStream().mapToInt(JsonNode::asInt).toArray();
  }

  private static int[] pixels(Raster image) {
    int[] pixels = new int[image.pixels().length];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = image.pixels()[i] & 0xFF;
    }
    return pixels;
  }

  private static Raster decode(String name) throws IOException {
    return new ImageSource.File(FOLDER.resolve(name)).decode();
  }

  /** JPEG decoders may round otherwise; Pillow's rgb of a rotated image is not turned either. */
  @ParameterizedTest
  @CsvSource({
    "rgb.png, 0",
    "grey.png, 0",
    "rgba.png, 0",
    "palette.png, 0",
    "bits.png, 0",
    "grey-alpha.png, 0",
    "grey16.png, 0",
    "rgb.jpg, 2",
    "grey.jpg, 2",
    "rotated.jpg, 2"
  })
  void imagesAreDecodedAsByPillow(String name, int tolerance) throws IOException {
    JsonNode image = expected("decoded").path(name);
    Raster decoded = decode(name);
    assertThat(decoded.height()).isEqualTo(image.path("height").asInt());
    assertThat(decoded.width()).isEqualTo(image.path("width").asInt());
    int[] pillow = pixels(image);
    int[] ours = pixels(decoded);
    for (int i = 0; i < pillow.length; i++) {
      assertThat(ours[i]).as("%s, byte %d", name, i).isCloseTo(pillow[i], within(tolerance));
    }
  }

  @Test
  void imagesAreResizedAsByPillow_toTheBit() throws IOException {
    Raster image = decode("rgb.png");
    JsonNode cases = expected("resized");
    assertThat(cases.size()).isGreaterThan(10);
    for (JsonNode resized : cases) {
      int height = resized.path("height").asInt();
      int width = resized.path("width").asInt();
      Resampling filter = Resampling.valueOf(resized.path("filter").asString());
      assertThat(pixels(filter.resize(image, height, width)))
          .as("%s to %d×%d", filter, height, width)
          .isEqualTo(pixels(resized));
    }
  }

  @Test
  void imagesThatAreNotRgbOrWhole_areRefused() throws IOException {
    assertThatThrownBy(() -> decode("cmyk.jpg"))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageEndingWith("cmyk.jpg: image is in CMYK; must be in grey or RGB: convert it");
    assertThatThrownBy(() -> decode("expected.json"))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageEndingWith("expected.json: content is neither PNG nor JPEG");
    byte[] half = Files.readAllBytes(FOLDER.resolve("rgb.png"));
    Path cut = Files.write(folder.resolve("cut.png"), Arrays.copyOf(half, 60));
    assertThatThrownBy(() -> new ImageSource.File(cut).decode())
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("cut.png: cannot be decoded")
        .hasMessageEndingWith("must be a whole PNG or JPEG");
  }

  /** An image whose bytes are 0, 1, 2 … */
  private static Raster counted(int height, int width) {
    byte[] bytes = new byte[height * width * Raster.CHANNELS];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) i;
    }
    return new Raster(bytes, height, width);
  }

  @Test
  void evaluationSeesTheCentre_trainingAPartDrawnFromTheSeed() {
    Raster image = counted(6, 7);
    ImageTransform transform =
        new ImageTransform(
            null, Resampling.BILINEAR, new Crop(4, 4, true, 1), true, Normalization.NONE);
    Raster center = transform.apply(image, null);
    assertThat(center.pixels()).isEqualTo(image.crop(1, 1, 4, 4).pixels());
    assertThat(transform.apply(image, 5L).pixels()).isEqualTo(transform.apply(image, 5L).pixels());
    List<List<Byte>> drawn =
        LongStream.range(0, 2000)
            .mapToObj(seed -> transform.apply(image, seed))
            .map(
                part ->
                    IntStream.range(0, part.pixels().length)
                        .mapToObj(i -> part.pixels()[i])
                        .toList())
            .distinct()
            .toList();
    assertThat(drawn).as("5×6 places in the padded image, two sides").hasSize(2 * 5 * 6);
  }

  @Test
  void partLargerThanTheImage_isRefused() {
    ImageTransform transform =
        new ImageTransform(
            null, Resampling.BILINEAR, new Crop(8, 8, false, 0), false, Normalization.NONE);
    assertThatThrownBy(() -> transform.apply(counted(6, 7), null))
        .hasMessage("image has 6×7 pixels; must have at least 8×8 to be cropped: set data.resize");
  }

  @Test
  void shorterSideIsResized_andChannelsNormalized() {
    ImageTransform transform =
        new ImageTransform(
            new Size.Shorter(3),
            Resampling.BICUBIC,
            null,
            false,
            new Normalization(1 / 255.0, List.of(0.5, 0.25, 0.0), List.of(0.5, 1.0, 2.0)));
    Raster resized = transform.apply(counted(6, 7), null);
    assertThat(List.of(resized.height(), resized.width())).containsExactly(3, 3);
    float[] numbers = transform.numbers(List.of(new Raster(new byte[] {(byte) 255, 51, 0}, 1, 1)));
    assertThat(numbers).containsExactly(new float[] {1, -0.05f, 0}, within(1e-6f));
    assertThatThrownBy(() -> transform.numbers(List.of(counted(1, 1), counted(1, 2))))
        .hasMessageStartingWith("images of one batch have 1×1 and 1×2 pixels");
  }

  @Test
  void settingsOfTheModelStandForWhatTheJobDoesNotSay() throws IOException {
    Files.writeString(
        folder.resolve("preprocessor_config.json"),
        """
        {"do_resize": true, "size": {"shortest_edge": 8}, "resample": 3, "do_center_crop": true,
         "crop_size": 6, "image_mean": [0.1, 0.2, 0.3], "image_std": [1, 2, 3]}
        """);
    ImageTransform own = ImageConfig.transform(ImageSettings.NONE, folder);
    assertThat(own)
        .isEqualTo(
            new ImageTransform(
                new Size.Shorter(8),
                Resampling.BICUBIC,
                new Crop(6, 6, false, 0),
                false,
                new Normalization(1 / 255.0, List.of(0.1, 0.2, 0.3), List.of(1.0, 2.0, 3.0))));
    assertThat(ImageConfig.ofProvenance(own.toJson())).isEqualTo(own);
    ImageSettings said =
        new ImageSettings(
            new Size.Exact(9, 10),
            Resampling.BILINEAR,
            new ImageSettings.Cropping(null, true, 2),
            true,
            List.of(0.5),
            null);
    assertThat(ImageConfig.transform(said, folder))
        .isEqualTo(
            new ImageTransform(
                new Size.Exact(9, 10),
                Resampling.BILINEAR,
                new Crop(6, 6, true, 2),
                true,
                new Normalization(1 / 255.0, List.of(0.5), List.of(1.0, 2.0, 3.0))));
    assertThatThrownBy(() -> ImageConfig.transform(said, null))
        .hasMessageContaining("set data.crop");
  }

  @Test
  void settingsOfTimm_resizeByTheShareOfTheCrop() throws IOException {
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"architecture": "vit_base_patch16_224", "pretrained_cfg": {"input_size": [3, 224, 224],
         "interpolation": "bicubic", "crop_pct": 0.9, "crop_mode": "center",
         "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}
        """);
    ImageTransform own = ImageConfig.transform(ImageSettings.NONE, folder);
    assertThat(own.resize()).isEqualTo(new Size.Shorter(248));
    assertThat(own.crop()).isEqualTo(new Crop(224, 224, false, 0));
    assertThat(own.filter()).isEqualTo(Resampling.BICUBIC);
  }

  @Test
  void sizeOfTwoSides_isHeightAndWidth() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{\"image_size\": [7, 9]}");
    assertThat(ImageConfig.transform(ImageSettings.NONE, folder).resize())
        .isEqualTo(new Size.Exact(7, 9));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"image_mean\": [\"x\"] | unsupported image_mean: [\"x\"]; must be one number for each of 3 channels",
        "\"image_mean\": [0], \"image_std\": [0] | unsupported image_std: [0]; must be above 0",
      })
  void configWithInvalidNumbers_isRefused(String key, String problem) throws IOException {
    Files.writeString(folder.resolve("preprocessor_config.json"), "{\"size\": 8, " + key + "}");
    assertThatThrownBy(() -> ImageConfig.transform(ImageSettings.NONE, folder))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageEndingWith(problem);
  }

  @Test
  void configOfAnotherFilter_isRefused() throws IOException {
    Files.writeString(folder.resolve("preprocessor_config.json"), "{\"size\": 8, \"resample\": 1}");
    assertThatThrownBy(() -> ImageConfig.transform(ImageSettings.NONE, folder))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageEndingWith("unsupported resample: 1; must be 2 (bilinear) or 3 (bicubic)");
  }
}
