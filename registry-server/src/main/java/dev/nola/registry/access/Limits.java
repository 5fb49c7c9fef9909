package dev.nola.registry.access;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import dev.nola.api.Scope;
import dev.nola.registry.web.Refusal;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import java.time.Duration;
import org.springframework.stereotype.Component;

/**
 * How much a token, or an address without one, may ask for in a time: token buckets that refill
 * steadily. Each server counts by itself, and forgets when it ends.
 */
@Component
public class Limits {
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration DAY = Duration.ofDays(1);

  /** Beyond it the least used are forgotten, which gives them their full amount again. */
  private static final int TRACKED = 100_000;

  private final LoadingCache<String, Bucket> requests;
  private final LoadingCache<String, Bucket> workerRequests;
  private final LoadingCache<String, Bucket> anonymousRequests;
  private final LoadingCache<String, Bucket> uploads;

  Limits(AccessSettings settings) {
    requests = buckets(settings.requestsPerMinute(), MINUTE);
    workerRequests = buckets(settings.workerRequestsPerMinute(), MINUTE);
    anonymousRequests = buckets(settings.anonymousRequestsPerMinute(), MINUTE);
    uploads = buckets(settings.uploadPerDay().toBytes(), DAY);
  }

  /**
   * Counts a request.
   *
   * @throws Refusal with status 429 if it is one too many
   */
  void countRequest(Caller caller, String address) {
    if (caller.tokenId() == null) {
      take(anonymousRequests.get(address), 1, "too many requests from this address");
    } else {
      LoadingCache<String, Bucket> buckets =
          caller.scopes().contains(Scope.WORKER) ? workerRequests : requests;
      take(buckets.get(caller.tokenId().toString()), 1, "too many requests with this token");
    }
  }

  /**
   * Counts bytes that a token sends, before they are known to be of any use.
   *
   * @throws Refusal with status 429 if they are too many
   */
  public void countUpload(Caller caller, long bytes) {
    take(uploads.get(String.valueOf(caller.tokenId())), bytes, "too many bytes uploaded");
  }

  private static void take(Bucket bucket, long amount, String excess) {
    ConsumptionProbe probe = bucket.tryConsumeAndReturnRemaining(amount);
    if (!probe.isConsumed()) {
      throw Refusal.tooMany(excess, Duration.ofNanos(probe.getNanosToWaitForRefill()));
    }
  }

  private static LoadingCache<String, Bucket> buckets(long amount, Duration time) {
    return Caffeine.newBuilder()
        .maximumSize(TRACKED)
        .expireAfterAccess(time) // full again by then
        .build(
            _ ->
                Bucket.builder()
                    .addLimit(limit -> limit.capacity(amount).refillGreedy(amount, time))
                    .build());
  }
}
