package dev.nola.registry.blobs;

import dev.nola.digest.Sha256;
import dev.nola.registry.data.DataDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Set;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(S3Settings.class)
class BlobConfiguration {
  private static final int MAX_NAMED = 10;

  @Bean
  BlobStore blobStore(DataDirectory data, S3Settings s3, Clock clock) throws IOException {
    Path folder = data.resolve("blobs");
    return s3.bucket() == null
        ? DirectoryBlobStore.open(folder, clock)
        : S3BlobStore.open(Bucket.open(s3, S3Limits.DEFAULT), folder.resolve("tmp"), clock);
  }

  /** Part of readiness, under the name {@code blobs}. */
  @Bean
  HealthIndicator blobsHealthIndicator(BlobStore blobs, BlobReader reader) {
    return () -> {
      try {
        blobs.check();
        // Still ready: all other blobs can be read and written.
        Set<Sha256> damaged = reader.damaged();
        return Health.up()
            .withDetail("damaged", damaged.size())
            .withDetail(
                "examples", damaged.stream().limit(MAX_NAMED).map(Sha256::toString).toList())
            .build();
      } catch (IOException e) {
        return Health.down(e).build();
      }
    };
  }
}
