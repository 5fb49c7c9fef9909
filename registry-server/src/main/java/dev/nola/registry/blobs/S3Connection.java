package dev.nola.registry.blobs;

import dev.nola.registry.data.StartFailure;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;

/**
 * The SDK's two ways to S3.
 *
 * @param client sends requests
 * @param presigner makes URLs for requests of others
 */
record S3Connection(S3Client client, S3Presigner presigner) implements AutoCloseable {
  private static final int MAX_CONNECTIONS = 500;

  /**
   * Returns a connection, without asking for anything.
   *
   * @param settings with a bucket
   * @param limits of requests
   * @return the connection
   * @throws StartFailure if neither the settings nor the SDK's default chain name a region
   */
  static S3Connection open(S3Settings settings, S3Limits limits) {
    S3ClientBuilder client = client(settings.pathStyle(), limits);
    S3Presigner.Builder presigner =
        S3Presigner.builder()
            .serviceConfiguration(
                S3Configuration.builder().pathStyleAccessEnabled(settings.pathStyle()).build());
    if (settings.endpoint() != null) {
      client.endpointOverride(settings.endpoint());
      presigner.endpointOverride(settings.endpoint());
    }
    if (settings.region() != null || settings.endpoint() != null) {
      Region region = settings.region() == null ? Region.US_EAST_1 : Region.of(settings.region());
      client.region(region);
      presigner.region(region);
    }
    try {
      return new S3Connection(client.build(), presigner.build());
    } catch (SdkClientException e) {
      throw new StartFailure(
          "bucket %s cannot be used: %s".formatted(settings.bucket(), S3Failure.reason(e)),
          "Set nola.blobs.s3.region, or AWS_REGION.",
          e);
    }
  }

  private static S3ClientBuilder client(boolean pathStyle, S3Limits limits) {
    S3Limits.Timeouts timeouts = limits.timeouts();
    return S3Client.builder()
        .forcePathStyle(pathStyle)
        // Checksums are set where they are wanted: many S3-compatible stores refuse the SDK's
        // default, which sends them after the body.
        .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
        .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
        .httpClientBuilder(
            Apache5HttpClient.builder()
                .maxConnections(MAX_CONNECTIONS)
                .connectionTimeout(timeouts.connect())
                .connectionAcquisitionTimeout(timeouts.connect())
                .socketTimeout(timeouts.idle()))
        .overrideConfiguration(
            configuration ->
                configuration
                    .apiCallAttemptTimeout(timeouts.call())
                    .retryStrategy(
                        AwsRetryStrategy.standardRetryStrategy().toBuilder()
                            .maxAttempts(limits.attempts())
                            .backoffStrategy(
                                BackoffStrategy.exponentialDelay(limits.pause(), timeouts.call()))
                            .build()));
  }

  @Override
  public void close() {
    presigner.close();
    client.close();
  }
}
