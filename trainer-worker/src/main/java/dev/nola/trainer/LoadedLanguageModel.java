package dev.nola.trainer;

import dev.nola.client.lora.ImportRefusedException;
import dev.nola.client.merge.MergeRefusedException;
import dev.nola.command.AdapterSource;
import dev.nola.command.BaseOptions;
import dev.nola.command.Output;
import dev.nola.format.AdapterFile;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.data.Bos;
import dev.nola.trainer.data.TextTokenizer;
import dev.nola.trainer.method.Adaptation;
import dev.nola.trainer.method.AdaptedWeights;
import dev.nola.trainer.method.TrainedAdapter;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.Network;
import dev.nola.trainer.model.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A language model, with or without an adapter, ready to compute.
 *
 * @param base the base model
 * @param tokenizer the base model's tokenizer
 * @param weights the weights, with the adapter
 */
record LoadedLanguageModel(BaseModel base, TextTokenizer tokenizer, AdaptedWeights weights)
    implements AutoCloseable {
  /**
   * Loads a base model and an adapter that fits it.
   *
   * @param folder folder of the base model
   * @param adapter a path or a reference; null for the base model alone
   * @param source opens the adapter
   * @param options what to do if the adapter was made for another base model
   * @param output receives messages
   * @return the model, to be closed by the caller
   * @throws UnsupportedModelException if it is a classifier
   */
  static LoadedLanguageModel open(
      Path folder,
      @Nullable String adapter,
      AdapterSource source,
      BaseOptions options,
      Output output)
      throws IOException, InterruptedException, ImportRefusedException, MergeRefusedException {
    AdapterFile file = adapter == null ? null : source.open(adapter, folder, output).file();
    BaseModel base = BaseModel.load(folder);
    TextTokenizer tokenizer = null;
    try {
      tokenizer = TextTokenizer.load(folder, file == null ? Bos.TOKENIZER : Bos.of(file.adapter()));
      if (base.network().head() != null) {
        throw new UnsupportedModelException(folder + ": not a language model, but a classifier");
      }
      List<Adaptation> adaptations = List.of();
      if (file != null) {
        LoadedAdapter.requireBase(folder, base, file, options, output);
        adaptations = TrainedAdapter.ofFile(base, file);
      }
      return new LoadedLanguageModel(
          base, tokenizer, new AdaptedWeights(base, adaptations, Kernels.chosen()));
    } catch (IOException | RuntimeException | InterruptedException | MergeRefusedException e) {
      base.close();
      if (tokenizer != null) {
        tokenizer.close();
      }
      throw e;
    }
  }

  Network network() {
    return base.network();
  }

  @Override
  public void close() {
    tokenizer.close();
    base.close();
  }
}
