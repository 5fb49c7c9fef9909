package dev.nola.format;

import dev.nola.format.ManifestContent.Dense;
import dev.nola.format.ManifestContent.MetricEntry;
import dev.nola.format.ManifestContent.PropertyEntry;
import dev.nola.format.ManifestContent.Texts;
import dev.nola.generator.Generator;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Reads a file from memory, checking the rules of SPEC.md section 11 in their order, so that the
 * kind of refusal depends on the file alone: header and checksum (1 to 8), the whole manifest
 * decoded (9), everything declared within its limits (10), the generator (11), every other rule of
 * the content (12 to 14, of one kind), the limits on factors (15), and that the manifest is the
 * canonical one for its content (16).
 */
final class AdapterFileReader {
  private static final ValueLayout.OfInt CHECKSUM =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private AdapterFileReader() {}

  /**
   * Reads a whole file.
   *
   * @param file the file's bytes; dense tensors are slices of it
   * @return the file's content
   * @throws AdapterException if the bytes are refused; the subtype says why
   */
  static AdapterFile read(MemorySegment file) throws AdapterException {
    try {
      return readLegal(file);
    } catch (RuleViolation e) {
      throw e.refusal();
    }
  }

  private static AdapterFile readLegal(MemorySegment file) {
    if (Rules.isBroken(
        Rule.SMALLEST_FILE, file.byteSize() >= Header.BYTES + Header.CHECKSUM_BYTES)) {
      throw new RuleViolation(
          Rule.SMALLEST_FILE,
          "not a .nola file, or truncated: %d bytes; must have at least %d"
              .formatted(file.byteSize(), Header.BYTES + Header.CHECKSUM_BYTES));
    }
    byte[] headerBytes = bytes(file, 0, Header.BYTES);
    Header header = Header.parse(headerBytes, file.byteSize());
    // Manifest and codes are copied before they are checked: what was checked is then what is
    // read, even when another process writes to a mapped file.
    byte[] manifest = bytes(file, Header.BYTES, header.manifestBytes());
    long codesStart = Header.BYTES + header.manifestBytes();
    byte[] codes = bytes(file, codesStart, header.codesBytes());
    long denseStart = codesStart + header.codesBytes();
    MemorySegment dense = file.asSlice(denseStart, header.denseBytes());

    Checksum checksum = new Checksum();
    checksum.update(headerBytes);
    checksum.update(manifest);
    checksum.update(codes);
    checksum.update(dense);
    requireChecksum(file.get(CHECKSUM, denseStart + header.denseBytes()), checksum.value());

    ManifestContent content = ManifestDecoder.decode(manifest);
    DeclaredLimits.require(content);
    Adapter.Builder builder = Adapter.builder().generator(generator(content.generator()));
    CodesSection.read(content.groups(), codes, builder::layer);
    DenseSection.read(content.dense(), denseStart, dense, builder::dense);
    requireAscending("dense tensors", content.dense().stream().map(Dense::name).toList(), 0);
    Adapter adapter =
        builder
            .seed(content.seed())
            .base(
                new BaseModel(
                    content.base().name(), content.base().revision(), content.base().identity()))
            .metadata(metadata(content.metadata()))
            .build();
    requireCanonical(manifest, ManifestEncoder.encode(adapter, content.digest()));
    return new AdapterFile(adapter, content.digest());
  }

  private static byte[] bytes(MemorySegment file, long offset, int length) {
    return file.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
  }

  private static void requireChecksum(int stored, int computed) {
    if (Rules.isBroken(Rule.CHECKSUM, computed == stored)) {
      throw new RuleViolation(
          Rule.CHECKSUM,
          "checksum failed (damaged in storage or transfer?): expected=%08x actual=%08x"
              .formatted(stored, computed));
    }
  }

  private static Generator generator(int id) {
    if (Rules.isBroken(Rule.GENERATOR_KNOWN, Generator.ofId(id).isPresent())) {
      throw new RuleViolation(
          Rule.GENERATOR_KNOWN,
          "unknown generator id: %d; this reader knows %s"
              .formatted(id, Arrays.toString(Generator.values())));
    }
    return Generator.ofId(id).orElseThrow();
  }

  private static Metadata metadata(Texts texts) {
    requireAscending("tags", texts.tags(), -1);
    requireAscending("metrics", texts.metrics().stream().map(MetricEntry::name).toList(), -1);
    requireAscending(
        "provenance", texts.provenance().stream().map(PropertyEntry::key).toList(), -1);
    TreeMap<String, Double> metrics = new TreeMap<>();
    for (MetricEntry metric : texts.metrics()) {
      if (Rules.isBroken(
          Rule.METRIC_NOT_MINUS_ZERO,
          Double.doubleToRawLongBits(metric.value()) != Double.doubleToRawLongBits(-0.0))) {
        throw new RuleViolation(
            Rule.METRIC_NOT_MINUS_ZERO, "invalid metric " + metric.name() + ": -0.0; must be 0.0");
      }
      metrics.put(metric.name(), metric.value());
    }
    TreeMap<String, String> provenance = new TreeMap<>();
    texts.provenance().forEach(property -> provenance.put(property.key(), property.value()));
    return new Metadata(
        texts.description(),
        texts.task(),
        texts.license(),
        new TreeSet<>(texts.tags()),
        metrics,
        provenance);
  }

  /**
   * Requires an order of names, because the content that is built of them does not keep it.
   *
   * @param maximum how a name may compare with the next one: −1 if each occurs once, 0 if that is
   *     checked elsewhere
   */
  private static void requireAscending(String what, List<String> names, int maximum) {
    for (int i = 1; i < names.size(); i++) {
      String previous = names.get(i - 1);
      String name = names.get(i);
      if (Rules.isBroken(
          Rule.ASCENDING,
          what,
          Integer.signum(CodePointOrder.compare(previous, name)) <= maximum)) {
        throw new RuleViolation(
            Rule.ASCENDING,
            "%s not ascending: %s before %s; must be in ascending order, each once"
                .formatted(what, previous, name));
      }
    }
  }

  private static void requireCanonical(byte[] actual, byte[] canonical) {
    int offset = Arrays.mismatch(actual, canonical);
    if (Rules.isBroken(Rule.CANONICAL, offset < 0)) {
      throw new RuleViolation(
          Rule.CANONICAL,
          "manifest is not canonical: expected=%2$s actual=%3$s at byte %1$d"
              .formatted(offset, byteAt(canonical, offset), byteAt(actual, offset)));
    }
  }

  private static String byteAt(byte[] bytes, int offset) {
    return offset < bytes.length ? "0x%02x".formatted(bytes[offset]) : "end";
  }
}
