package dev.nola.trainer.data;

import dev.nola.digest.Sha256;
import dev.nola.files.StagedOutput;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * WordNet's definitions of nouns and the kinds of thing that they define (its lexicographer files,
 * also known as supersenses): a text classification task with 26 classes.
 *
 * <p>A gloss is a definition and, after it, examples in quotes; these are left out, because they
 * often contain the word. Equal definitions of one class count once; those that two classes share
 * are left out, because neither class would be right.
 *
 * <p>The part that a definition belongs to depends on the SHA-256 of its text alone: the first four
 * bytes, big-endian and unsigned, modulo 20, are 0 for the test, 1 for validation, and else for
 * training. Files are in the order of these digests, so that their first lines are a fair sample.
 *
 * @param glosses the definitions, in the order of the files
 * @param license licence at the beginning of data.noun
 */
public record WordNetGlosses(List<Gloss> glosses, String license) {
  /** Names of the lexicographer files 3 to 28, which hold the nouns (lexnames(5WN)). */
  private static final List<String> LABELS =
      List.of(
          "noun.Tops",
          "noun.act",
          "noun.animal",
          "noun.artifact",
          "noun.attribute",
          "noun.body",
          "noun.cognition",
          "noun.communication",
          "noun.event",
          "noun.feeling",
          "noun.food",
          "noun.group",
          "noun.location",
          "noun.motive",
          "noun.object",
          "noun.person",
          "noun.phenomenon",
          "noun.plant",
          "noun.possession",
          "noun.process",
          "noun.quantity",
          "noun.relation",
          "noun.shape",
          "noun.state",
          "noun.substance",
          "noun.time");

  private static final int FIRST_LABEL = 3;

  private static final String NOUNS = "data.noun";

  /** Four times what WordNet 3.1 has. */
  private static final int MAX_BYTES = 64 << 20;

  /** A line: offset, lexicographer file, words and pointers, and the gloss (wndb(5WN)). */
  private static final Pattern SYNSET = Pattern.compile("\\d{8} (\\d\\d) n [^|]*\\| (.*)");

  /** A line of the license: its number, and the text. */
  private static final Pattern LICENSE = Pattern.compile("  ?\\d+ (.*)");

  private static final Pattern EXAMPLES = Pattern.compile("[;:]\\s*\".*");

  private static final int PARTS = 20;

  /**
   * A definition and its class.
   *
   * @param text the definition
   * @param label name of the class
   */
  public record Gloss(String text, String label) {
    /** Returns the number of its twentieth, from 0. */
    int part() {
      byte[] digest = digest().toBytes();
      long number = 0;
      for (int i = 0; i < Integer.BYTES; i++) {
        number = number << 8 | digest[i] & 0xFF;
      }
      return (int) (number % PARTS);
    }

    private Sha256 digest() {
      return Sha256.hash(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  /**
   * The numbers of definitions that were written.
   *
   * @param train number of definitions to learn from
   * @param validation number of those for validation
   * @param test number of those for the test
   * @param classes number of definitions in all three, by class
   */
  public record Report(
      int train, int validation, int test, SequencedMap<String, Integer> classes) {}

  /** Copies the list. */
  public WordNetGlosses {
    glosses = List.copyOf(glosses);
  }

  /**
   * Reads WordNet's nouns.
   *
   * @param source a jar or zip with {@code data.noun} in any of its folders, or that file itself
   * @return the definitions
   * @throws IOException if it cannot be read, or is not WordNet's data.noun
   */
  public static WordNetGlosses read(Path source) throws IOException {
    byte[] nouns = isZip(source) ? unzipped(source) : limited(source, Files.newInputStream(source));
    List<Gloss> glosses = new ArrayList<>();
    StringBuilder license = new StringBuilder();
    int number = 0;
    for (String line : new String(nouns, StandardCharsets.UTF_8).lines().toList()) {
      number++;
      Matcher header = LICENSE.matcher(line);
      if (glosses.isEmpty() && header.matches()) {
        license.append(header.group(1).strip()).append('\n');
      } else {
        glosses.add(gloss(source, number, line));
      }
    }
    if (glosses.isEmpty() || license.isEmpty()) {
      throw new InvalidDataException(
          "%s: has no %s with a license and synsets".formatted(source, NOUNS));
    }
    return new WordNetGlosses(ordered(glosses), license.toString());
  }

  private static boolean isZip(Path source) throws IOException {
    try (InputStream in = Files.newInputStream(source)) {
      return Arrays.equals(in.readNBytes(2), new byte[] {'P', 'K'});
    }
  }

  private static byte[] unzipped(Path source) throws IOException {
    try (ZipFile zip = new ZipFile(source.toFile())) {
      ZipEntry nouns =
          zip.stream()
              .filter(entry -> ("/" + entry.getName()).endsWith("/" + NOUNS))
              .findFirst()
              .orElseThrow(
                  () -> new InvalidDataException("%s: has no %s".formatted(source, NOUNS)));
      return limited(source, zip.getInputStream(nouns));
    } catch (ZipException e) {
      throw new InvalidDataException(
          "%s: not a valid zip file: %s".formatted(source, e.getMessage()), e);
    }
  }

  private static byte[] limited(Path source, InputStream in) throws IOException {
    try (in) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw new InvalidDataException(
            String.format(
                Locale.ROOT,
                "%s: %s has more than %,d bytes, the limit",
                source,
                NOUNS,
                MAX_BYTES));
      }
      return bytes;
    }
  }

  private static Gloss gloss(Path source, int number, String line) throws IOException {
    Matcher synset = SYNSET.matcher(line);
    if (!synset.matches()) {
      throw new InvalidDataException(
          "%s: line %d of %s is not a noun synset".formatted(source, number, NOUNS));
    }
    int label = Integer.parseInt(synset.group(1)) - FIRST_LABEL;
    if (label < 0 || label >= LABELS.size()) {
      throw new InvalidDataException(
          "%s: line %d of %s has lexicographer file %s; must be 03 to 28"
              .formatted(source, number, NOUNS, synset.group(1)));
    }
    String text = EXAMPLES.matcher(synset.group(2)).replaceFirst("").strip().replace('\t', ' ');
    if (text.isEmpty()) {
      throw new InvalidDataException(
          "%s: line %d of %s has no definition".formatted(source, number, NOUNS));
    }
    return new Gloss(text, LABELS.get(label));
  }

  private static List<Gloss> ordered(List<Gloss> glosses) {
    Map<String, TreeSet<String>> labels = new LinkedHashMap<>();
    for (Gloss gloss : glosses) {
      labels.computeIfAbsent(gloss.text, _ -> new TreeSet<>()).add(gloss.label);
    }
    return labels.entrySet().stream()
        .filter(entry -> entry.getValue().size() == 1)
        .map(entry -> new Gloss(entry.getKey(), entry.getValue().first()))
        .map(gloss -> Map.entry(gloss.digest(), gloss))
        .sorted(Map.Entry.comparingByKey())
        .map(Map.Entry::getValue)
        .toList();
  }

  /**
   * Writes {@code train.tsv}, {@code validation.tsv} and {@code test.tsv}, with a line {@code
   * text}, tab, {@code label} first, and {@code LICENSE.txt}.
   *
   * @param folder folder to create, which must not exist
   * @return number of definitions in each file and class
   * @throws IOException if they cannot be written
   */
  public Report write(Path folder) throws IOException {
    try (StagedOutput output = StagedOutput.begin(folder)) {
      Path created = Files.createDirectory(output.path());
      List<Gloss> train = glosses.stream().filter(gloss -> gloss.part() > 1).toList();
      List<Gloss> validation = glosses.stream().filter(gloss -> gloss.part() == 1).toList();
      List<Gloss> test = glosses.stream().filter(gloss -> gloss.part() == 0).toList();
      write(created.resolve("train.tsv"), train);
      write(created.resolve("validation.tsv"), validation);
      write(created.resolve("test.tsv"), test);
      Files.writeString(created.resolve("LICENSE.txt"), license);
      output.finish();
      SequencedMap<String, Integer> classes = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
      glosses.forEach(gloss -> classes.merge(gloss.label, 1, Integer::sum));
      return new Report(train.size(), validation.size(), test.size(), classes);
    }
  }

  private static void write(Path file, List<Gloss> glosses) throws IOException {
    try (BufferedWriter writer = Files.newBufferedWriter(file)) {
      writer.write("text\tlabel\n");
      for (Gloss gloss : glosses) {
        writer.write(gloss.text + "\t" + gloss.label + "\n");
      }
    }
  }
}
