package dev.nola.format;

import dev.nola.format.Coefficients.LowRank;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;

/**
 * Writes a file: header, manifest, codes section, dense section, checksum (SPEC.md section 2). All
 * lengths are known before the first byte is written, so the channel need not be seekable.
 */
final class AdapterFileWriter {
  private static final int CHUNK = 1 << 20;

  private final WritableByteChannel channel;
  private final Checksum checksum = new Checksum();
  private long written;

  AdapterFileWriter(WritableByteChannel channel) {
    this.channel = channel;
  }

  /**
   * Writes one file; a writer writes only one.
   *
   * @throws IOException if the channel refuses the bytes
   * @throws IllegalArgumentException if the manifest or the codes section exceeds its limit;
   *     nothing is written then
   */
  void write(AdapterFile file) throws IOException {
    Adapter adapter = file.adapter();
    byte[] manifest = ManifestEncoder.encode(adapter, file.reconstructionDigest());
    put(header(adapter, manifest.length).toBytes());
    put(manifest);
    for (Layer layer : adapter.layers()) {
      putInt(Float.floatToRawIntBits(layer.scale()));
      put(layer.coefficients().alpha().toPacked());
      if (layer.coefficients() instanceof LowRank(int _, Codes _, Codes beta)) {
        put(beta.toPacked());
      }
    }
    for (DenseTensor tensor : adapter.dense()) {
      put(new byte[(int) (DenseTensor.align(written) - written)]);
      put(tensor.data());
    }
    putInt(checksum.value());
  }

  private static Header header(Adapter adapter, int manifestBytes) {
    Header.requireWithin("manifest", manifestBytes, Limits.MANIFEST_BYTES);
    long codesBytes = 0;
    for (Layer layer : adapter.layers()) {
      codesBytes += codesBytes(layer);
    }
    Header.requireWithin("codes section", codesBytes, Limits.CODES_BYTES);
    long denseStart = Header.BYTES + manifestBytes + codesBytes;
    long end = denseStart;
    for (DenseTensor tensor : adapter.dense()) {
      end = DenseTensor.align(end) + tensor.data().byteSize();
    }
    return new Header(manifestBytes, (int) codesBytes, end - denseStart);
  }

  private static long codesBytes(Layer layer) {
    long bytes = Float.BYTES;
    Codes alpha = layer.coefficients().alpha();
    bytes += Codes.packedLength(alpha.bits(), alpha.count());
    if (layer.coefficients() instanceof LowRank(int _, Codes _, Codes beta)) {
      bytes += Codes.packedLength(beta.bits(), beta.count());
    }
    return bytes;
  }

  private void putInt(int value) throws IOException {
    put(ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
  }

  private void put(byte[] bytes) throws IOException {
    put(MemorySegment.ofArray(bytes));
  }

  private void put(MemorySegment bytes) throws IOException {
    checksum.update(bytes);
    for (long offset = 0; offset < bytes.byteSize(); offset += CHUNK) {
      long length = Math.min(CHUNK, bytes.byteSize() - offset);
      ByteBuffer chunk = bytes.asSlice(offset, length).asByteBuffer();
      while (chunk.hasRemaining()) {
        channel.write(chunk);
      }
    }
    written += bytes.byteSize();
  }
}
