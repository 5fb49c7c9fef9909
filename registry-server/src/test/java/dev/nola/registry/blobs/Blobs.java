package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What the tests do with blobs again and again. */
final class Blobs {

  private Blobs() {}

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static Sha256 publish(BlobStore store, byte[] bytes) throws IOException {
    try (BlobStore.Upload upload = store.begin()) {
      upload.write(bytes, 0, bytes.length);
      return upload.commit();
    }
  }

  static byte[] read(BlobStore store, Sha256 digest) throws IOException {
    BlobStore.Blob blob = store.find(digest).orElseThrow();
    try (InputStream in = blob.open(0, blob.size())) {
      return in.readAllBytes();
    }
  }

  static List<BlobStore.Stored> list(BlobStore store) throws IOException {
    try (Stream<BlobStore.Stored> all = store.list()) {
      return all.toList();
    }
  }

  static Path fileOf(Path root, Sha256 digest) {
    String hex = digest.hex();
    return root.resolve("sha256", hex.substring(0, 2), hex.substring(2, 4), hex);
  }

  static List<Path> filesUnder(Path root) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      return all.filter(Files::isRegularFile).toList();
    }
  }
}
