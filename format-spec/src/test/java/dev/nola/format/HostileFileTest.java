package dev.nola.format;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.nola.digest.Sha256;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.generator.Generator;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Files of about a megabyte that are as costly to read as their size allows. */
class HostileFileTest {
  private static final long MAX_ALLOCATED = 64 << 20;

  static Stream<Arguments> hostileFiles() {
    return Stream.of(
            Map.entry("most layers, longest names", mostLayers()),
            Map.entry("a group for every layer", mostGroups()),
            Map.entry("groups of ever other fields", mostVtables()),
            Map.entry("metadata", mostMetadata()),
            Map.entry("every offset leads to one group", sharedGroup()),
            Map.entry("random manifest", randomManifest()))
        .map(entry -> Arguments.of(Named.of(entry.getKey(), entry.getValue())));
  }

  @ParameterizedTest
  @MethodSource("hostileFiles")
  void readingAllocatesWithinItsBound(byte[] file) {
    assertThat(file.length).isBetween(500_000, 1 << 20);
    read(file); // class loading and compilation are not the file's doing
    ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long allocated = thread.getCurrentThreadAllocatedBytes();
    read(file);
    assertThat(thread.getCurrentThreadAllocatedBytes() - allocated).isLessThan(MAX_ALLOCATED);
  }

  static void read(byte[] file) {
    try {
      AdapterFile.read(file);
    } catch (AdapterException refused) {
      assertThat(refused.getMessage()).isNotBlank();
    }
  }

  private static byte[] mostLayers() {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.RADEMACHER);
    String padding = "x".repeat(249);
    for (int i = 0; i < Limits.LAYERS; i++) {
      adapter.layer(layer(i + "." + padding, i, 4, 4));
    }
    return padded(adapter);
  }

  private static byte[] mostGroups() {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.RADEMACHER);
    for (int i = 0; i < 11_000; i++) {
      adapter.layer(layer("w" + i, i, 4, 4));
    }
    return padded(adapter);
  }

  private static byte[] mostVtables() {
    Random random = new Random(1);
    Adapter.Builder adapter = Adapter.builder().generator(Generator.RADEMACHER);
    for (int i = 0; i < 8_000; i++) {
      boolean sliced = random.nextBoolean();
      Codes alpha = codes(1 + random.nextInt(6), 1 + random.nextInt(3));
      Codes beta = codes(1 + random.nextInt(6), 1 + random.nextInt(3));
      int cols = 4 + random.nextInt(2);
      adapter.layer(
          new Layer(
              "w" + i,
              sliced ? List.of(4, 9) : List.of(4, cols),
              sliced ? new Slice(1, 0, cols) : null,
              4,
              cols,
              random.nextInt(3) * 7,
              1,
              random.nextBoolean() ? new Coefficients.Direct(alpha) : new LowRank(1, alpha, beta)));
    }
    return padded(adapter);
  }

  private static byte[] mostMetadata() {
    TreeMap<String, Double> metrics = new TreeMap<>();
    TreeMap<String, String> provenance = new TreeMap<>();
    String[] tags = new String[Limits.METADATA_ENTRIES];
    for (int i = 0; i < Limits.METADATA_ENTRIES; i++) {
      metrics.put("metric" + i, i + 0.5);
      provenance.put("key" + i, "v".repeat(120));
      tags[i] = "tag" + i;
    }
    return padded(
        Adapter.builder()
            .generator(Generator.SRHT)
            .layer(layer("w", 0, 4, 4))
            .metadata(
                Metadata.of("", "", "")
                    .withTags(tags)
                    .withMetrics(metrics)
                    .withProvenance(provenance)));
  }

  /** A vector whose 100,000 elements are one and the same group. */
  private static byte[] sharedGroup() {
    byte[] small = padded(Adapter.builder().generator(Generator.SRHT).layer(layer("w", 0, 4, 4)));
    ByteBuffer in = ByteBuffer.wrap(small).order(ByteOrder.LITTLE_ENDIAN);
    int manifestLength = in.getInt(12);
    int root = 32 + in.getInt(32);
    int vtable = root - in.getInt(root);
    int layers = root + in.getShort(vtable + 6);
    int vector = layers + in.getInt(layers);
    int group = vector + 4 + in.getInt(vector + 4);
    int count = 100_000;
    int tail = 4 + 4 * count;
    ByteBuffer out = ByteBuffer.allocate(small.length + tail).order(ByteOrder.LITTLE_ENDIAN);
    out.put(small, 0, 32 + manifestLength);
    int offset = out.position();
    out.putInt(count);
    for (int i = 0; i < count; i++) {
      out.putInt(group - out.position());
    }
    out.put(small, 32 + manifestLength, small.length - 32 - manifestLength);
    out.putInt(12, manifestLength + tail).putInt(layers, offset - layers);
    return checksummed(out.array());
  }

  private static byte[] randomManifest() {
    byte[] manifest = new byte[1_000_000];
    new Random(2).nextBytes(manifest);
    ByteBuffer out = ByteBuffer.allocate(manifest.length + 36).order(ByteOrder.LITTLE_ENDIAN);
    out.put(new Header(manifest.length, 0, 0).toBytes()).put(manifest);
    out.putInt(32, 64);
    return checksummed(out.array());
  }

  private static Layer layer(String name, int stream, int rows, int cols) {
    return Layer.ofMatrix(name, rows, cols, stream, 1, new LowRank(1, codes(1, 1), codes(1, 1)));
  }

  private static Codes codes(int bits, int count) {
    return Codes.of(bits, new int[count]);
  }

  /** The adapter's file, made a legal half megabyte at least by a dense tensor. */
  private static byte[] padded(Adapter.Builder adapter) {
    Sha256 digest = Sha256.hash(new byte[0]);
    int length = new AdapterFile(adapter.build(), digest).toBytes().length;
    if (length < 600_000) {
      byte[] data = new byte[600_000 - length];
      adapter.dense(
          new DenseTensor(
              "dense",
              DType.F16,
              List.of(data.length / 2),
              MemorySegment.ofArray(data).asSlice(0, data.length / 2 * 2)));
    }
    return new AdapterFile(adapter.build(), digest).toBytes();
  }

  private static byte[] checksummed(byte[] file) {
    CRC32C crc = new CRC32C();
    crc.update(file, 0, file.length - 4);
    ByteBuffer.wrap(file)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(file.length - 4, (int) crc.getValue());
    return file;
  }
}
