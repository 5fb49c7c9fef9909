package dev.nola.registry.hub;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.RoundedFactors;
import dev.nola.client.export.peft.AdapterCard;
import dev.nola.client.export.peft.PeftFolder;
import dev.nola.client.export.peft.PeftWeights;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import dev.nola.registry.catalog.AdapterExaminer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.security.MessageDigest;
import java.util.function.Function;
import org.springframework.stereotype.Component;

/**
 * Makes LoRAs of adapters: once to learn digest and rounding error, and then part by part, as they
 * are read. Each part takes a turn of the examiner, so that downloads and publications share the
 * processors. The files read last stay in memory, up to a limit, so that a download whose client
 * takes its time holds none.
 */
@Component
class LoraMaker {
  /** The type of the factors: all that loads LoRAs computes with it. */
  private static final DType DTYPE = DType.F16;

  /** Largest part of a LoRA in bytes, since parts are made in memory. */
  static final int MAX_PART = 64 << 20;

  /** Bytes of the heap that files, and what clients receive, may take each. */
  static final long HEAP_SHARE = Runtime.getRuntime().maxMemory() / 8;

  /** What the objects of a layer take, about. */
  private static final int LAYER_BYTES = 2048;

  private static final SegmentAllocator HEAP =
      (bytes, _) -> MemorySegment.ofArray(new byte[Math.toIntExact(bytes)]);

  private final AdapterExaminer examiner;

  /** Files that were read last. */
  private final Cache<Sha256, Lora> read =
      Caffeine.newBuilder()
          .maximumWeight(HEAP_SHARE)
          .weigher((Sha256 _, Lora lora) -> lora.weight())
          .build();

  LoraMaker(AdapterExaminer examiner) {
    this.examiner = examiner;
  }

  /**
   * A file, and on whose behalf it is read.
   *
   * @param account whose turn its reading takes
   * @param digest of the file
   * @param bytes of the file
   */
  record Source(String account, Sha256 digest, long bytes) {}

  /**
   * The LoRA of a file.
   *
   * @param weights its parts
   * @param factors reconstructs a layer of the file
   * @param weight about how many bytes the file takes in memory
   */
  private record Lora(PeftWeights weights, Function<Layer, Factors> factors, int weight) {
    MemorySegment make(PeftWeights.Part part, RoundedFactors rounded)
        throws IOException, ExportRefusedException {
      try {
        return weights.make(part, rounded, HEAP);
      } catch (InterruptedException e) {
        throw stopping(e);
      }
    }
  }

  /**
   * Derives the folder of a file, for which all of its LoRA is made once.
   *
   * @param account whose turn it takes
   * @param digest of the file
   * @return the folder
   * @throws IOException if the file cannot be read
   */
  HubFolder derive(String account, Sha256 digest) throws IOException {
    AdapterFile file = examiner.read(account, digest);
    try {
      PeftFolder folder = PeftFolder.of(file, DTYPE);
      requireSmallParts(folder.weights());
      return examiner.reconstruct(account, reconstructor -> derive(file, folder, reconstructor));
    } catch (ExportRefusedException e) {
      return new HubFolder(AdapterCard.of(file, String.valueOf(e.getMessage())), null);
    }
  }

  private static HubFolder derive(AdapterFile file, PeftFolder folder, Reconstructor reconstructor)
      throws IOException {
    MessageDigest hash = Sha256.newMessageDigest();
    RoundedFactors rounded;
    try {
      reconstructor.verify(file);
      Lora lora = new Lora(folder.weights(), reconstructor.open(file.adapter()), 0);
      rounded = RoundedFactors.measured(lora.factors(), DTYPE);
      for (PeftWeights.Part part : folder.weights().parts()) {
        hash.update(lora.make(part, rounded).asByteBuffer());
      }
    } catch (LimitExceededException | DigestMismatchException | ExportRefusedException e) {
      return new HubFolder(AdapterCard.of(file, String.valueOf(e.getMessage())), null);
    }
    return new HubFolder(
        folder.card(rounded.error()),
        new HubFolder.Lora(folder.config(), folder.weights().bytes(), Sha256.finish(hash)));
  }

  private static void requireSmallParts(PeftWeights weights) throws ExportRefusedException {
    for (PeftWeights.Part part : weights.parts()) {
      if (part.bytes() > MAX_PART) {
        throw new ExportRefusedException(
            ExportRefusedException.Reason.CONTENT,
            "the registry makes no LoRA with tensors of this size: %d bytes; limit is %d"
                .formatted(part.bytes(), MAX_PART));
      }
    }
  }

  /**
   * Returns what a LoRA is made of.
   *
   * @param source a file whose folder has a LoRA
   * @return its parts
   * @throws IOException if the file cannot be read
   */
  PeftWeights weights(Source source) throws IOException {
    return lora(source).weights();
  }

  static IOException stopping(InterruptedException e) {
    Thread.currentThread().interrupt();
    return (IOException) new InterruptedIOException("the server stops").initCause(e);
  }

  /**
   * Makes a part of a LoRA.
   *
   * @param source a file whose folder has a LoRA
   * @param number of the part, from 0
   * @return its bytes
   * @throws IOException if the file cannot be read
   */
  MemorySegment make(Source source, int number) throws IOException {
    Lora lora = lora(source);
    PeftWeights.Part part = lora.weights().parts().get(number);
    return examiner.reconstruct(
        source.account(),
        _ -> {
          try {
            MemorySegment bytes = lora.make(part, RoundedFactors.unmeasured(lora.factors(), DTYPE));
            // What the adapter itself has would keep all of its file in memory.
            return part.isMade() ? bytes : MemorySegment.ofArray(bytes.toArray(JAVA_BYTE));
          } catch (ExportRefusedException e) {
            throw changed(e);
          }
        });
  }

  private Lora lora(Source source) throws IOException {
    Lora known = read.getIfPresent(source.digest());
    if (known != null) {
      return known;
    }
    AdapterFile file = examiner.read(source.account(), source.digest());
    int layers = file.adapter().layers().size();
    try {
      Lora lora =
          new Lora(
              PeftFolder.of(file, DTYPE).weights(),
              examiner.<Function<Layer, Factors>, LimitExceededException>reconstruct(
                  source.account(), reconstructor -> reconstructor.open(file.adapter())),
              Math.toIntExact(source.bytes() + (long) layers * LAYER_BYTES));
      read.put(source.digest(), lora);
      return lora;
    } catch (ExportRefusedException | LimitExceededException e) {
      throw changed(e);
    }
  }

  /** It was possible when the folder was derived: an operator has lowered the budget since. */
  private static IOException changed(Exception failure) {
    return new IOException("LoRA can no longer be made: " + failure.getMessage(), failure);
  }
}
