package dev.nola.registry.blobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryBlobStoreTest extends BlobStoreContract {
  @TempDir private Path root;

  @Override
  StoreFixture create(Path folder) {
    return new StoreFixture.Directory(root);
  }

  @Override
  int rounds() {
    return 200;
  }

  @Test
  void fileIsNamedByItsSha256() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));

    assertThat(root.resolve("sha256", "2c", "f2", digest.hex())).hasContent("hello");
  }

  @Test
  void fileThatBecameTooShortIsNamedAsTheCause() throws IOException {
    Sha256 digest = Blobs.publish(store, Blobs.utf8("hello"));
    BlobStore.Blob blob = store.find(digest).orElseThrow();
    Files.writeString(Blobs.fileOf(root, digest), "hel");

    try (InputStream bytes = blob.open(0, 5)) {
      assertThatIOException().isThrownBy(bytes::readAllBytes).withMessageContaining("too early");
    }
  }

  @Test
  void checkFailsIfBlobsCannotBePublished() throws IOException {
    Files.delete(root.resolve("sha256"));

    assertThatIOException().isThrownBy(store::check);
    assertThat(Blobs.filesUnder(root)).isEmpty();
  }
}
