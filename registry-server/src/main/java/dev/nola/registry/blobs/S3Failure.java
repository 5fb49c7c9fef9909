package dev.nola.registry.blobs;

import dev.nola.registry.web.StorageUnavailable;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;

/** Says which request to S3 failed, and why. */
final class S3Failure extends StorageUnavailable {
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

  /**
   * Returns the failure of an answer that was cut after its beginning, or has other bytes than S3
   * has a checksum of.
   *
   * @param offset in the blob of the first byte that is missing
   * @param cause as the connection or the SDK reports it
   * @return the failure, to be thrown
   */
  static S3Failure ofAnswer(long offset, Exception cause) {
    return new S3Failure(
        "cannot read from S3 at %d: %s".formatted(offset, cause.getMessage()), cause);
  }

  private static String reason(SdkException cause) {
    if (cause instanceof AwsServiceException answer) {
      String code = answer.awsErrorDetails() == null ? "" : answer.awsErrorDetails().errorCode();
      return "S3 answered with status %d %s (request %s)"
          .formatted(answer.statusCode(), code, answer.requestId());
    }
    String message = String.valueOf(cause.getMessage());
    return message.startsWith("Unable to load credentials")
        ? "no credentials found by the default chain of AWS's SDK" // which the message has in full
        : message;
  }
}
