package dev.nola.registry.catalog;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * Limits on what may be published.
 *
 * @param maxFileSize of one file
 * @param uploadTimeout from an upload's first byte to its last
 * @param namespaceQuota of all files of a namespace together
 * @param collectionGrace how old a blob that no version refers to must be before it is deleted
 */
@ConfigurationProperties("nola.catalog")
record CatalogSettings(
    @DefaultValue("64MB") DataSize maxFileSize,
    @DefaultValue("5m") Duration uploadTimeout,
    @DefaultValue("100GB") DataSize namespaceQuota,
    @DefaultValue("24h") Duration collectionGrace) {
  /** Longer than publishing may take once its upload is complete. */
  private static final Duration MIN_GRACE = Duration.ofMinutes(10);

  CatalogSettings {
    if (maxFileSize.toBytes() < 1 || maxFileSize.toBytes() > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "invalid nola.catalog.max-file-size: " + maxFileSize + "; must be 1 byte to 2 GB");
    }
    if (collectionGrace.compareTo(MIN_GRACE) < 0) {
      throw new IllegalArgumentException(
          "invalid nola.catalog.collection-grace: "
              + collectionGrace
              + "; must be at least "
              + MIN_GRACE);
    }
    if (!uploadTimeout.isPositive()) {
      throw new IllegalArgumentException(
          "invalid nola.catalog.upload-timeout: " + uploadTimeout + "; must be positive");
    }
  }
}
