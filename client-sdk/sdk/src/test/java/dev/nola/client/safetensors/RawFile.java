package dev.nola.client.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A safetensors file byte by byte, so that it can break every rule. */
final class RawFile {
  private RawFile() {}

  static Path write(Path path, String header, int dataBytes) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return write(path, json.length, json, dataBytes);
  }

  static Path write(Path path, long declared, byte[] header, int dataBytes) throws IOException {
    byte[] file =
        ByteBuffer.allocate(Long.BYTES + header.length + dataBytes)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(declared)
            .put(header)
            .array();
    return Files.write(path, file);
  }
}
