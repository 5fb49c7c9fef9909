package dev.nola.registry.blobs;

import java.io.IOException;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;

/** Says which request to S3 failed, and why. */
final class S3Failure extends IOException {
  private S3Failure(String message, Throwable cause) {
    super(message, cause);
  }

  /**
   * Returns the failure of a request after all attempts.
   *
   * @param request in words, such as {@code read sha256/…}
   * @param bucket that it was about
   * @param cause as the SDK reports it
   * @return the failure, to be thrown
   */
  static S3Failure of(String request, String bucket, SdkException cause) {
    return new S3Failure(
        "cannot %s in bucket %s: %s".formatted(request, bucket, reason(cause)), cause);
  }

  private static String reason(SdkException cause) {
    if (cause instanceof AwsServiceException answer) {
      String code = answer.awsErrorDetails() == null ? "" : answer.awsErrorDetails().errorCode();
      return "S3 answered with status %d %s (request %s)"
          .formatted(answer.statusCode(), code, answer.requestId());
    }
    return String.valueOf(cause.getMessage());
  }
}
