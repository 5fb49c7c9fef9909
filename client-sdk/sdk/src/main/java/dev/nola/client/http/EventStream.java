package dev.nola.client.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** Reads server-sent events (HTML Living Standard, 9.2) from an answer. */
final class EventStream {
  private static final String DATA = "data:";
  private static final int MAX_EVENT = 1 << 20;

  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private final StringBuilder data = new StringBuilder();
  private final Consumer<String> listener;

  private EventStream(Consumer<String> listener) {
    this.listener = listener;
  }

  /**
   * Reads events until the registry ends the stream.
   *
   * @param silence the longest time without a byte; comments keep a stream alive
   * @param listener receives each event's data, on the calling thread
   * @throws IOException if the stream is cut or silent, or an event has more than 1 MiB
   */
  static void read(Answer answer, Duration silence, Consumer<String> listener)
      throws IOException, InterruptedException {
    EventStream events = new EventStream(listener);
    for (List<ByteBuffer> piece = answer.body().next(silence);
        piece != null;
        piece = answer.body().next(silence)) {
      for (ByteBuffer bytes : piece) {
        events.add(bytes);
      }
    }
  }

  private void add(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      byte next = bytes.get();
      if (next == '\n') {
        endLine();
        continue;
      }
      line.write(next);
      if (line.size() + data.length() > MAX_EVENT) {
        throw new IOException("an event has more than " + MAX_EVENT + " bytes");
      }
    }
  }

  private void endLine() {
    String text = line.toString(StandardCharsets.UTF_8).stripTrailing();
    line.reset();
    if (text.startsWith(DATA)) {
      data.append(text.substring(DATA.length()).strip());
    } else if (text.isEmpty() && !data.isEmpty()) {
      String event = data.toString();
      data.setLength(0);
      listener.accept(event);
    }
  }
}
