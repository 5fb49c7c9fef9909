package dev.nola.registry.blobs;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.URI;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class S3SettingsTest {
  private static void assertRefused(ThrowingCallable settings, String message) {
    assertThatIllegalArgumentException().isThrownBy(settings).withMessageContaining(message);
  }

  @Test
  void settingsOfABucketWithoutItAreRefused() {
    String message = "nola.blobs.s3.bucket missing";
    URI endpoint = URI.create("https://minio.example:9000");
    assertRefused(() -> new S3Settings(null, endpoint, null, "", false, null), message);
    assertRefused(() -> new S3Settings(null, null, "eu-central-1", "", false, null), message);
    assertRefused(() -> new S3Settings(null, null, null, "nola/", false, null), message);
    assertRefused(() -> new S3Settings(null, null, null, "", true, null), message);
    assertRefused(
        () -> new S3Settings(null, null, null, "", false, Duration.ofMinutes(1)), message);
    assertRefused(
        () -> new S3Settings(" ", null, null, "", false, null), "invalid nola.blobs.s3.bucket");
  }

  @ParameterizedTest
  @ValueSource(strings = {"minio.example", "ftp://minio.example", "https://minio.example/bucket"})
  void endpointThatIsNotAServerIsRefused(String endpoint) {
    assertRefused(
        () -> new S3Settings("b", URI.create(endpoint), null, "", false, null),
        "invalid nola.blobs.s3.endpoint: " + endpoint);
  }

  @Test
  void prefixThatCannotBeginAKeyIsRefused() {
    for (String prefix : new String[] {"/nola", "n".repeat(513)}) {
      assertRefused(
          () -> new S3Settings("b", null, null, prefix, false, null),
          "invalid nola.blobs.s3.prefix: " + prefix);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"PT0S", "PT-1S", "PT1H0.001S"})
  void validityThatIsEmptyOrLongIsRefused(String presigned) {
    assertRefused(
        () -> new S3Settings("b", null, null, "", false, Duration.parse(presigned)),
        "invalid nola.blobs.s3.presigned: " + presigned);
  }
}
