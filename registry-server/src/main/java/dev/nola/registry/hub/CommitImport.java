package dev.nola.registry.hub;

import dev.nola.client.lora.ImportRefusedException;
import dev.nola.client.lora.LoraImport;
import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.client.safetensors.Tensor;
import dev.nola.format.AdapterException;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.AdapterExaminer;
import dev.nola.registry.catalog.Publisher;
import dev.nola.registry.web.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** Makes adapters of LoRAs of PEFT, one at a time in each turn of the examiner. */
@Component
class CommitImport {
  /** What the names of all factors have in common. */
  private static final String FACTOR = "lora_";

  private final AdapterExaminer examiner;
  private final LoraParts parts;
  private final Publisher publisher;

  CommitImport(AdapterExaminer examiner, LoraParts parts, Publisher publisher) {
    this.examiner = examiner;
    this.parts = parts;
    this.publisher = publisher;
  }

  /**
   * Adds an adapter to the files of a commit. What the commit does not have of a LoRA is that of
   * its parent.
   *
   * @param caller whose turn it takes
   * @param parent the latest version; null if the adapter has none
   * @param files of the commit
   * @param bits width of a code
   * @throws Refusal if the LoRA is not complete, or cannot be imported
   * @throws IOException if files cannot be read or written
   */
  void makeAdapter(Caller caller, @Nullable HubRepository parent, CommitFolder files, int bits)
      throws IOException {
    complete(caller, parent, files);
    requireSize(files, bits);
    byte[] adapter =
        examiner.<byte[], IOException>reconstruct(caller.account(), _ -> importLora(files, bits));
    try (OutputStream out = files.add(CommitFile.ADAPTER)) {
      out.write(adapter);
    }
  }

  private void complete(Caller caller, @Nullable HubRepository parent, CommitFolder files)
      throws IOException {
    HubFolder.Lora lora = parent == null ? null : parent.folder().lora();
    for (CommitFile file : new CommitFile[] {CommitFile.CONFIG, CommitFile.WEIGHTS}) {
      if (files.files().contains(file)) {
        continue;
      }
      if (parent == null || lora == null) {
        throw Refusal.invalid(
            "path",
            "%s missing: neither the commit nor the latest version has it; send both files of PEFT in one commit, as upload_folder does"
                .formatted(file.path()));
      }
      try (OutputStream out = files.add(file)) {
        if (file == CommitFile.CONFIG) {
          out.write(lora.config());
        } else {
          LoraMaker.Source source =
              new LoraMaker.Source(
                  caller.account(), parent.version().digest(), parent.version().size());
          try (InputStream in = new MadeWeights(parts, source, lora.size()).open(0, lora.size())) {
            in.transferTo(out);
          }
        }
      }
    }
  }

  /** Refuses a LoRA whose codes alone would exceed the limit of a file, as they are in memory. */
  private void requireSize(CommitFolder files, int bits) throws IOException {
    long codes = 0;
    try (SafetensorsFile weights = SafetensorsFile.open(files.path(CommitFile.WEIGHTS))) {
      for (Tensor tensor : weights.tensors().values()) {
        codes += tensor.name().contains(FACTOR) ? tensor.elements() * bits : 0;
      }
    } catch (InvalidModelException | AdapterException e) {
      throw refusal(e, files);
    }
    publisher.requireSize(codes / Byte.SIZE);
  }

  private static byte[] importLora(CommitFolder files, int bits) throws IOException {
    try {
      return LoraImport.of(files.path()).bits(bits).read().file().toBytes();
    } catch (ImportRefusedException | InvalidModelException | AdapterException e) {
      throw refusal(e, files);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      InterruptedIOException stopping = new InterruptedIOException("the server is stopping");
      stopping.initCause(e);
      throw stopping;
    }
  }

  /** Returns a refusal with the failure's message in one line, without paths of this server. */
  private static Refusal refusal(Exception failure, CommitFolder files) {
    return Refusal.invalid(
        CommitFile.WEIGHTS.path(),
        String.valueOf(failure.getMessage())
            .replace(files.path() + "/", "")
            .replace(files.path().toString(), "the commit")
            .lines()
            .map(String::strip)
            .collect(Collectors.joining(" ")));
  }
}
