package dev.nola.registry.blobs;

import dev.nola.registry.web.StorageUnavailable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;

/** Says which request to S3 failed, and why. */
final class S3Failure extends StorageUnavailable {
  /** The start of messages that go on with all that the SDK has tried. */
  private static final Pattern MISSING =
      Pattern.compile("Unable to load (credentials|region) from any");

  private final String brief;

  private S3Failure(String message, String brief, Throwable cause) {
    super(message, cause);
    this.brief = brief;
  }

  /**
   * Returns the failure of a request after all attempts.
   *
   * @param request in words, a verb first, such as {@code read sha256/…}
   * @param bucket that it was about
   * @param cause as the SDK reports it
   * @return the failure, to be thrown
   */
  static S3Failure of(String request, String bucket, SdkException cause) {
    String verb = request.substring(0, request.indexOf(' '));
    String reason = reason(cause);
    return new S3Failure(
        "cannot %s in bucket %s: %s".formatted(request, bucket, reason),
        "cannot %s: %s".formatted(verb, reason),
        cause);
  }

  /**
   * Returns the failure of an answer that was cut after its beginning.
   *
   * @param offset in the blob of the first byte that is missing
   * @param cause as the connection or the SDK reports it
   * @return the failure, to be thrown
   */
  static S3Failure ofAnswer(long offset, Exception cause) {
    return new S3Failure(
        "cannot read from S3 at %d: %s".formatted(offset, cause.getMessage()),
        "cannot read: " + cause.getMessage(),
        cause);
  }

  /**
   * Returns the message without bucket and object.
   *
   * @return what failed, and why
   */
  String brief() {
    return brief;
  }

  /**
   * Returns why a request failed.
   *
   * @param cause as the SDK reports it
   * @return the reason in one line
   */
  static String reason(SdkException cause) {
    if (cause instanceof AwsServiceException answer) {
      String code = answer.awsErrorDetails() == null ? "" : answer.awsErrorDetails().errorCode();
      return "S3 answered with status %d %s (request %s)"
          .formatted(answer.statusCode(), code, answer.requestId());
    }
    String message = String.valueOf(cause.getMessage());
    Matcher missing = MISSING.matcher(message);
    return missing.lookingAt()
        ? "no %s found by the default chain of AWS's SDK".formatted(missing.group(1))
        : message;
  }
}
