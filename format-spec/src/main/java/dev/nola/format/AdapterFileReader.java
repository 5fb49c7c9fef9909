package dev.nola.format;

import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.ManifestDecoder.Content;
import dev.nola.format.ManifestDecoder.Dense;
import dev.nola.format.ManifestDecoder.Group;
import dev.nola.generator.Generator;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads a file from memory. Checks, in this order, header, checksum, manifest structure, generator,
 * limits, the rules of the model, and that the file is the canonical one for its content; SPEC.md
 * section 11 lists every rule.
 */
final class AdapterFileReader {
  /** The smallest layer: a scale and a code byte. */
  private static final int LAYER_BYTES = Float.BYTES + 1;

  private static final ValueLayout.OfInt CHECKSUM =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private AdapterFileReader() {}

  /**
   * Reads a whole file.
   *
   * @param file the file's bytes; dense tensors are slices of it
   * @throws AdapterException if the bytes are refused; the subtype says why
   */
  static AdapterFile read(MemorySegment file) throws AdapterException {
    if (file.byteSize() < Header.BYTES + Header.CHECKSUM_BYTES) {
      throw new CorruptAdapterException(
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
      throw new CorruptAdapterException("manifest refers to bytes outside itself", e);
    }
  }

  private static byte[] bytes(MemorySegment file, long offset, int length) {
    return file.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
  }

  private static void requireChecksum(int stored, int computed) throws CorruptAdapterException {
    if (computed != stored) {
      throw new CorruptAdapterException(
          "checksum failed (damaged in storage or transfer?): expected=%08x actual=%08x"
              .formatted(stored, computed));
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
                        "unknown generator id: %d; this reader knows %s"
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
        "codes section has the wrong length: %d bytes; must match the layers in the manifest"
            .formatted(actual));
  }

  private static List<DenseTensor> denseTensors(
      List<Dense> declared, long start, MemorySegment section) {
    List<DenseTensor> tensors = new ArrayList<>(declared.size());
    long end = start + section.byteSize();
    long position = start;
    for (Dense dense : declared) {
      DType dtype =
          DType.ofCode(dense.dtype())
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "dense tensor %s has an unknown dtype: %d; must be 0 to 2"
                              .formatted(dense.name(), dense.dtype())));
      long length = DenseTensor.byteSize(dense.name(), dtype, dense.shape());
      long aligned = DenseTensor.align(position);
      if (aligned > end || length > end - aligned) {
        throw new IllegalArgumentException(
            "dense section too short: %d bytes; tensor %s needs more"
                .formatted(section.byteSize(), dense.name()));
      }
      for (long i = position; i < aligned; i++) {
        if (section.get(ValueLayout.JAVA_BYTE, i - start) != 0) {
          throw new IllegalArgumentException(
              "padding before dense tensor %s not zero at byte %d".formatted(dense.name(), i));
        }
      }
      tensors.add(
          new DenseTensor(
              dense.name(), dtype, dense.shape(), section.asSlice(aligned - start, length)));
      position = aligned + length;
    }
    if (position != end) {
      throw new IllegalArgumentException(
          "dense section too long: %d bytes; its tensors need %d"
              .formatted(section.byteSize(), position - start));
    }
    return tensors;
  }

  private static void requireCanonical(byte[] actual, byte[] canonical) {
    int offset = Arrays.mismatch(actual, canonical);
    if (offset >= 0) {
      throw new IllegalArgumentException(
          "manifest is not canonical: expected=%2$s actual=%3$s at byte %1$d"
              .formatted(offset, byteAt(canonical, offset), byteAt(actual, offset)));
    }
  }

  private static String byteAt(byte[] bytes, int offset) {
    return offset < bytes.length ? "0x%02x".formatted(bytes[offset]) : "end";
  }
}
