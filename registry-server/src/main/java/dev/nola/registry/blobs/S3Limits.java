package dev.nola.registry.blobs;

import java.time.Duration;

/**
 * How much is sent to S3 in one request, how long its answer may take, and how often a request is
 * sent that fails by a cause which may be temporary.
 *
 * @param part most bytes that one request sends; larger objects are sent in parts
 * @param copy most bytes that one request has S3 copy
 * @param timeouts of an attempt
 * @param attempts of a request, the first included
 * @param pause longest pause after the first attempt; doubled after each further one
 */
record S3Limits(long part, long copy, Timeouts timeouts, int attempts, Duration pause) {
  /** S3's maximum number of parts of an object. */
  private static final int MAX_PARTS = 10_000;

  /**
   * Fits slow lines: 16 MiB in two minutes are 140 kB/s. A gibibyte is copied within S3 in far less
   * than two minutes.
   */
  static final S3Limits DEFAULT =
      new S3Limits(
          16 << 20,
          1 << 30,
          new Timeouts(
              Duration.ofSeconds(5),
              Duration.ofSeconds(20),
              Duration.ofSeconds(15),
              Duration.ofMinutes(2)),
          4,
          Duration.ofMillis(100));

  /**
   * How long an attempt may take.
   *
   * @param connect longest time to open a connection, or to wait for one of the pool
   * @param idle longest pause between two packets
   * @param call longest time of an attempt of a request without a body, until its answer begins
   * @param transfer longest time of an attempt that sends a part, or has S3 copy or join some
   */
  record Timeouts(Duration connect, Duration idle, Duration call, Duration transfer) {}

  /**
   * Returns the same limits for requests that are sent once.
   *
   * @return limits with one attempt
   */
  S3Limits once() {
    return new S3Limits(part, copy, timeouts, 1, pause);
  }

  /**
   * Returns the size of the parts in which an object is sent.
   *
   * @param size of the object in bytes
   * @return size of all parts but the last, in bytes
   */
  long partOf(long size) {
    return Math.max(part, Math.ceilDiv(size, MAX_PARTS));
  }
}
