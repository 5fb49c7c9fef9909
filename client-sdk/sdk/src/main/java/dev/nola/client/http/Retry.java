package dev.nola.client.http;

import dev.failsafe.ExecutionContext;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeException;
import dev.failsafe.RetryPolicy;
import dev.failsafe.function.CheckedPredicate;
import dev.nola.client.RegistryException;
import dev.nola.client.http.Body.CutException;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * Repeats what failed for a reason that passes, after a pause that doubles each time, or after the
 * one that the registry asks for.
 */
public final class Retry {
  /** The default number of attempts after the first. */
  public static final int STANDARD_RETRIES = 3;

  /** The longest pause that a registry may request by default. */
  public static final Duration STANDARD_PAUSE = Duration.ofSeconds(30);

  /** Retries and pauses by default. */
  public static final Retry STANDARD =
      new Retry(STANDARD_RETRIES, STANDARD_PAUSE, UnaryOperator.identity());

  private static final int TOO_MANY_REQUESTS = 429;
  private static final Set<Integer> PASSING = Set.of(TOO_MANY_REQUESTS, 502, 503, 504);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(250);
  private static final int MAX_DOUBLINGS = 10;

  private final int retries;
  private final Duration longestPause;
  private final UnaryOperator<Duration> pause;
  private final RetryPolicy<Object> repeatable;
  private final RetryPolicy<Object> unrepeatable;
  private final RetryPolicy<Object> resumable;

  /** A try at something. */
  @FunctionalInterface
  public interface Attempt<T> {
    /**
     * Makes the attempt.
     *
     * @return the result
     * @throws IOException if it fails
     * @throws InterruptedException if the thread is interrupted
     */
    T run() throws IOException, InterruptedException;
  }

  /**
   * Creates the rule.
   *
   * @param retries attempts after the first
   * @param longestPause the longest pause that a registry may ask for; if it asks for more, its
   *     refusal is thrown at once
   * @param pause takes each pause and returns the time to wait; tests shorten it
   */
  public Retry(int retries, Duration longestPause, UnaryOperator<Duration> pause) {
    this.retries = retries;
    this.longestPause = longestPause;
    this.pause = pause;
    this.repeatable = policy(failure -> passes(failure) || isNetwork(failure));
    this.unrepeatable = policy(failure -> passes(failure) && wasNotExamined(failure));
    this.resumable = policy(CutException.class::isInstance);
  }

  private RetryPolicy<Object> policy(CheckedPredicate<Throwable> handled) {
    return RetryPolicy.builder()
        .handleIf(handled)
        .withMaxRetries(retries)
        .withDelayFn(this::delay)
        .build();
  }

  /**
   * Sends a request, again if that is safe.
   *
   * @param isRepeatable whether sending it twice has the same effect as sending it once
   * @param attempt sends the request and reads the answer
   * @return the result of the first attempt that succeeded
   * @throws IOException the failure of the last attempt
   * @throws InterruptedException if the thread is interrupted
   */
  <T> T send(boolean isRepeatable, Attempt<T> attempt) throws IOException, InterruptedException {
    return run(isRepeatable ? repeatable : unrepeatable, attempt);
  }

  /**
   * Reads a body, and again if it was cut; other failures are thrown at once.
   *
   * @param attempt reads what is missing of the body
   * @return the result of the first attempt that succeeded
   * @throws IOException the failure of the last attempt
   * @throws InterruptedException if the thread is interrupted
   */
  <T> T resume(Attempt<T> attempt) throws IOException, InterruptedException {
    return run(resumable, attempt);
  }

  /**
   * Reads a state again and again until it is final.
   *
   * @param isFinal whether a state needs no further attempt
   * @param pause between attempts
   * @param limit of all attempts together
   * @param attempt reads the state
   * @return the final state, or the last one within the limit
   * @throws IOException the first failure of an attempt
   * @throws InterruptedException if the thread is interrupted
   */
  public static <T> T await(
      Predicate<T> isFinal, Duration pause, Duration limit, Attempt<T> attempt)
      throws IOException, InterruptedException {
    return run(
        RetryPolicy.<T>builder()
            .handleIf((Throwable _) -> false)
            .handleResultIf(state -> !isFinal.test(state))
            .withMaxRetries(-1)
            .withDelay(pause)
            .withMaxDuration(limit)
            .build(),
        attempt);
  }

  private static <T> T run(RetryPolicy<? super T> policy, Attempt<T> attempt)
      throws IOException, InterruptedException {
    try {
      return Failsafe.with(policy).get(attempt::run);
    } catch (FailsafeException e) {
      switch (e.getCause()) {
        case IOException failure -> throw failure;
        case InterruptedException interrupted -> {
          Thread.interrupted(); // Failsafe has set it again, and the exception says it
          throw interrupted;
        }
        default -> throw e;
      }
    }
  }

  private boolean passes(Throwable failure) {
    return failure instanceof RegistryException refusal
        && PASSING.contains(refusal.status())
        && (refusal.retryAfter() == null || refusal.retryAfter().compareTo(longestPause) <= 0);
  }

  private static boolean wasNotExamined(Throwable failure) {
    return failure instanceof RegistryException refusal && refusal.status() == TOO_MANY_REQUESTS;
  }

  private static boolean isNetwork(Throwable failure) {
    return failure instanceof IOException
        && !(failure instanceof RegistryException || failure instanceof CredentialsException);
  }

  private Duration delay(ExecutionContext<Object> context) {
    if (context.getAttemptCount() > retries) {
      return Duration.ZERO; // there is no other attempt
    }
    return pause.apply(
        context.getLastException() instanceof RegistryException refusal
                && refusal.retryAfter() != null
            ? refusal.retryAfter()
            : backoff(context.getAttemptCount() - 1));
  }

  /** Twice as long each time, and by chance up to half of it shorter, so that clients spread. */
  private Duration backoff(int failures) {
    long longest =
        Math.min(
            FIRST_PAUSE.toMillis() << Math.min(failures, MAX_DOUBLINGS), longestPause.toMillis());
    return Duration.ofMillis(ThreadLocalRandom.current().nextLong(longest / 2, longest + 1));
  }
}
