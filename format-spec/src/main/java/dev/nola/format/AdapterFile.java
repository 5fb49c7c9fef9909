package dev.nola.format;

import dev.nola.digest.Sha256;
import dev.nola.files.AtomicFile;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.ManifestDecoder.Content;
import dev.nola.format.ManifestDecoder.Dense;
import dev.nola.format.ManifestDecoder.Group;
import dev.nola.generator.Generator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * A {@code .nola} file: an adapter together with the digest of what it reconstructs to. Reading
 * checks, in this order, header, checksum, manifest structure, generator, limits, the rules of the
 * model, and that the file is the canonical one for its content; SPEC.md section 11 lists it all.
 * Writing is deterministic: equal content gives equal bytes.
 *
 * <p>Reading does not reconstruct: whether the digest holds is for {@code dev.nola.reconstruct} to
 * verify.
 *
 * @param adapter the content
 * @param reconstructionDigest root of the digest tree over all factors and dense tensors (SPEC.md
 *     section 8)
 */
public record AdapterFile(Adapter adapter, Sha256 reconstructionDigest) {
  /** The format version that this class writes, and the only one it reads. */
  public static final String VERSION = "1.0-rc";

  /** The file name extension. */
  public static final String EXTENSION = ".nola";

  /** The media type. */
  public static final String MEDIA_TYPE = "application/vnd.nola.adapter";

  /** Dense tensors start at multiples of this many bytes from the start of the file. */
  public static final int DENSE_ALIGNMENT = 64;

  /** The smallest layer: a scale and a code byte. */
  private static final int LAYER_BYTES = Float.BYTES + 1;

  /**
   * Reads a file. Dense tensors stay memory-mapped for as long as they are reachable, so the file
   * must not be truncated or rewritten in place meanwhile (replacing it by renaming another over it
   * is harmless).
   *
   * @throws AdapterException if the bytes are refused; the subtype says why
   * @throws IOException if the file cannot be read
   */
  public static AdapterFile read(Path path) throws IOException {
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new IOException("not a regular file"); // a pipe would look like an empty file
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return parse(channel.map(MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto()));
    }
  }

  /**
   * Reads a file from memory. The array may be changed afterwards.
   *
   * @throws AdapterException if the bytes are refused; the subtype says why
   */
  public static AdapterFile read(byte[] bytes) throws AdapterException {
    return parse(MemorySegment.ofArray(bytes.clone()));
  }

  /** The file's bytes. */
  public byte[] toBytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      writeTo(Channels.newChannel(out));
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory failed", e);
    }
    return out.toByteArray();
  }

  /**
   * Writes the file beside {@code path}, forces it to disk and renames it: a reader sees the old
   * file, or none, or all of the new one.
   *
   * @throws IOException if it cannot be written; nothing is left behind then
   */
  public void write(Path path) throws IOException {
    AtomicFile.write(path, this::writeTo);
  }

  private void writeTo(WritableByteChannel channel) throws IOException {
    byte[] manifest = ManifestEncoder.encode(adapter, reconstructionDigest);
    if (manifest.length > Limits.MANIFEST_BYTES) {
      throw new LimitExcess(
          "manifest has %d bytes, limit is %d".formatted(manifest.length, Limits.MANIFEST_BYTES));
    }
    long codesBytes = 0;
    for (Layer layer : adapter.layers()) {
      codesBytes += layerBytes(layer);
    }
    if (codesBytes > Limits.CODES_BYTES) {
      throw new LimitExcess(
          "codes section has %d bytes, limit is %d".formatted(codesBytes, Limits.CODES_BYTES));
    }
    long denseStart = Header.BYTES + manifest.length + codesBytes;
    long end = denseStart;
    for (DenseTensor tensor : adapter.dense()) {
      end = align(end) + tensor.data().byteSize();
    }
    Header header = new Header(manifest.length, (int) codesBytes, end - denseStart);

    CheckedOutput out = new CheckedOutput(channel);
    out.put(header.toBytes());
    out.put(manifest);
    for (Layer layer : adapter.layers()) {
      out.put(littleEndian(Float.BYTES).putInt(Float.floatToRawIntBits(layer.scale())).array());
      out.put(layer.coefficients().alpha().toPacked());
      if (layer.coefficients() instanceof LowRank(int _, Codes _, Codes beta)) {
        out.put(beta.toPacked());
      }
    }
    for (DenseTensor tensor : adapter.dense()) {
      out.put(new byte[(int) (align(out.written) - out.written)]);
      out.put(tensor.data());
    }
    out.put(littleEndian(Header.CHECKSUM_BYTES).putInt((int) out.checksum.getValue()).array());
  }

  private static long layerBytes(Layer layer) {
    long bytes = Float.BYTES;
    Codes alpha = layer.coefficients().alpha();
    bytes += Codes.packedLength(alpha.bits(), alpha.count());
    if (layer.coefficients() instanceof LowRank(int _, Codes _, Codes beta)) {
      bytes += Codes.packedLength(beta.bits(), beta.count());
    }
    return bytes;
  }

  private static AdapterFile parse(MemorySegment file) throws AdapterException {
    if (file.byteSize() < Header.BYTES + Header.CHECKSUM_BYTES) {
      throw new CorruptAdapterException(
          "not a .nola file, or cut: expected at least %d bytes, actual=%d"
              .formatted(Header.BYTES + Header.CHECKSUM_BYTES, file.byteSize()));
    }
    byte[] headerBytes = bytes(file, 0, Header.BYTES);
    Header header = Header.parse(headerBytes, file.byteSize());
    // Manifest and codes are copied before they are checked: what was checked is then what is read,
    // even when another
    // process writes to a mapped file.
    byte[] manifest = bytes(file, Header.BYTES, header.manifestBytes());
    long codesStart = Header.BYTES + header.manifestBytes();
    byte[] codes = bytes(file, codesStart, header.codesBytes());
    long denseStart = codesStart + header.codesBytes();
    MemorySegment dense = file.asSlice(denseStart, header.denseBytes());
    requireChecksum(file, headerBytes, manifest, codes, dense);
    try {
      Content content = ManifestDecoder.decode(manifest);
      Adapter adapter = adapter(content, codes, denseStart, dense);
      requireCanonical(manifest, ManifestEncoder.encode(adapter, content.digest()));
      return new AdapterFile(adapter, content.digest());
    } catch (LimitExcess e) {
      throw new LimitExceededException(e.getMessage());
    } catch (IllegalArgumentException e) {
      throw new CorruptAdapterException(e.getMessage(), e);
    } catch (IndexOutOfBoundsException e) {
      throw new CorruptAdapterException("the manifest refers to bytes outside of it", e);
    }
  }

  private static void requireChecksum(
      MemorySegment file, byte[] header, byte[] manifest, byte[] codes, MemorySegment dense)
      throws CorruptAdapterException {
    CRC32C crc = new CRC32C();
    crc.update(header);
    crc.update(manifest);
    crc.update(codes);
    update(crc, dense);
    int actual = (int) crc.getValue();
    int expected =
        file.get(
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
            file.byteSize() - Header.CHECKSUM_BYTES);
    if (actual != expected) {
      throw new CorruptAdapterException(
          "checksum failed (damaged in storage or transfer?): expected=%08x actual=%08x"
              .formatted(expected, actual));
    }
  }

  private static Adapter adapter(
      Content content, byte[] codes, long denseStart, MemorySegment dense)
      throws UnsupportedGeneratorException {
    Generator generator =
        Generator.ofId(content.generator())
            .orElseThrow(
                () ->
                    new UnsupportedGeneratorException(
                        "generator id %d is not known to this reader, which knows %s"
                            .formatted(content.generator(), Arrays.toString(Generator.values()))));
    Adapter.Builder builder =
        Adapter.builder()
            .generator(generator)
            .seed(content.seed())
            .base(content.base())
            .metadata(content.metadata());
    layers(content.groups(), codes, builder);
    denseTensors(content.dense(), denseStart, dense).forEach(builder::dense);
    return builder.build();
  }

  private static void layers(List<Group> groups, byte[] codes, Adapter.Builder builder) {
    ByteBuffer in = ByteBuffer.wrap(codes).order(ByteOrder.LITTLE_ENDIAN);
    for (Group group : groups) {
      if ((long) group.count() * LAYER_BYTES > in.remaining()) {
        throw codesSectionLength(codes.length);
      }
      IndexedName name = IndexedName.of(group.tensor());
      String prefix = name.prefix();
      String suffix = name.suffix();
      for (int i = 0; i < group.count(); i++) {
        if (in.remaining() < Float.BYTES) {
          throw codesSectionLength(codes.length);
        }
        float scale = Float.intBitsToFloat(in.getInt());
        Codes alpha = codes(in, group.aBits(), group.k());
        Coefficients coefficients =
            group.isDirect()
                ? new Direct(alpha)
                : new LowRank(group.rank(), alpha, codes(in, group.bBits(), group.l()));
        builder.layer(
            new Layer(
                i == 0 ? group.tensor() : prefix + (name.index() + i) + suffix,
                group.shape(),
                group.slice(),
                group.rows(),
                group.cols(),
                group.stream() + i * group.streamStep(),
                scale,
                coefficients));
      }
    }
    if (in.hasRemaining()) {
      throw codesSectionLength(codes.length);
    }
  }

  private static Codes codes(ByteBuffer in, int bits, int count) {
    long length = Codes.packedLength(bits, count);
    if (length > in.remaining()) {
      throw codesSectionLength(in.capacity());
    }
    byte[] packed = new byte[(int) length];
    in.get(packed);
    return Codes.adopting(bits, count, packed);
  }

  private static IllegalArgumentException codesSectionLength(int actual) {
    return new IllegalArgumentException(
        "codes section has %d bytes, which is not what the manifest's layers need"
            .formatted(actual));
  }

  private static List<DenseTensor> denseTensors(
      List<Dense> declared, long start, MemorySegment section) {
    List<DenseTensor> tensors = new ArrayList<>(declared.size());
    long end = start + section.byteSize();
    long at = start;
    for (Dense dense : declared) {
      DType dtype =
          DType.ofCode(dense.dtype())
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "dense tensor %s has dtype=%d, must be 0..2"
                              .formatted(dense.name(), dense.dtype())));
      long length = DenseTensor.byteSize(dense.name(), dtype, dense.shape());
      long aligned = align(at);
      if (aligned > end || length > end - aligned) {
        throw new IllegalArgumentException(
            "dense section has %d bytes, too few for tensor %s"
                .formatted(section.byteSize(), dense.name()));
      }
      for (long i = at; i < aligned; i++) {
        if (section.get(ValueLayout.JAVA_BYTE, i - start) != 0) {
          throw new IllegalArgumentException(
              "padding before dense tensor is not zero at byte " + i);
        }
      }
      tensors.add(
          new DenseTensor(
              dense.name(), dtype, dense.shape(), section.asSlice(aligned - start, length)));
      at = aligned + length;
    }
    if (at != end) {
      throw new IllegalArgumentException(
          "dense section has %d bytes, its tensors need %d"
              .formatted(section.byteSize(), at - start));
    }
    return tensors;
  }

  private static void requireCanonical(byte[] actual, byte[] canonical) {
    int at = Arrays.mismatch(actual, canonical);
    if (at >= 0) {
      throw new IllegalArgumentException(
          "manifest is not the canonical one of its content: first difference at byte %d, expected=%s actual=%s"
              .formatted(at, byteAt(canonical, at), byteAt(actual, at)));
    }
  }

  private static String byteAt(byte[] bytes, int at) {
    return at < bytes.length ? "0x%02x".formatted(bytes[at]) : "end";
  }

  private static long align(long position) {
    return (position + DENSE_ALIGNMENT - 1) / DENSE_ALIGNMENT * DENSE_ALIGNMENT;
  }

  private static byte[] bytes(MemorySegment file, long from, int length) {
    return file.asSlice(from, length).toArray(ValueLayout.JAVA_BYTE);
  }

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void update(CRC32C crc, MemorySegment bytes) {
    long chunk = 1 << 30; // a byte buffer cannot be longer than an int says
    for (long at = 0; at < bytes.byteSize(); at += chunk) {
      crc.update(bytes.asSlice(at, Math.min(chunk, bytes.byteSize() - at)).asByteBuffer());
    }
  }

  /** Counts and checksums what goes out. */
  private static final class CheckedOutput {
    private static final int CHUNK = 1 << 20;

    private final WritableByteChannel channel;
    private final CRC32C checksum = new CRC32C();
    private long written;

    CheckedOutput(WritableByteChannel channel) {
      this.channel = channel;
    }

    void put(byte[] bytes) throws IOException {
      put(MemorySegment.ofArray(bytes));
    }

    void put(MemorySegment bytes) throws IOException {
      update(checksum, bytes);
      for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
        ByteBuffer chunk = bytes.asSlice(at, Math.min(CHUNK, bytes.byteSize() - at)).asByteBuffer();
        while (chunk.hasRemaining()) {
          channel.write(chunk);
        }
      }
      written += bytes.byteSize();
    }
  }
}
