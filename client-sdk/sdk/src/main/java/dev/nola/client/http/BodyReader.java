package dev.nola.client.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.nola.api.json.NolaModule;
import dev.nola.client.RegistryException;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.MessageDigest;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.cfg.MapperConfig;
import tools.jackson.databind.introspect.AnnotatedMember;
import tools.jackson.databind.introspect.JacksonAnnotationIntrospector;
import tools.jackson.databind.json.JsonMapper;

/** Reads the bodies of successful answers: JSON, bytes, or files. */
final class BodyReader {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .annotationIntrospector(new CompleteRecords())
          .addModule(new NolaModule())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final int MAX_JSON = 16 << 20;

  private final URI registry;
  private final Timeouts timeouts;

  /**
   * The registry's answers leave out no property, not even one that is null, except those of
   * records that say so.
   */
  private static final class CompleteRecords extends JacksonAnnotationIntrospector {
    @Override
    public Boolean hasRequiredMarker(MapperConfig<?> config, AnnotatedMember member) {
      JsonInclude include = member.getDeclaringClass().getAnnotation(JsonInclude.class);
      return include == null || include.value() != JsonInclude.Include.NON_NULL;
    }
  }

  /**
   * @param timeouts for all of a body in memory, and for each next piece of a file
   */
  BodyReader(URI registry, Timeouts timeouts) {
    this.registry = registry;
    this.timeouts = timeouts;
  }

  /** Reads a body of a limited number of bytes. */
  byte[] bytes(Answer answer, int limit) throws IOException, InterruptedException {
    return answer.body().readAll(limit, timeouts.request());
  }

  /** Reads JSON; a property that is missing or a value after it makes it invalid. */
  <T> T json(Call call, Answer answer, TypeReference<T> type)
      throws IOException, InterruptedException {
    byte[] bytes = bytes(answer, MAX_JSON);
    String why;
    try {
      T value = JSON.readValue(bytes, type);
      if (value != null) {
        return value;
      }
      why = "it is null";
    } catch (JacksonException e) {
      why = RegistryText.printable(e.getOriginalMessage());
    }
    throw RegistryException.broken(
        "unexpected response from %s to %s (is this a Nola registry?): %s"
            .formatted(registry, call, why));
  }

  /**
   * Writes a body into a file, in place of its content.
   *
   * @return the digest of what was written
   * @throws UncheckedIOException if the file cannot be written: the disk's failures are not the
   *     network's, and are not tried again
   */
  Sha256 file(Answer answer, FileChannel file, long limit)
      throws IOException, InterruptedException {
    MessageDigest digest = Sha256.newMessageDigest();
    long size = 0;
    truncate(file); // of what came before the connection was lost
    MinimumRate.Reader body = timeouts.rate().read(answer.body(), timeouts.request());
    for (List<ByteBuffer> piece = body.next(); piece != null; piece = body.next()) {
      for (ByteBuffer bytes : piece) {
        size += bytes.remaining();
        if (size > limit) {
          throw RegistryException.broken(
              "the registry's response has more than %d bytes".formatted(limit));
        }
        digest.update(bytes.duplicate());
        write(file, bytes);
      }
    }
    return Sha256.finish(digest);
  }

  private static void write(FileChannel file, ByteBuffer bytes) {
    try {
      while (bytes.hasRemaining()) {
        file.write(bytes);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void truncate(FileChannel file) {
    try {
      file.truncate(0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
