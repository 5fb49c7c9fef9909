package dev.nola.registry.blobs;

import dev.nola.registry.data.StartFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/**
 * The beans of a copy from the data directory to the bucket of the settings; not those of a server.
 */
@EnableConfigurationProperties(S3Settings.class)
public class BlobCopyConfiguration {
  @Bean
  S3BlobStore bucket(@Value("${nola.data}") String data, S3Settings settings) throws IOException {
    if (settings.bucket() == null) {
      throw new StartFailure(
          "nola.blobs.s3.bucket missing", "Name the bucket to copy to with --set.", null);
    }
    return S3BlobStore.open(
        Bucket.open(settings, S3Limits.DEFAULT), folder(data).resolve("tmp"), Clock.systemUTC());
  }

  @Bean
  BlobCopy blobCopy(@Value("${nola.data}") String data, S3BlobStore bucket) throws IOException {
    return new BlobCopy(DirectoryBlobStore.open(folder(data), Clock.systemUTC()), bucket);
  }

  private static Path folder(String data) {
    Path blobs = Path.of(data).toAbsolutePath().normalize().resolve("blobs");
    if (!Files.isDirectory(blobs.resolve("sha256"))) {
      throw new StartFailure(
          "no blobs in " + blobs, "Name the data directory of the registry with --data.", null);
    }
    return blobs;
  }
}
