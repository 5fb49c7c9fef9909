package dev.nola.registry.access;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import dev.nola.api.Scope;
import dev.nola.registry.web.Refusal;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Duration;
import org.springframework.stereotype.Component;

/**
 * Limits the requests and uploaded bytes of each account, whatever the number of its tokens, and
 * the requests of each address without a valid token: token buckets that refill steadily. Each
 * server counts on its own, from its start.
 */
@Component
public class Limits {
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration DAY = Duration.ofDays(1);

  /** Beyond it the least used are forgotten, which resets them to their full amount. */
  private static final int TRACKED = 100_000;

  private final ClientAddresses addresses;
  private final LoadingCache<String, Bucket> requests;
  private final LoadingCache<String, Bucket> workerRequests;
  private final LoadingCache<String, Bucket> anonymousRequests;
  private final LoadingCache<String, Bucket> uploads;

  Limits(AccessSettings settings, ClientAddresses addresses) {
    this.addresses = addresses;
    requests = buckets(settings.requestsPerMinute(), MINUTE);
    workerRequests = buckets(settings.workerRequestsPerMinute(), MINUTE);
    anonymousRequests = buckets(settings.anonymousRequestsPerMinute(), MINUTE);
    uploads = buckets(settings.uploadPerDay().toBytes(), DAY);
  }

  /**
   * Counts a request with a valid token.
   *
   * @param caller that sends it
   * @throws Refusal with status 429 if it exceeds the limit
   */
  void countRequest(Caller caller) {
    LoadingCache<String, Bucket> buckets =
        caller.scopes().contains(Scope.WORKER) ? workerRequests : requests;
    take(buckets.get(caller.account()), 1, "too many requests of this account");
  }

  /**
   * Counts a request without a valid token, for the address from which it comes.
   *
   * @param request to count
   * @throws Refusal with status 429 if it exceeds the limit
   */
  public void countAnonymous(HttpServletRequest request) {
    take(anonymousRequests.get(addresses.find(request)), 1, "too many requests from this address");
  }

  /**
   * Counts received bytes, before they are known to be valid.
   *
   * @param caller that sends them
   * @param bytes their number
   * @throws Refusal with status 429 if they exceed the limit
   */
  public void countUpload(Caller caller, long bytes) {
    take(uploads.get(caller.account()), bytes, "too many bytes uploaded");
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
