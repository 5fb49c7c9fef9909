package dev.nola.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.nola.kernel.Kernels;
import dev.nola.trainer.data.TextTokenizer;
import dev.nola.trainer.generate.Decoding;
import dev.nola.trainer.generate.TextGeneration;
import dev.nola.trainer.method.AdaptedWeights;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Compares forward passes with the transformers library's for the same weights. */
class RecordedLogitsTest {
  private static final Path MODELS = Path.of("src/test/resources/models");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama-tied-grouped",
        "llama-untied",
        "llama-bf16",
        "llama-rope-llama3",
        "llama-rope-linear",
        "llama-rope-yarn",
        "mistral",
        "qwen2",
        "qwen3",
        "gemma2",
        "gpt2",
        "bert",
        "xlm-roberta"
      })
  void outputsEqualThoseOfTransformers(String name) throws Exception {
    Path folder = MODELS.resolve(name);
    JsonNode expected =
        JsonMapper.shared().readTree(Files.readAllBytes(folder.resolve("expected.json")));
    int rows = expected.get("inputs").size();
    int tokens = expected.get("inputs").get(0).size();
    try (BaseModel base = BaseModel.load(folder);
        NDManager manager = Tensors.newManager()) {
      Shape shape = new Shape(rows, tokens);
      Batch batch =
          new Batch(
              manager.create(
                  LongBuffer.wrap(numbers(expected.get("inputs"))), shape, DataType.INT64),
              manager.create(floats(expected.get("mask")), shape, DataType.FLOAT32));
      AdaptedWeights weights = new AdaptedWeights(base, List.of(), Kernels.scalar());
      NDArray output =
          base.network() instanceof Bert bert
              ? bert.hidden(batch, weights)
              : base.network().logits(batch, weights);
      float[] actual = output.toFloatArray();
      int width = actual.length / (rows * tokens);
      double largest =
          expected
              .get("outputs")
              .valueStream()
              .flatMap(JsonNode::valueStream)
              .mapToDouble(JsonNode::asDouble)
              .map(Math::abs)
              .max()
              .orElse(0);
      assertThat(largest).as("outputs are not all small").isGreaterThan(0.5);
      for (int position = 0; position < rows * tokens; position++) {
        if (expected.get("mask").get(position / tokens).get(position % tokens).asInt() == 0) {
          continue; // outputs of padding are meaningless
        }
        for (int i = 0; i < width; i++) {
          assertThat((double) actual[position * width + i])
              .as("%s, token %d, output %d", name, position, i)
              .isCloseTo(
                  expected.get("outputs").get(position).get(i).asDouble(), within(1e-5 * largest));
        }
      }
    }
  }

  /** Saved as the class with the head; Llama's last token is the last that is not padding's id. */
  @ParameterizedTest
  @ValueSource(strings = {"bert-classifier", "llama-classifier", "roberta-classifier"})
  void classifierEqualsThatOfTransformers(String name) throws Exception {
    Path folder = MODELS.resolve(name);
    JsonNode expected =
        JsonMapper.shared().readTree(Files.readAllBytes(folder.resolve("expected.json")));
    int rows = expected.get("inputs").size();
    try (BaseModel base = BaseModel.load(folder);
        NDManager manager = Tensors.newManager()) {
      Shape shape = new Shape(rows, expected.get("inputs").get(0).size());
      Batch batch =
          new Batch(
              manager.create(
                  LongBuffer.wrap(numbers(expected.get("inputs"))), shape, DataType.INT64),
              manager.create(floats(expected.get("mask")), shape, DataType.FLOAT32));
      float[] actual =
          base.network()
              .logits(batch, new AdaptedWeights(base, List.of(), Kernels.scalar()))
              .toFloatArray();
      double[] logits =
          expected
              .get("outputs")
              .valueStream()
              .flatMap(JsonNode::valueStream)
              .mapToDouble(JsonNode::asDouble)
              .toArray();
      assertThat(actual).hasSize(logits.length);
      for (int i = 0; i < logits.length; i++) {
        assertThat((double) actual[i]).isCloseTo(logits[i], within(1e-5));
      }
    }
  }

  @Test
  void namesOfOtherCheckpoints_areThoseOfTheBareModel() {
    Network bert = Networks.bert();
    assertThat(bert.nameOf("bert.encoder.layer.0.output.LayerNorm.gamma"))
        .isEqualTo(bert.nameOf("encoder.layer.0.output.LayerNorm.weight"));
    assertThat(bert.nameOf("bert.embeddings.LayerNorm.beta"))
        .isEqualTo("embeddings.LayerNorm.bias");
  }

  /** Those of Transformers with its class on MAE's encoder; of timm, also with the mean. */
  @ParameterizedTest
  @ValueSource(strings = {"vit", "vit-mae", "timm-vit", "timm-vit-avg"})
  void visionTransformersEqualThoseOfTransformersAndTimm(String name) throws Exception {
    Path folder = MODELS.resolve(name);
    JsonNode expected =
        JsonMapper.shared().readTree(Files.readAllBytes(folder.resolve("expected.json")));
    long[] shape = expected.get("shape").valueStream().mapToLong(JsonNode::asLong).toArray();
    FloatBuffer pixels = FloatBuffer.allocate(expected.get("inputs").size());
    expected.get("inputs").forEach(value -> pixels.put(value.floatValue()));
    try (BaseModel base = BaseModel.load(folder);
        NDManager manager = Tensors.newManager()) {
      Input images =
          new Input.Numbers(manager.create(pixels.flip(), new Shape(shape), DataType.FLOAT32));
      AdaptedWeights weights = new AdaptedWeights(base, List.of(), Kernels.scalar());
      Vit vit = (Vit) base.network();
      NDArray output =
          name.equals("vit-mae") ? vit.features(images, weights) : vit.logits(images, weights);
      float[] actual = output.toFloatArray();
      double[] outputs =
          expected
              .get("outputs")
              .valueStream()
              .flatMap(JsonNode::valueStream)
              .mapToDouble(JsonNode::asDouble)
              .toArray();
      assertThat(actual).hasSize(outputs.length);
      for (int i = 0; i < outputs.length; i++) {
        assertThat((double) actual[i]).as("output %d", i).isCloseTo(outputs[i], within(1e-5));
      }
    }
  }

  static List<String> languageModels() {
    return List.of(
        "llama-tied-grouped",
        "llama-untied",
        "llama-bf16",
        "llama-rope-linear",
        "llama-rope-llama3",
        "llama-rope-yarn",
        "mistral",
        "qwen2",
        "qwen3",
        "gemma2",
        "gpt2");
  }

  @ParameterizedTest
  @MethodSource("languageModels")
  void greedyTextsEqualThoseOfTransformers(String name) throws Exception {
    Path folder = MODELS.resolve(name);
    JsonNode expected =
        JsonMapper.shared().readTree(Files.readAllBytes(folder.resolve("expected.json")));
    int[] prompt = expected.get("inputs").get(0).valueStream().mapToInt(JsonNode::asInt).toArray();
    int[] greedy = expected.get("greedy").valueStream().mapToInt(JsonNode::asInt).toArray();
    try (BaseModel base = BaseModel.load(folder)) {
      AdaptedWeights weights = new AdaptedWeights(base, List.of(), Kernels.scalar());
      TextGeneration generation =
          new TextGeneration(base.network(), weights, Decoding.greedy(greedy.length));
      assertThat(generation.generate(new TextTokenizer.Prompt(prompt, Set.of(), 64), _ -> {}))
          .isEqualTo(greedy);
      List<Integer> told = new ArrayList<>();
      int end = greedy[5];
      assertThat(generation.generate(new TextTokenizer.Prompt(prompt, Set.of(end), 64), told::add))
          .as("until a token that ends it")
          .isEqualTo(told.stream().mapToInt(Integer::intValue).toArray())
          .doesNotContain(end)
          .hasSizeLessThanOrEqualTo(5);
    }
  }

  /** Texts of one length are continued together, and end at different tokens. */
  @Test
  void textsTogether_areContinuedAsEachAlone() throws Exception {
    try (BaseModel base = BaseModel.load(MODELS.resolve("mistral"))) {
      AdaptedWeights weights = new AdaptedWeights(base, List.of(), Kernels.scalar());
      TextGeneration generation = new TextGeneration(base.network(), weights, Decoding.greedy(12));
      List<TextTokenizer.Prompt> starts = new ArrayList<>();
      for (int i = 0; i < 48; i++) {
        int[] tokens = i % 5 == 0 ? new int[] {i % 24, 7, 1} : new int[] {i % 24, 3};
        starts.add(new TextTokenizer.Prompt(tokens, Set.of(i % 2 == 0 ? 4 : 9, 20, 30, 40), 64));
      }
      List<Integer> told = new ArrayList<>();
      List<int[]> together = generation.generate(starts, (_, text) -> told.add(text));
      assertThat(told)
          .as("texts of a kind together, in the order of their first")
          .startsWith(0, 10, 20, 30, 40, 1, 3)
          .containsSubsequence(2, 41) // 41 is the seventeenth of its kind, which begins with 1
          .containsExactlyInAnyOrderElementsOf(IntStream.range(0, starts.size()).boxed().toList());
      assertThat(together).extracting(tokens -> tokens.length).contains(12).hasSizeGreaterThan(1);
      for (int i = 0; i < starts.size(); i++) {
        assertThat(together.get(i)).isEqualTo(generation.generate(starts.get(i), _ -> {}));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("languageModels")
  void beamsEqualThoseOfTransformers(String name) throws Exception {
    Path folder = MODELS.resolve(name);
    JsonNode expected =
        JsonMapper.shared().readTree(Files.readAllBytes(folder.resolve("expected.json")));
    int[] prompt = expected.get("inputs").get(0).valueStream().mapToInt(JsonNode::asInt).toArray();
    int end = expected.get("beams").get("end").asInt();
    int[] best =
        expected
            .get("beams")
            .get("tokens")
            .valueStream()
            .mapToInt(JsonNode::asInt)
            .takeWhile(token -> token != end)
            .toArray();
    try (BaseModel base = BaseModel.load(folder)) {
      AdaptedWeights weights = new AdaptedWeights(base, List.of(), Kernels.scalar());
      TextGeneration generation =
          new TextGeneration(base.network(), weights, new Decoding(12, 3, 0.8, 2));
      assertThat(generation.generate(new TextTokenizer.Prompt(prompt, Set.of(end), 64), _ -> {}))
          .isEqualTo(best);
    }
  }

  private static long[] numbers(JsonNode rows) {
    return rows.valueStream().flatMap(JsonNode::valueStream).mapToLong(JsonNode::asLong).toArray();
  }

  private static FloatBuffer floats(JsonNode rows) {
    long[] numbers = numbers(rows);
    FloatBuffer floats = FloatBuffer.allocate(numbers.length);
    for (long number : numbers) {
      floats.put(number);
    }
    return floats.flip();
  }
}
