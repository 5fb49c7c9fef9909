package dev.nola.registry.blobs;

import dev.nola.registry.data.DataDirectory;
import java.io.IOException;
import java.time.Clock;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@Configuration(proxyBeanMethods = false)
class BlobConfiguration {
  @Bean
  BlobStore blobStore(DataDirectory data, Clock clock) throws IOException {
    return DirectoryBlobStore.open(data.resolve("blobs"), clock);
  }

  /** Part of readiness, under the name {@code blobs}. */
  @Bean
  HealthIndicator blobsHealthIndicator(BlobStore blobs) {
    return () -> {
      try {
        blobs.check();
        return Health.up().build();
      } catch (IOException e) {
        return Health.down(e).build();
      }
    };
  }
}
