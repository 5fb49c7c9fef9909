package dev.nola.client.http;

import dev.nola.api.json.NolaModule;
import dev.nola.client.Progress;
import java.io.FileNotFoundException;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import tools.jackson.databind.json.JsonMapper;

/**
 * The body of a request, which can be sent more than once.
 *
 * @param type the media type
 * @param body the bytes
 * @param progress receives the number of bytes sent
 */
public record Content(String type, BodyPublisher body, Progress progress) {
  private static final JsonMapper JSON = NolaModule.mapper();

  /**
   * Creates a body of bytes.
   *
   * @param type the media type
   * @param bytes the body
   * @param progress receives the number of bytes sent
   * @return the body
   */
  public static Content bytes(String type, byte[] bytes, Progress progress) {
    return new Content(type, BodyPublishers.ofByteArray(bytes), progress);
  }

  /**
   * Creates a JSON body.
   *
   * @param body the record to serialize
   * @return the body
   */
  public static Content json(Object body) {
    return bytes("application/json", JSON.writeValueAsBytes(body), Progress.NONE);
  }

  /**
   * Creates a body from a file, which is not read into memory.
   *
   * @param type the media type
   * @param file the file
   * @return the body
   * @throws FileNotFoundException if it does not exist
   */
  public static Content file(String type, Path file) throws FileNotFoundException {
    return file(type, file, Progress.NONE);
  }

  /**
   * Creates a body from a file, which is not read into memory.
   *
   * @param type the media type
   * @param file the file
   * @param progress receives the number of bytes sent
   * @return the body
   * @throws FileNotFoundException if it does not exist
   */
  public static Content file(String type, Path file, Progress progress)
      throws FileNotFoundException {
    return new Content(type, BodyPublishers.ofFile(file), progress);
  }

  /** Returns the body, which reports its progress while it is sent. */
  BodyPublisher publisher() {
    return progress == Progress.NONE
        ? body
        : BodyPublishers.fromPublisher(
            subscriber -> body.subscribe(counting(subscriber)), body.contentLength());
  }

  private Subscriber<ByteBuffer> counting(Subscriber<? super ByteBuffer> subscriber) {
    return new Subscriber<>() {
      private long done;

      @Override
      public void onSubscribe(Subscription subscription) {
        subscriber.onSubscribe(subscription);
      }

      @Override
      public void onNext(ByteBuffer bytes) {
        done += bytes.remaining();
        subscriber.onNext(bytes);
        progress.at(done, body.contentLength());
      }

      @Override
      public void onError(Throwable failure) {
        subscriber.onError(failure);
      }

      @Override
      public void onComplete() {
        subscriber.onComplete();
      }
    };
  }
}
