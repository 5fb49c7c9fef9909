package dev.nola.trainer.data;

import dev.nola.digest.Sha256;
import dev.nola.trainer.image.ImageConfig;
import dev.nola.trainer.image.ImageSource;
import dev.nola.trainer.image.ImageTransform;
import dev.nola.trainer.image.Raster;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The items of an IDX file of unsigned bytes: two zeros, the type 8 and the number of dimensions as
 * bytes, each dimension as four bytes, big-endian, then the elements.
 *
 * @param items the first items of the file
 * @param sizes the dimensions of an item; empty for a label
 * @param count number of all items of the file
 * @param digest digest of the file's uncompressed bytes
 */
record Images(List<byte[]> items, List<Integer> sizes, int count, Sha256 digest) {
  private static final int UNSIGNED_BYTES = 8;
  private static final int MAX_ITEM = 1 << 24;

  static Dataset read(
      DataFiles files, DataFiles.Layout.Idx labels, @Nullable Path model, List<String> names)
      throws IOException {
    Images train = read(files.train(), files.selection().trainExamples(), false);
    Images trainLabels = read(labels.trainLabels(), Integer.MAX_VALUE, true);
    if (!(files.validation() instanceof DataFiles.Validation.File(Path validationFile))) {
      throw new IllegalArgumentException("images for validation must be in a file of their own");
    }
    Images validation = read(validationFile, files.selection().validationExamples(), false);
    Images validationLabels = read(labels.validationLabels(), Integer.MAX_VALUE, true);
    SortedMap<String, Sha256> digests = new TreeMap<>();
    digests.put("train", train.digest);
    digests.put("trainLabels", trainLabels.digest);
    digests.put("validation", validation.digest);
    digests.put("validationLabels", validationLabels.digest);
    int classes =
        names.isEmpty()
            ? 1 + trainLabels.items.stream().mapToInt(label -> label[0] & 0xFF).max().orElse(0)
            : names.size();
    requireEqualSizes(validationFile, validation, train);
    Making making =
        labels.images() == null
            ? Images::features
            : pictures(files.train(), train, ImageConfig.transform(labels.images(), model));
    return new Dataset(
        examples(files.train(), train, labels.trainLabels(), trainLabels, classes, making),
        examples(
            validationFile,
            validation,
            labels.validationLabels(),
            validationLabels,
            classes,
            making),
        names.isEmpty() ? IntStream.range(0, classes).mapToObj(Integer::toString).toList() : names,
        0,
        0,
        List.of(),
        digests);
  }

  /** Reads all images of a file for a vision model. */
  static List<Example> read(Path file, Path labelsFile, ImageTransform transform, int classes)
      throws IOException {
    Images images = read(file, Integer.MAX_VALUE, false);
    Images labels = read(labelsFile, Integer.MAX_VALUE, true);
    return examples(file, images, labelsFile, labels, classes, pictures(file, images, transform));
  }

  /** Reads all images of a file for a network of features. */
  static List<Example> readFeatures(Path file, Path labelsFile, int width, int classes)
      throws IOException {
    Images images = read(file, Integer.MAX_VALUE, false);
    Images labels = read(labelsFile, Integer.MAX_VALUE, true);
    if (images.items.getFirst().length != width) {
      throw new InvalidDataException(
          "%s: images have %d pixels; must be %d, the first width of the network"
              .formatted(file, images.items.getFirst().length, width));
    }
    return examples(file, images, labelsFile, labels, classes, Images::features);
  }

  private static List<Example> examples(
      Path imagesFile, Images images, Path labelsFile, Images labels, int classes, Making making)
      throws IOException {
    if (images.count != labels.count) {
      throw new InvalidDataException(
          "%s: has %d labels; must be as many as images in %s, %d"
              .formatted(labelsFile, labels.count, imagesFile, images.count));
    }
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < images.items.size(); i++) {
      byte[] image = images.items.get(i);
      int label = labels.items.get(i)[0] & 0xFF;
      if (label >= classes) {
        throw new InvalidDataException(
            "%s: label %d is %d; must be below %d, the number of classes"
                .formatted(labelsFile, i, label, classes));
      }
      examples.add(making.example(image, label));
    }
    return List.copyOf(examples);
  }

  /** Makes an example of an item. */
  @FunctionalInterface
  private interface Making {
    Example example(byte[] item, int label);
  }

  private static Example features(byte[] item, int label) {
    float[] values = new float[item.length];
    for (int p = 0; p < item.length; p++) {
      values[p] = (item[p] & 0xFF) / 255f;
    }
    return new Example.Features(values, label);
  }

  /** Makes pictures of items of height×width, or height×width×3. */
  private static Making pictures(Path file, Images images, ImageTransform transform)
      throws IOException {
    List<Integer> sizes = images.sizes;
    int channels = sizes.size() == 2 ? 1 : sizes.getLast();
    if (sizes.size() < 2 || sizes.size() > 3 || channels != 1 && channels != Raster.CHANNELS) {
      throw new InvalidDataException(
          "%s: images have the dimensions %s; must be height and width, or these and 3 channels"
              .formatted(file, sizes));
    }
    return (item, label) ->
        new Example.Picture(
            new ImageSource.Pixels(item, sizes.get(0), sizes.get(1), channels),
            transform,
            null,
            label);
  }

  private static void requireEqualSizes(Path file, Images validation, Images train)
      throws IOException {
    int width = train.items.getFirst().length;
    int other = validation.items.getFirst().length;
    if (other != width) {
      throw new InvalidDataException(
          "%s: images have %d pixels; must be %d as for training".formatted(file, other, width));
    }
    if (!validation.sizes.equals(train.sizes)) {
      throw new InvalidDataException(
          "%s: images have the dimensions %s; must be %s as for training"
              .formatted(file, validation.sizes, train.sizes));
    }
  }

  /** Reads the whole file, and keeps the first items. */
  private static Images read(Path path, int limit, boolean labels) throws IOException {
    try (DataFile file = DataFile.open(path)) {
      byte[] magic = file.readNBytes(4);
      int dimensions = magic.length < 4 ? 0 : magic[3];
      boolean fits = labels ? dimensions == 1 : dimensions >= 2 && dimensions <= 4;
      if (!fits || magic[0] != 0 || magic[1] != 0 || magic[2] != UNSIGNED_BYTES) {
        throw file.invalid(
            "begins with %s; must be 0, 0, 8 and %s, as IDX files of unsigned bytes do"
                .formatted(Arrays.toString(magic), labels ? "1 for labels" : "2 to 4 for images"));
      }
      byte[] header = file.readNBytes(4 * dimensions);
      if (header.length < 4 * dimensions) {
        throw file.invalid("ends in its header");
      }
      ByteBuffer sizes = ByteBuffer.wrap(header);
      int count = sizes.getInt();
      long size = 1;
      List<Integer> itemSizes = new ArrayList<>();
      while (sizes.hasRemaining() && size >= 1 && size <= MAX_ITEM) {
        itemSizes.add(sizes.getInt());
        size *= itemSizes.getLast();
      }
      if (count < 1 || size < 1 || size > MAX_ITEM) {
        throw file.invalid(
            "declares %d items; must be 1 or more, of 1 to %d bytes".formatted(count, MAX_ITEM));
      }
      List<byte[]> items = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        byte[] item = file.readNBytes((int) size);
        if (item.length < size) {
          throw file.invalid("ends in item %d; must have %d".formatted(i, count));
        }
        if (i < limit) {
          items.add(item);
        }
      }
      if (file.read() >= 0) {
        throw file.invalid("has content after its %d items".formatted(count));
      }
      return new Images(items, List.copyOf(itemSizes), count, file.digest());
    }
  }
}
