package dev.nola.client.http;

import dev.nola.client.RegistryException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The body of an answer, read piece by piece by one thread. Unlike with the JDK's stream, a read
 * ends when nothing comes for too long, or when its thread is interrupted.
 */
public final class Body implements BodySubscriber<Body>, AutoCloseable {
  private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
  private @Nullable Subscription subscription;
  private boolean closed;

  /** Thrown if the rest of a body does not come: the network's fault. */
  public static final class CutException extends IOException {
    /**
     * Creates the exception.
     *
     * @param message what is missing
     * @param cause the failure of the connection, or null
     */
    public CutException(String message, @Nullable Throwable cause) {
      super(message, cause);
    }

    /** Returns whether the body may go on: nothing came in time. */
    boolean isSilence() {
      return getCause() instanceof HttpTimeoutException;
    }
  }

  /** Bytes that came, or null at the end, with the reason if the end came too early. */
  private record Signal(@Nullable List<ByteBuffer> bytes, @Nullable Throwable failure) {}

  @Override
  public CompletionStage<Body> getBody() {
    return CompletableFuture.completedFuture(this);
  }

  @Override
  public synchronized void onSubscribe(Subscription subscription) {
    this.subscription = subscription;
    if (closed) {
      subscription.cancel();
    } else {
      subscription.request(1);
    }
  }

  @Override
  public void onNext(List<ByteBuffer> bytes) {
    signals.add(new Signal(bytes, null));
  }

  @Override
  public void onError(Throwable failure) {
    signals.add(new Signal(null, failure));
  }

  @Override
  public void onComplete() {
    signals.add(new Signal(null, null));
  }

  /**
   * Returns the next bytes.
   *
   * @param patience how long to wait for them
   * @return the bytes, or null at the end
   * @throws InterruptedException if the thread is interrupted while it waits
   * @throws CutException if none come in time, or the body was cut
   */
  public @Nullable List<ByteBuffer> next(Duration patience)
      throws CutException, InterruptedException {
    Signal signal = signals.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
    if (signal == null) {
      throw new CutException("the response stalled", new HttpTimeoutException("no bytes in time"));
    }
    if (signal.failure != null) {
      throw new CutException("the response was cut off", signal.failure);
    }
    if (signal.bytes != null) {
      requestOne();
    }
    return signal.bytes;
  }

  private synchronized void requestOne() {
    if (subscription != null) {
      subscription.request(1);
    }
  }

  /**
   * Reads the whole body.
   *
   * @param limit the largest number of bytes
   * @param patience from the first byte to the last
   * @return the bytes
   * @throws RegistryException if it has more
   * @throws IOException if it was cut
   * @throws InterruptedException if the thread is interrupted while it waits
   */
  public byte[] readAll(int limit, Duration patience) throws IOException, InterruptedException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    long end = System.nanoTime() + patience.toNanos();
    for (List<ByteBuffer> piece = next(patience);
        piece != null;
        piece = next(Duration.ofNanos(end - System.nanoTime()))) {
      for (ByteBuffer buffer : piece) {
        if (buffer.remaining() > limit - all.size()) {
          throw RegistryException.broken(
              "the registry's response has more than " + limit + " bytes, which is the limit");
        }
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        all.writeBytes(bytes);
      }
    }
    return all.toByteArray();
  }

  /** Gives up the bytes that have not come yet. */
  @Override
  public synchronized void close() {
    closed = true;
    if (subscription != null) {
      subscription.cancel();
    }
  }
}
