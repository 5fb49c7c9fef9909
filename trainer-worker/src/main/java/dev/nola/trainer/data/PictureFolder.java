package dev.nola.trainer.data;

import dev.nola.digest.Sha256;
import dev.nola.trainer.image.ImageSource;
import dev.nola.trainer.image.ImageTransform;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A folder of images, with a folder inside for each class.
 *
 * @param folder the folder
 * @param images its files by class; paths are relative to the folder, in order
 * @param others files with other extensions
 */
record PictureFolder(Path folder, SortedMap<String, List<Path>> images, List<Path> others) {
  private static final List<String> EXTENSIONS = List.of(".png", ".jpg", ".jpeg");

  /**
   * Lists the files below each folder of a class; those whose names begin with a dot do not count.
   *
   * @throws InvalidDataException if there are no classes, or one has no images
   */
  static PictureFolder list(Path folder) throws IOException {
    SortedMap<String, List<Path>> images = new TreeMap<>();
    List<Path> others = new ArrayList<>();
    if (!Files.isDirectory(folder)) {
      throw new InvalidDataException(folder + ": is not a folder; images need one for each class");
    }
    for (Path path : files(folder)) {
      Path relative = folder.relativize(path);
      if (relative.getNameCount() > 1 && isImage(path)) {
        images
            .computeIfAbsent(relative.getName(0).toString(), _ -> new ArrayList<>())
            .add(relative);
      } else {
        others.add(relative);
      }
    }
    try (Stream<Path> inside = Files.list(folder)) {
      for (Path path : inside.filter(Files::isDirectory).toList()) {
        String name = String.valueOf(path.getFileName());
        if (!images.containsKey(name) && !name.startsWith(".")) {
          throw new InvalidDataException(path + ": has no images; a class must have one or more");
        }
      }
    }
    if (images.isEmpty()) {
      throw new InvalidDataException(folder + ": has no folders of images");
    }
    return new PictureFolder(folder, images, List.copyOf(others));
  }

  /**
   * Lists the images anywhere in a folder, in the order of their paths, or an image alone.
   *
   * @param path the folder, or a file
   * @return the files, at least one
   * @throws IOException if it cannot be read, or has no images
   */
  static List<Path> images(Path path) throws IOException {
    if (Files.isRegularFile(path)) {
      return List.of(path);
    }
    List<Path> images = files(path).stream().filter(PictureFolder::isImage).toList();
    if (images.isEmpty()) {
      throw new InvalidDataException(path + ": has no images (.png, .jpg, .jpeg)");
    }
    return images;
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> !isHidden(folder.relativize(file)))
          .sorted()
          .toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static boolean isImage(Path file) {
    String name = file.toString().toLowerCase(Locale.ROOT);
    return EXTENSIONS.stream().anyMatch(name::endsWith);
  }

  private static boolean isHidden(Path relative) {
    for (Path part : relative) {
      if (part.toString().startsWith(".")) {
        return true;
      }
    }
    return false;
  }

  static Dataset read(DataFiles files, ImageTransform transform, List<String> labels)
      throws IOException {
    PictureFolder train = list(files.train());
    PictureFolder validation =
        files.validation() instanceof DataFiles.Validation.File(Path path) ? list(path) : null;
    List<String> classes = labels.isEmpty() ? List.copyOf(train.images.keySet()) : labels;
    if (classes.size() < 2) {
      throw new InvalidDataException(
          files.train() + ": has one class, " + classes.getFirst() + "; must have two or more");
    }
    String origin = labels.isEmpty() ? "of " + files.train() : "in data.labels";
    List<Example> all = train.examples(transform, classes, origin);
    Split<Example> split =
        files.validation() instanceof DataFiles.Validation.Share share
            ? Split.of(files.train(), all, share)
            : new Split<>(
                all,
                validation == null ? List.of() : validation.examples(transform, classes, origin));
    Split<Example> used = split.limited(files.selection());
    SortedMap<String, Sha256> digests = new TreeMap<>();
    digests.put("train", train.digest());
    if (validation != null) {
      digests.put("validation", validation.digest());
    }
    return new Dataset(
        used.train(),
        used.validation(),
        classes,
        0,
        0,
        Stream.of(train, validation)
            .filter(each -> each != null)
            .flatMap(PictureFolder::warning)
            .toList(),
        digests);
  }

  /**
   * Returns the first image of each class, then the second of each, and so on: the first N examples
   * are of all classes.
   */
  List<Example> examples(ImageTransform transform, List<String> classes, String origin)
      throws IOException {
    Map<String, Integer> numbers = new HashMap<>();
    for (int i = 0; i < classes.size(); i++) {
      numbers.put(classes.get(i), i);
    }
    for (String name : images.keySet()) {
      if (!numbers.containsKey(name)) {
        throw new InvalidDataException(
            "%s: unknown class; must be one %s, such as %s"
                .formatted(folder.resolve(name), origin, classes.getFirst()));
      }
    }
    List<Example> examples = new ArrayList<>();
    int longest = images.values().stream().mapToInt(List::size).max().orElse(0);
    for (int i = 0; i < longest; i++) {
      for (Map.Entry<String, List<Path>> one : images.entrySet()) {
        if (i < one.getValue().size()) {
          ImageSource source = new ImageSource.File(folder.resolve(one.getValue().get(i)));
          examples.add(new Example.Picture(source, transform, null, numbers.get(one.getKey())));
        }
      }
    }
    return examples;
  }

  /** Returns the SHA-256 of the lines that {@code sha256sum} prints of the images, by path. */
  Sha256 digest() throws IOException {
    MessageDigest digest = Sha256.newMessageDigest();
    try {
      images.values().stream().flatMap(List::stream).toList().parallelStream()
          .map(file -> line(folder, file))
          .toList()
          .forEach(line -> digest.update(line.getBytes(StandardCharsets.UTF_8)));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return Sha256.finish(digest);
  }

  private static String line(Path folder, Path file) {
    try {
      String name = file.toString().replace('\\', '/');
      return "%s  %s\n".formatted(Sha256.hash(folder.resolve(file)).hex(), name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Stream<String> warning() {
    return others.isEmpty()
        ? Stream.of()
        : Stream.of(
            "%s: %d files are not used, such as %s; images are .png, .jpg and .jpeg in the folder of a class"
                .formatted(folder, others.size(), others.getFirst()));
  }
}
