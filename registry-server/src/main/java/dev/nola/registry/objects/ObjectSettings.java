package dev.nola.registry.objects;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * Limits on the size of models and datasets.
 *
 * @param maxFileSize of one file that is uploaded
 * @param uploadTimeout from an upload's first byte to its last
 * @param maxFiles of one manifest
 */
@ConfigurationProperties("nola.objects")
record ObjectSettings(
    @DefaultValue("2GB") DataSize maxFileSize,
    @DefaultValue("30m") Duration uploadTimeout,
    @DefaultValue("10000") int maxFiles) {
  ObjectSettings {
    if (maxFileSize.toBytes() < 1) {
      throw new IllegalArgumentException(
          "invalid nola.objects.max-file-size: " + maxFileSize + "; must be positive");
    }
    if (!uploadTimeout.isPositive()) {
      throw new IllegalArgumentException(
          "invalid nola.objects.upload-timeout: " + uploadTimeout + "; must be positive");
    }
    if (maxFiles < 1) {
      throw new IllegalArgumentException(
          "invalid nola.objects.max-files: " + maxFiles + "; must be positive");
    }
  }
}
