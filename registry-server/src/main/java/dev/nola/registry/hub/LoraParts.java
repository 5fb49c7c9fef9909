package dev.nola.registry.hub;

import com.github.benmanes.caffeine.cache.AsyncCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.nola.client.export.peft.PeftWeights;
import dev.nola.digest.Sha256;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.BaseUnits;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.springframework.stereotype.Component;

/**
 * Hands parts of LoRAs to downloads. Those that download a file at the same time share its parts,
 * and what all of them hold together is limited.
 */
@Component
class LoraParts {
  private static final long SHARED_BYTES = 32L << 20;
  private static final int PERMIT_BYTES = 1024;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private static final int LIMIT = permits(Math.max(LoraMaker.MAX_PART, LoraMaker.HEAP_SHARE));

  private final LoraMaker maker;

  /** Parts that were made last. */
  private final AsyncCache<Key, MemorySegment> made =
      Caffeine.newBuilder()
          .maximumWeight(SHARED_BYTES)
          .weigher((Key _, MemorySegment bytes) -> Math.toIntExact(bytes.byteSize()))
          .buildAsync();

  /** Bytes that downloads may hold together while their clients receive them, in units. */
  private final Semaphore held = new Semaphore(LIMIT, true);

  LoraParts(LoraMaker maker, MeterRegistry meters) {
    this.maker = maker;
    Gauge.builder("nola.hub.held", held, free -> heldBytes(free.availablePermits()))
        .description("Memory of parts of LoRAs that clients are receiving")
        .baseUnit(BaseUnits.BYTES)
        .register(meters);
  }

  /** A part of the LoRA of a file. */
  private record Key(Sha256 digest, int part) {}

  /**
   * Returns where the parts of a LoRA begin, and where the last ends.
   *
   * @param source a file whose folder has a LoRA
   * @return offsets in bytes, ascending
   * @throws IOException if the file cannot be read
   */
  long[] offsets(LoraMaker.Source source) throws IOException {
    PeftWeights weights = maker.weights(source);
    List<PeftWeights.Part> parts = weights.parts();
    long[] offsets = new long[parts.size() + 1];
    for (int i = 0; i < parts.size(); i++) {
      offsets[i] = parts.get(i).offset();
    }
    offsets[parts.size()] = weights.bytes();
    return offsets;
  }

  /**
   * Takes a part of a LoRA, which the caller {@linkplain #giveBack gives back}.
   *
   * @param source a file whose folder has a LoRA
   * @param part its number, from 0
   * @return its bytes
   * @throws IOException if the file cannot be read, or clients hold too many parts
   */
  MemorySegment take(LoraMaker.Source source, int part) throws IOException {
    long bytes = maker.weights(source).parts().get(part).bytes();
    acquire(bytes);
    boolean isTaken = false;
    try {
      MemorySegment taken = shared(source, part);
      isTaken = true;
      return taken;
    } finally {
      if (!isTaken) {
        held.release(permits(bytes));
      }
    }
  }

  /**
   * Allows others to hold as many bytes.
   *
   * @param part that was {@linkplain #take taken}
   */
  void giveBack(MemorySegment part) {
    held.release(permits(part.byteSize()));
  }

  private MemorySegment shared(LoraMaker.Source source, int part) throws IOException {
    CompletableFuture<MemorySegment> own = new CompletableFuture<>();
    CompletableFuture<MemorySegment> other =
        made.asMap().putIfAbsent(new Key(source.digest(), part), own);
    if (other != null) {
      try {
        return other.join();
      } catch (CancellationException _) {
        return maker.make(source, part); // the other's account had no turn, say
      }
    }
    try {
      MemorySegment bytes = maker.make(source, part);
      own.complete(bytes);
      return bytes;
    } finally {
      own.cancel(false); // and so leaves the cache, unless it is complete
    }
  }

  private void acquire(long bytes) throws IOException {
    try {
      if (!held.tryAcquire(permits(bytes), PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        throw new IOException("too many slow downloads of large tensors");
      }
    } catch (InterruptedException e) {
      throw LoraMaker.stopping(e);
    }
  }

  private static double heldBytes(int free) {
    return (double) (LIMIT - free) * PERMIT_BYTES;
  }

  private static int permits(long bytes) {
    return Math.toIntExact(Math.ceilDiv(bytes, PERMIT_BYTES));
  }
}
