package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import dev.nola.client.peft.HeadClass;
import dev.nola.client.peft.Pooling;
import dev.nola.format.Slice;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The vision transformer (ViT) and the encoder of MAE: patches and a first token, LayerNorm before
 * each part of a block; with a linear classifier on the first token, as {@code
 * ViTForImageClassification} of Transformers and timm's {@code VisionTransformer}, or on the mean
 * over all patches, normalized after it, as timm's with {@code global_pool} avg and MAE's.
 */
public final class Vit implements Transformer {
  /** What Transformers' {@code config.json} may say; dropout is not used in training. */
  static final List<ConfigKey> KEYS =
      List.of(
          ConfigKey.count("num_hidden_layers"),
          ConfigKey.count("num_attention_heads"),
          ConfigKey.count("hidden_size"),
          ConfigKey.side("image_size"),
          ConfigKey.side("patch_size"),
          ConfigKey.only("num_channels", 3),
          ConfigKey.positive("layer_norm_eps"),
          ConfigKey.activation("hidden_act"),
          ConfigKey.QUANTIZATION);

  /** What timm's {@code config.json} may say. */
  static final List<ConfigKey> TIMM_KEYS =
      List.of(
          ConfigKey.only("global_pool", "token", "avg"),
          ConfigKey.count("model_args.depth"),
          ConfigKey.count("model_args.num_heads"),
          ConfigKey.count("model_args.embed_dim"),
          ConfigKey.side("model_args.img_size"),
          ConfigKey.side("model_args.patch_size"),
          ConfigKey.only("model_args.in_chans", 3),
          ConfigKey.only("model_args.class_token", true),
          ConfigKey.only("model_args.no_embed_class", false),
          ConfigKey.only("model_args.pre_norm", false),
          ConfigKey.only("model_args.qk_norm", false),
          ConfigKey.only("model_args.reg_tokens", 0),
          ConfigKey.only("model_args.init_values"),
          ConfigKey.only("model_args.act_layer", "gelu"),
          ConfigKey.only("model_args.norm_layer", "layernorm"),
          ConfigKey.only("model_args.global_pool", "token", "avg"));

  /** Arguments that {@link #TIMM_KEYS} checks, and others that the weights or training decide. */
  private static final Set<String> TIMM_ARGUMENTS =
      Stream.concat(
              TIMM_KEYS.stream()
                  .map(ConfigKey::path)
                  .filter(path -> path.startsWith("model_args."))
                  .map(path -> path.substring("model_args.".length())),
              Stream.of(
                  "mlp_ratio",
                  "qkv_bias",
                  "proj_bias",
                  "num_classes",
                  "weight_init",
                  "drop_rate",
                  "pos_drop_rate",
                  "patch_drop_rate",
                  "proj_drop_rate",
                  "attn_drop_rate",
                  "drop_path_rate"))
          .collect(Collectors.toUnmodifiableSet());

  /** timm's names of models of this architecture, with the size of patches and images. */
  private static final Pattern TIMM =
      Pattern.compile("vit_(tiny|small|base|large|huge)_patch(\\d+)_(\\d+)(\\..*)?");

  /** What the targets of timm's models are called, as in Transformers. */
  private static final VitNames.Block TARGETS = VitNames.TRANSFORMERS.block();

  private final Config config;
  private final VitNames names;
  private final Head head;

  /**
   * The settings that differ between models.
   *
   * @param layers number of blocks
   * @param heads number of attention heads
   * @param width size of a hidden state
   * @param patch height and width of a patch
   * @param epsilon ε of the norms
   * @param activation function between the layers of a feed-forward part
   */
  record Config(
      int layers, int heads, int width, int patch, double epsilon, Activation activation) {}

  private Vit(Config config, VitNames names, Head head) {
    this.config = config;
    this.names = names;
    this.head = head;
  }

  /** Returns a model of Transformers. */
  static Vit of(ModelConfig config, Pooling pooling) throws UnsupportedModelException {
    config.require(KEYS);
    return new Vit(
        new Config(
            config.count("num_hidden_layers"),
            config.count("num_attention_heads"),
            config.count("hidden_size"),
            config.side("patch_size"),
            config.real("layer_norm_eps", 1e-12),
            config.activation("hidden_act", Activation.GELU)),
        VitNames.TRANSFORMERS,
        new Head(
            pooling,
            HeadClass.VIT.classifier(),
            true,
            null,
            -1,
            pooling == HeadClass.VIT.pooling() ? HeadClass.VIT : null));
  }

  /** Returns whether a model is timm's. */
  static boolean isTimm(ModelConfig config) {
    return config.states("architecture");
  }

  /** Returns what the classifier of a model of timm sees. */
  static Pooling poolingOfTimm(ModelConfig config) {
    String pool = config.text("model_args.global_pool");
    return (pool.isEmpty() ? config.text("global_pool") : pool).equals("avg")
        ? Pooling.MEAN
        : Pooling.CLS;
  }

  /** Returns a model of timm, whose architecture determines its size. */
  static Vit ofTimm(ModelConfig config) throws UnsupportedModelException {
    Matcher name = TIMM.matcher(config.text("architecture"));
    if (!name.matches()) {
      throw config.invalid(
          "architecture", "vit_{tiny,small,base,large,huge}_patch{N}_{N}, without more");
    }
    config.require(TIMM_KEYS);
    config.requireOnly("model_args", TIMM_ARGUMENTS);
    int depth = 12;
    int width = 768;
    switch (name.group(1)) {
      case "tiny" -> width = 192;
      case "small" -> width = 384;
      case "large" -> {
        depth = 24;
        width = 1024;
      }
      case "huge" -> {
        depth = 32;
        width = 1280;
      }
      default -> {} // base
    }
    int heads = name.group(1).equals("huge") ? 16 : width / 64;
    Pooling pooling = poolingOfTimm(config);
    return new Vit(
        new Config(
            config.count("model_args.depth", depth),
            config.count("model_args.num_heads", heads),
            config.count("model_args.embed_dim", width),
            config.side("model_args.patch_size", Integer.parseInt(name.group(2))),
            1e-6,
            Activation.GELU),
        VitNames.TIMM,
        new Head(pooling, HeadClass.TIMM_VIT.classifier(), true, null, -1, HeadClass.TIMM_VIT));
  }

  @Override
  public Head head() {
    return head;
  }

  @Override
  public Input.Kind reads() {
    return Input.Kind.IMAGES;
  }

  @Override
  public String nameOf(String stored) {
    return stored.startsWith(names.prefix()) ? stored.substring(names.prefix().length()) : stored;
  }

  @Override
  public boolean uses(String tensor) {
    return names.unused().stream().noneMatch(tensor::startsWith);
  }

  @Override
  public int blocks() {
    return config.layers;
  }

  @Override
  public NDArray output(NDArray x, Input input, Weights weights) {
    return weights.linear(pooled(x, input, weights), head.module());
  }

  @Override
  public NDArray pooled(NDArray x, Input input, Weights weights) {
    NDArray seen =
        head.pooling() == Pooling.CLS
            ? x.get(new NDIndex(":, 0"))
            : x.get(new NDIndex(":, 1:")).mean(new int[] {1});
    // Norms see one token at a time, so that of the first token alone is the same.
    boolean isOfMean = head.pooling() == Pooling.MEAN && weights.has("fc_norm.weight");
    return norm(seen, isOfMean ? "fc_norm" : names.norm(), weights);
  }

  /** Computes the first hidden states, B×(1+patches)×d. */
  @Override
  public NDArray embed(Input input, Weights weights) {
    NDArray images = input.numbers();
    String projection = names.embeddings().patches();
    NDArray filter = weights.tensor(projection + ".weight");
    NDArray patches =
        Tensors.linear(
            patches(images),
            filter.reshape(config.width, filter.size() / config.width),
            weights.tensor(projection + ".bias"));
    NDArray first =
        weights
            .tensor(names.embeddings().cls())
            .broadcast(images.getShape().get(0), 1, config.width);
    NDArray tokens = first.concat(patches, 1);
    NDArray positions = weights.tensor(names.embeddings().positions());
    if (positions.getShape().get(1) != tokens.getShape().get(1)) {
      throw new IllegalArgumentException(
          "images of %d×%d pixels make %d patches; must be %d, for which the model has positions: set data.resize or data.crop"
              .formatted(
                  images.getShape().get(2),
                  images.getShape().get(3),
                  tokens.getShape().get(1) - 1,
                  positions.getShape().get(1) - 1));
    }
    return tokens.add(positions);
  }

  /** Cuts images into patches, row by row: B×patches×(3·patch·patch). */
  private NDArray patches(NDArray images) {
    Shape shape = images.getShape();
    long rows = shape.get(2) / config.patch;
    long columns = shape.get(3) / config.patch;
    if (rows * config.patch != shape.get(2) || columns * config.patch != shape.get(3)) {
      throw new IllegalArgumentException(
          "images have %d×%d pixels; must be multiples of %d, the model's patch size: set data.resize or data.crop"
              .formatted(shape.get(2), shape.get(3), config.patch));
    }
    return images
        .reshape(shape.get(0), shape.get(1), rows, config.patch, columns, config.patch)
        .transpose(0, 2, 4, 1, 3, 5)
        .reshape(shape.get(0), rows * columns, shape.get(1) * config.patch * config.patch);
  }

  @Override
  public NDArray block(int index, NDArray x, Input input, Weights weights) {
    String prefix = names.block(index);
    VitNames.Block block = names.block();
    NDArray mixed = attention(prefix, norm(x, prefix + block.norms().get(0), weights), weights);
    NDArray attended = x.add(weights.linear(mixed, prefix + block.output()));
    NDArray wide =
        config.activation.apply(
            weights.linear(
                norm(attended, prefix + block.norms().get(1), weights), prefix + block.wide()));
    return attended.add(weights.linear(wide, prefix + block.narrow()));
  }

  private NDArray attention(String prefix, NDArray x, Weights weights) {
    List<NDArray> parts = new ArrayList<>();
    for (String module : names.block().attention()) {
      NDArray product = weights.linear(x, prefix + module);
      if (names.block().isFused()) {
        for (int part = 0; part < TARGETS.attention().size(); part++) {
          int start = part * config.width;
          parts.add(product.get("..., %d:%d".formatted(start, start + config.width)));
        }
      } else {
        parts.add(product);
      }
    }
    return Blocks.attention(
        Blocks.heads(parts.get(0), config.heads),
        Blocks.heads(parts.get(1), config.heads),
        Blocks.heads(parts.get(2), config.heads),
        null);
  }

  private NDArray norm(NDArray x, String module, Weights weights) {
    return Blocks.layerNorm(x, module, config.epsilon, weights);
  }

  /** Calls targets as in Transformers, also those of timm, so that patterns fit both. */
  @Override
  public List<Adaptable> adaptable() {
    List<Adaptable> all = new ArrayList<>();
    for (int i = 0; i < config.layers; i++) {
      VitNames.Block block = names.block();
      String target = VitNames.TRANSFORMERS.block(i);
      String prefix = names.block(i);
      for (int part = 0; part < TARGETS.attention().size(); part++) {
        String module = block.attention().get(block.isFused() ? 0 : part);
        all.add(
            new Adaptable(
                target + TARGETS.attention().get(part) + ".weight",
                prefix + module + ".weight",
                block.isFused() ? new Slice(0, part * config.width, config.width) : null,
                false));
      }
      all.add(matrix(target + TARGETS.output(), prefix + block.output()));
      all.add(matrix(target + TARGETS.wide(), prefix + block.wide()));
      all.add(matrix(target + TARGETS.narrow(), prefix + block.narrow()));
    }
    return all;
  }

  private static Adaptable matrix(String target, String module) {
    return new Adaptable(target + ".weight", module + ".weight", null, false);
  }
}
