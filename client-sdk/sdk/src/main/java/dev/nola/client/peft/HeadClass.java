package dev.nola.client.peft;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The classes of Transformers, and of timm, whose classification heads Nola knows: the one table of
 * their names for tensors.
 */
public enum HeadClass {
  /** The first token's hidden state through a layer with tanh, the pooler; then the classifier. */
  BERT(
      "BertForSequenceClassification", TaskType.SEQ_CLS, "bert", Pooling.CLS, "bert", "classifier"),
  /** The first token's hidden state through a layer with tanh, both layers of the classifier's. */
  ROBERTA(
      "RobertaForSequenceClassification",
      TaskType.SEQ_CLS,
      "roberta",
      Pooling.CLS,
      "roberta",
      "classifier.out_proj"),
  /** As RoBERTa's. */
  XLM_ROBERTA(
      "XLMRobertaForSequenceClassification",
      TaskType.SEQ_CLS,
      "xlm-roberta",
      Pooling.CLS,
      "roberta",
      "classifier.out_proj"),
  /** The last token that is not padding. */
  LLAMA(
      "LlamaForSequenceClassification",
      TaskType.SEQ_CLS,
      "llama",
      Pooling.LAST_TOKEN,
      "model",
      "score"),
  /** As Llama's. */
  MISTRAL(
      "MistralForSequenceClassification",
      TaskType.SEQ_CLS,
      "mistral",
      Pooling.LAST_TOKEN,
      "model",
      "score"),
  /** As Llama's. */
  QWEN2(
      "Qwen2ForSequenceClassification",
      TaskType.SEQ_CLS,
      "qwen2",
      Pooling.LAST_TOKEN,
      "model",
      "score"),
  /** As Llama's. */
  QWEN3(
      "Qwen3ForSequenceClassification",
      TaskType.SEQ_CLS,
      "qwen3",
      Pooling.LAST_TOKEN,
      "model",
      "score"),
  /** As Llama's. */
  GEMMA2(
      "Gemma2ForSequenceClassification",
      TaskType.SEQ_CLS,
      "gemma2",
      Pooling.LAST_TOKEN,
      "model",
      "score"),
  /** The first token; also of a base that MAE has trained. */
  VIT(
      "ViTForImageClassification",
      TaskType.IMAGE_CLASSIFICATION,
      "vit",
      Pooling.CLS,
      "vit",
      "classifier"),
  /** timm's class: the first token or, with {@code global_pool} avg, the mean. */
  TIMM_VIT("VisionTransformer", TaskType.IMAGE_CLASSIFICATION, "timm", Pooling.CLS, "", "head");

  /** Module of the layer with tanh that a bare encoder may have. */
  private static final String POOLER = "pooler.dense";

  /** Modules of the heads of other classes, and of MAE's decoder. */
  private static final List<String> OTHER_HEADS =
      List.of("lm_head", "cls", "classifier", "score", "qa_outputs", "decoder");

  private final String className;
  private final TaskType task;
  private final String modelType;
  private final Pooling pooling;
  private final String transformer;
  private final String classifier;

  HeadClass(
      String className,
      TaskType task,
      String modelType,
      Pooling pooling,
      String transformer,
      String classifier) {
    this.className = className;
    this.task = task;
    this.modelType = modelType;
    this.pooling = pooling;
    this.transformer = transformer;
    this.classifier = classifier;
  }

  /**
   * Finds a class by its name.
   *
   * @param className such as {@code BertForSequenceClassification}
   * @return the class, or empty if Nola does not know it
   */
  public static Optional<HeadClass> ofName(String className) {
    for (HeadClass known : values()) {
      if (known.className.equals(className)) {
        return Optional.of(known);
      }
    }
    return Optional.empty();
  }

  /**
   * Finds the class of a kind of model.
   *
   * @param modelType {@code model_type} of a config, such as {@code bert}
   * @return the class, or empty if Nola knows none
   */
  public static Optional<HeadClass> ofModelType(String modelType) {
    for (HeadClass known : values()) {
      if (known.modelType.equals(modelType)) {
        return Optional.of(known);
      }
    }
    return Optional.empty();
  }

  /**
   * Returns the name of the class.
   *
   * @return such as {@code BertForSequenceClassification}
   */
  public String className() {
    return className;
  }

  /**
   * Returns the task that the class is for.
   *
   * @return the task
   */
  public TaskType task() {
    return task;
  }

  /**
   * Returns the {@code model_type} of its configs.
   *
   * @return such as {@code bert}
   */
  public String modelType() {
    return modelType;
  }

  /**
   * Returns what the classifier sees of a sequence.
   *
   * @return the pooling
   */
  public Pooling pooling() {
    return pooling;
  }

  /**
   * Returns whether the classifier can see something.
   *
   * @param other a pooling
   * @return whether a config of the class can state it
   */
  boolean computes(Pooling other) {
    return other == pooling || this == TIMM_VIT && other == Pooling.MEAN;
  }

  /**
   * Returns whether the class loads models of a type.
   *
   * @param type {@code model_type} of a config
   * @return true for its own type, and that of MAE's pre-training for {@link #VIT}
   */
  public boolean loads(String type) {
    return type.equals(modelType) || this == VIT && type.equals("vit_mae");
  }

  /**
   * Returns the module of the classifier.
   *
   * @return such as {@code score}
   */
  public String classifier() {
    return classifier;
  }

  /**
   * Returns the module of the layer with tanh before the classifier.
   *
   * @return its name in a checkpoint of the bare transformer, or in the head; null without one
   */
  public @Nullable String pooler() {
    return switch (this) {
      case BERT -> POOLER;
      case ROBERTA, XLM_ROBERTA -> "classifier.dense";
      default -> null;
    };
  }

  /**
   * Returns what the class calls its transformer.
   *
   * @return a prefix of names, such as {@code bert.}
   */
  public String prefix() {
    return transformer + ".";
  }

  /**
   * Returns the name that a tensor or module has in a model of this class.
   *
   * @param name name in a checkpoint of the bare transformer, or of a class with any head
   * @return the name; empty if it belongs to the head of another class
   */
  public Optional<String> nameInModel(String name) {
    if (this == TIMM_VIT) {
      return Optional.of(name);
    }
    String bare = name.startsWith(prefix()) ? name.substring(prefix().length()) : name;
    if (isIn(bare, POOLER) && !POOLER.equals(pooler())) {
      return Optional.empty(); // of the bare transformer alone
    }
    if (!bare.equals(name) || name.equals(transformer) || isOfHead(name)) {
      return Optional.of(name);
    }
    return OTHER_HEADS.contains(ModulePaths.firstPart(name))
        ? Optional.empty()
        : Optional.of(prefix() + name);
  }

  private boolean isOfHead(String name) {
    String pooler = pooler();
    return isIn(name, classifier)
        || pooler != null && !pooler.equals(POOLER) && isIn(name, pooler)
        || isIn(classifier, name);
  }

  /** Returns whether a name is that of a module, or of something in it. */
  private static boolean isIn(String name, String module) {
    return name.equals(module) || name.startsWith(module + ".");
  }
}
