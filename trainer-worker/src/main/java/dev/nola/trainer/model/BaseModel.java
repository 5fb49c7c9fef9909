package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.Tensor;
import dev.nola.digest.Sha256;
import dev.nola.format.DType;
import dev.nola.reconstruct.BaseIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A pre-trained model from a Hugging Face folder ({@code config.json} and safetensors), in f32.
 * Frozen: nothing changes its tensors.
 */
public final class BaseModel implements AutoCloseable {
  /** Prefix of the names in some encoders' files. */
  private static final String BERT = "bert.";

  private final NDManager manager;
  private final Network network;
  private final Map<String, NDArray> tensors = new HashMap<>();
  private final Map<String, BaseIdentity.Tensor> identities = new HashMap<>();

  private BaseModel(NDManager manager, Network network) {
    this.manager = manager;
    this.network = network;
  }

  /**
   * Loads a model.
   *
   * @param folder folder with {@code config.json} and safetensors
   * @return the model, to be closed by the caller
   * @throws UnsupportedModelException if it is not a model that can be run here
   * @throws IOException if a file cannot be read
   */
  public static BaseModel load(Path folder) throws IOException {
    Path file = folder.resolve("config.json");
    JsonNode config;
    try {
      config = JsonMapper.shared().readTree(Files.readAllBytes(file));
    } catch (JacksonException e) {
      throw new UnsupportedModelException(file + ": invalid JSON: " + e.getOriginalMessage(), e);
    }
    Network network = network(file, config);
    NDManager manager = Tensors.newManager();
    try (Model model = Model.open(folder)) {
      BaseModel base = new BaseModel(manager, network);
      for (Tensor tensor : model.tensors().values()) {
        base.add(tensor);
      }
      return base;
    } catch (IOException | RuntimeException e) {
      manager.close();
      throw e;
    }
  }

  /**
   * Returns a model without weights, to be trained from scratch.
   *
   * @param network shape of the model
   * @return the model, to be closed by the caller
   */
  public static BaseModel fromScratch(Mlp network) {
    return new BaseModel(Tensors.newManager(), network);
  }

  private static Network network(Path file, JsonNode config) throws IOException {
    String type = config.path("model_type").asString("");
    return switch (type) {
      case "llama" -> {
        int heads = number(file, config, "num_attention_heads");
        // Older configs have rope_theta and rope_scaling, newer ones rope_parameters with both.
        JsonNode rope =
            config.path("rope_parameters").isObject() ? config.path("rope_parameters") : config;
        String kind =
            rope.path("rope_type").asString(rope.path("rope_scaling").isObject() ? "scaled" : "");
        if (!kind.isEmpty() && !kind.equals("default")) {
          throw new UnsupportedModelException(
              "%s: rotary positions of type %s are not supported; must be default"
                  .formatted(file, kind));
        }
        yield new Llama(
            new Llama.Config(
                number(file, config, "num_hidden_layers"),
                heads,
                config.path("num_key_value_heads").asInt(heads),
                config.path("rms_norm_eps").asDouble(1e-6),
                rope.path("rope_theta").asDouble(10_000),
                config.path("tie_word_embeddings").asBoolean(false)));
      }
      case "bert" ->
          new Bert(
              new Bert.Config(
                  number(file, config, "num_hidden_layers"),
                  number(file, config, "num_attention_heads"),
                  config.path("layer_norm_eps").asDouble(1e-12)));
      default ->
          throw new UnsupportedModelException(
              "%s: invalid model_type: \"%s\"; must be llama or bert".formatted(file, type));
    };
  }

  private static int number(Path file, JsonNode config, String key) throws IOException {
    int value = config.path(key).asInt(0);
    if (value < 1) {
      throw new UnsupportedModelException(
          "%s: invalid %s: %s; must be a positive number".formatted(file, key, config.path(key)));
    }
    return value;
  }

  private void add(Tensor tensor) {
    DType type = tensor.adaptableType().orElse(null);
    if (type == null) {
      return; // such as position ids, which the forward pass computes
    }
    String name =
        tensor.name().startsWith(BERT) ? tensor.name().substring(BERT.length()) : tensor.name();
    tensors.put(name, Tensors.load(manager, tensor));
    List<Integer> shape = tensor.shape().stream().map(Math::toIntExact).toList();
    identities.put(name, BaseIdentity.Tensor.of(tensor.name(), type, shape, tensor.data()));
  }

  /**
   * Returns the forward pass.
   *
   * @return the model without its weights
   */
  public Network network() {
    return network;
  }

  /**
   * Returns a tensor.
   *
   * @param name name of the tensor
   * @return the tensor in f32, or null if there is none
   */
  public @Nullable NDArray tensor(String name) {
    return tensors.get(name);
  }

  /**
   * Makes an array that lives as long as the model.
   *
   * @param values elements, row-major
   * @param shape size of each dimension
   * @return the array
   */
  public NDArray keep(float[] values, long... shape) {
    return Tensors.create(manager, values, shape);
  }

  /**
   * Names all tensors.
   *
   * @return names in alphabetical order
   */
  public List<String> names() {
    return tensors.keySet().stream().sorted().toList();
  }

  /**
   * Returns the name in this class of a tensor that adapters name as in the model's files.
   *
   * @param stored name in the model's files
   * @return name here
   */
  public String nameOf(String stored) {
    return stored.startsWith(BERT) && tensors.containsKey(stored.substring(BERT.length()))
        ? stored.substring(BERT.length())
        : stored;
  }

  /**
   * Returns the name of a tensor in the model's files, which adapters use.
   *
   * @param name name here
   * @return name in the model's files
   */
  public String storedName(String name) {
    BaseIdentity.Tensor stored = identities.get(name);
    return stored == null ? name : stored.name();
  }

  /**
   * Returns the identity of the base for an adapter of some tensors (SPEC.md, section 9).
   *
   * @param adapted names of the tensors
   * @return digest of the tensors, or null if there are none
   */
  public @Nullable Sha256 identity(List<String> adapted) {
    List<BaseIdentity.Tensor> stored = new ArrayList<>();
    for (String name : adapted) {
      BaseIdentity.Tensor tensor = identities.get(name);
      if (tensor == null) {
        return null;
      }
      stored.add(tensor);
    }
    return stored.isEmpty() ? null : BaseIdentity.of(stored);
  }

  @Override
  public void close() {
    manager.close();
  }
}
