package dev.nola.trainer.data;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The items of an IDX file of unsigned bytes: two zeros, the type 8 and the number of dimensions as
 * bytes, each dimension as four bytes, big-endian, then the elements.
 *
 * @param items the first items of the file
 * @param count number of all items of the file
 * @param digest digest of the file's uncompressed bytes
 */
record Images(List<byte[]> items, int count, Sha256 digest) {
  private static final int UNSIGNED_BYTES = 8;
  private static final int MAX_ITEM = 1 << 24;

  static Dataset read(DataFiles files, DataFiles.Layout.Idx labels, List<String> names)
      throws IOException {
    Images train = read(files.train(), files.trainExamples(), false);
    Images trainLabels = read(labels.trainLabels(), Integer.MAX_VALUE, true);
    if (!(files.validation() instanceof DataFiles.Validation.File(Path validationFile))) {
      throw new IllegalArgumentException("images for validation must be in a file of their own");
    }
    Images validation = read(validationFile, files.validationExamples(), false);
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
    int width = train.items.getFirst().length;
    return new Dataset(
        examples(files.train(), train, labels.trainLabels(), trainLabels, width, classes),
        examples(
            validationFile,
            validation,
            labels.validationLabels(),
            validationLabels,
            width,
            classes),
        names.isEmpty() ? IntStream.range(0, classes).mapToObj(Integer::toString).toList() : names,
        0,
        0,
        List.of(),
        digests);
  }

  private static List<Example> examples(
      Path imagesFile, Images images, Path labelsFile, Images labels, int width, int classes)
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
      if (image.length != width) {
        throw new InvalidDataException(
            "%s: images have %d pixels; must be %d as for training"
                .formatted(imagesFile, image.length, width));
      }
      if (label >= classes) {
        throw new InvalidDataException(
            "%s: label %d is %d; must be below %d, the number of classes"
                .formatted(labelsFile, i, label, classes));
      }
      float[] values = new float[width];
      for (int p = 0; p < width; p++) {
        values[p] = (image[p] & 0xFF) / 255f;
      }
      examples.add(new Example.Features(values, label));
    }
    return List.copyOf(examples);
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
      while (sizes.hasRemaining() && size >= 1 && size <= MAX_ITEM) {
        size *= sizes.getInt();
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
      return new Images(items, count, file.digest());
    }
  }
}
