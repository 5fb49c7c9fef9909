package dev.nola.client.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.nola.client.safetensors.InvalidModelException;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.SafetensorsWriter.Slot;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.DigestMismatchException;
import dev.nola.format.Layer;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.BaseIdentity;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ModelMergeTest {
  private static final Codes CODES = Codes.of(4, 1, 15, 3);

  @TempDir private Path folder;

  private static Adapter.Builder adapter(Layer... layers) {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.RADEMACHER).seed(1);
    Stream.of(layers).forEach(adapter::layer);
    return adapter;
  }

  private static Layer layer(String tensor, int rows, int cols) {
    return Layer.ofMatrix(tensor, rows, cols, 0, 0x1p-8f, new LowRank(1, CODES, CODES));
  }

  private static DenseTensor dense(String name, int elements) {
    return new DenseTensor(
        name, DType.F32, List.of(elements), MemorySegment.ofArray(new byte[4 * elements]));
  }

  private static AdapterFile seal(Adapter.Builder adapter) throws IOException {
    return Reconstructor.standard().seal(adapter.build());
  }

  private Path base() {
    return new TestModel()
        .with("model.a.weight", DType.F32, 3, 4)
        .with("model.b.weight", DType.BF16, 4, 2)
        .with(
            new Slot("model.ids", "I64", List.of(1L), 8),
            MemorySegment.ofArray(new byte[] {1, 2, 3, 4, 5, 6, 7, 8}))
        .writeFolder(folder.resolve("base"), "{\"model_type\": \"llama\"}");
  }

  private List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static MergeRefusedException refused(ModelMerge merge, Path destination) {
    return catchThrowableOfType(MergeRefusedException.class, () -> merge.write(destination));
  }

  @Test
  void whatIsNotAdaptedIsCopiedByteForByteWhateverItsType() throws Exception {
    AdapterFile adapter = seal(adapter(layer("model.a.weight", 3, 4)));
    ModelMerge.Report report =
        ModelMerge.into(base()).adapter(adapter).build().write(folder.resolve("merged"));
    assertThat(report.merged()).isOne();
    assertThat(report.copied()).isEqualTo(2);
    try (Model before = Model.open(folder.resolve("base"));
        Model after = Model.open(folder.resolve("merged"))) {
      for (String name : List.of("model.b.weight", "model.ids")) {
        assertThat(after.tensors().get(name).data().mismatch(before.tensors().get(name).data()))
            .isEqualTo(-1);
      }
      assertThat(after.tensors().get("model.a.weight").data())
          .matches(a -> a.mismatch(before.tensors().get("model.a.weight").data()) != -1);
      assertThat(after.files().getFirst().metadata()).containsEntry("format", "pt");
    }
  }

  @Test
  void everyTargetThatDoesNotFitIsNamedAtOnce() throws Exception {
    AdapterFile adapter =
        seal(
            adapter(
                layer("model.a.weight", 4, 3),
                layer("model.c.weight", 2, 2),
                Layer.ofMatrix("model.ids", 1, 1, 0, 1, new LowRank(1, CODES, CODES))));
    MergeRefusedException refused =
        refused(ModelMerge.into(base()).adapter(adapter).build(), folder.resolve("merged"));
    assertThat(refused.reason()).isEqualTo(MergeRefusedException.Reason.TARGETS);
    assertThat(refused.details())
        .containsExactlyInAnyOrder(
            "model.a.weight [4, 3]: tensor model.a.weight of the base model has shape [3, 4]",
            "model.c.weight [2, 2]: the base model has no such tensor",
            "model.ids [1, 1]: tensor model.ids of the base model has shape [1]");
    assertThat(names(folder)).containsExactly("base");
  }

  @Test
  void aTypeThatCannotBeAdaptedIsRefusedByName() throws Exception {
    Path base =
        new TestModel()
            .with(new Slot("w", "I8", List.of(1L, 2L), 2), MemorySegment.ofArray(new byte[2]))
            .writeFile(folder.resolve("base.safetensors"));
    AdapterFile adapter = seal(adapter(layer("w", 1, 2)));
    assertThat(refused(ModelMerge.into(base).adapter(adapter).build(), folder.resolve("m")))
        .hasMessageContaining("tensor w of the base model has type I8; must be F32, F16 or BF16");
  }

  @Test
  void namesWithAndWithoutThePrefixMeanTheSame() throws Exception {
    AdapterFile bare = seal(adapter(layer("a.weight", 3, 4)));
    AdapterFile full = seal(adapter(layer("model.a.weight", 3, 4)));
    AdapterFile other = seal(adapter(layer("transformer.a.weight", 3, 4)));
    Path base = base();
    ModelMerge.into(base).adapter(bare).build().write(folder.resolve("one"));
    ModelMerge.into(base).adapter(full).build().write(folder.resolve("two"));
    assertThat(folder.resolve("one/model.safetensors"))
        .hasSameBinaryContentAs(folder.resolve("two/model.safetensors"));
    assertThat(refused(ModelMerge.into(base).adapter(other).build(), folder.resolve("three")))
        .hasMessageContaining("transformer.a.weight [3, 4]: the base model has no such tensor");
  }

  @Test
  void aNameThatMayBeTwoTensorsIsRefused() throws Exception {
    Path base =
        new TestModel()
            .with("model.a", DType.F32, 1, 2)
            .with("transformer.a", DType.F32, 1, 2)
            .writeFile(folder.resolve("base.safetensors"));
    AdapterFile adapter = seal(adapter(layer("a", 1, 2)));
    assertThat(refused(ModelMerge.into(base).adapter(adapter).build(), folder.resolve("m")))
        .hasMessageContaining(
            "tensor a is ambiguous: the base model has model.a and transformer.a");
  }

  @Test
  void anOutputEmbeddingThatWasTiedGetsWeightsOfItsOwn() throws Exception {
    Path base =
        new TestModel()
            .with("model.embed_tokens.weight", DType.F32, 3, 4)
            .writeFolder(folder.resolve("base"), "{\"tie_word_embeddings\": true, \"x\": 1}");
    AdapterFile adapter = seal(adapter(layer("lm_head.weight", 3, 4)));
    ModelMerge.Report report =
        ModelMerge.into(base).adapter(adapter).build().write(folder.resolve("merged"));
    assertThat(report.warnings()).anyMatch(warning -> warning.contains("was tied"));
    try (Model before = Model.open(base);
        Model after = Model.open(folder.resolve("merged"))) {
      MemorySegment input = after.tensors().get("model.embed_tokens.weight").data();
      assertThat(input.mismatch(before.tensors().get("model.embed_tokens.weight").data()))
          .isEqualTo(-1);
      assertThat(after.tensors().get("lm_head.weight").data().mismatch(input)).isNotEqualTo(-1);
    }
    JsonNode config =
        JsonMapper.shared().readTree(Files.readAllBytes(folder.resolve("merged/config.json")));
    assertThat(config.get("tie_word_embeddings").asBoolean()).isFalse();
    assertThat(config.get("x").asInt()).isOne();
  }

  @Test
  void anOutputEmbeddingThatIsNotTiedMustBeThere() throws Exception {
    Path base =
        new TestModel()
            .with("model.embed_tokens.weight", DType.F32, 3, 4)
            .writeFolder(folder.resolve("base"), "{\"tie_word_embeddings\": false}");
    AdapterFile adapter = seal(adapter(layer("lm_head.weight", 3, 4)));
    assertThat(refused(ModelMerge.into(base).adapter(adapter).build(), folder.resolve("m")))
        .hasMessageContaining("lm_head.weight [3, 4]: the base model has no such tensor");
  }

  @Test
  void aConfigThatIsNoObjectIsRefused() throws Exception {
    Path base =
        new TestModel().with("w", DType.F32, 3, 4).writeFolder(folder.resolve("base"), "[true]");
    ModelMerge merge = ModelMerge.into(base).adapter(seal(adapter(layer("w", 3, 4)))).build();
    assertThatThrownBy(merge::dryRun)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not a JSON object");
  }

  @Test
  void denseTensorsReplaceAndAdd() throws Exception {
    Path base =
        new TestModel()
            .with("a", DType.F32, 3)
            .with("b", DType.F32, 2, 2)
            .writeShards(folder.resolve("base"), 2);
    AdapterFile adapter =
        seal(adapter(layer("b", 2, 2)).dense(dense("a", 3)).dense(dense("new", 5)));
    ModelMerge.Report report =
        ModelMerge.into(base).adapter(adapter).build().write(folder.resolve("merged"));
    assertThat(report.replaced()).isEqualTo(2);
    try (Model merged = Model.open(folder.resolve("merged"))) {
      assertThat(merged.tensors().keySet()).containsExactlyInAnyOrder("a", "b", "new");
      assertThat(merged.tensors().get("a").data().toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
      assertThat(merged.index()).isNotNull();
      assertThat(merged.index().get("weight_map").has("new")).isTrue();
      assertThat(merged.index().get("metadata").get("total_size").asLong())
          .isEqualTo(report.bytes())
          .isEqualTo(12 + 16 + 20);
    }
  }

  @Test
  void denseTensorOfAnotherShapeOrKindIsRefusedUnlessAskedFor() throws Exception {
    Path base =
        new TestModel()
            .with("a", DType.F32, 4)
            .with(
                new Slot("i", "I64", List.of(1L), 8),
                MemorySegment.ofArray(new byte[] {1, 2, 3, 4, 5, 6, 7, 8}))
            .writeShards(folder.resolve("base"), 1);
    AdapterFile adapter = seal(adapter().dense(dense("a", 3)).dense(dense("i", 1)));
    ModelMerge.Builder merge = ModelMerge.into(base).adapter(adapter);

    assertThat(refused(merge.build(), folder.resolve("merged")))
        .hasMessageContaining("a: F32 [3] in the adapter, F32 [4] in the base model")
        .hasMessageContaining("i: F32 [1] in the adapter, I64 [1] in the base model");
    assertThat(folder.resolve("merged")).doesNotExist();
    assertThat(merge.reshape(true).build().write(folder.resolve("merged")).replaced()).isEqualTo(2);
    try (Model merged = Model.open(folder.resolve("merged"))) {
      assertThat(merged.tensors().get("a").shape()).containsExactly(3L);
      assertThat(merged.tensors().get("i").type()).isEqualTo("F32");
    }
  }

  @Test
  void adaptersThatReplaceOneTensorAreRefused() throws Exception {
    AdapterFile one = seal(adapter().dense(dense("model.a.weight", 3)));
    AdapterFile two = seal(adapter(layer("model.a.weight", 3, 4)));
    Path base = base();
    assertThat(
            refused(ModelMerge.into(base).adapter(one).adapter(one).build(), folder.resolve("m")))
        .hasMessageContaining("model.a.weight: two adapters replace it");
    assertThat(
            refused(ModelMerge.into(base).adapter(one).adapter(two).build(), folder.resolve("m")))
        .hasMessageContaining("model.a.weight: one adapter replaces it and another adapts it");
  }

  private static Sha256 identity(Path base, String name) throws IOException {
    try (Model model = Model.open(base)) {
      var tensor = model.tensors().get(name);
      return BaseIdentity.of(
          List.of(BaseIdentity.Tensor.of(name, DType.F32, List.of(3, 4), tensor.data())));
    }
  }

  @Test
  void anotherBaseModelIsRefusedUnlessAskedFor() throws Exception {
    Path base = base();
    Sha256 right = identity(base, "model.a.weight");
    Sha256 wrong = Sha256.hash(new byte[0]);
    Layer layer = layer("model.a.weight", 3, 4);
    AdapterFile fits = seal(adapter(layer).base(new BaseModel("tiny", "", right)));
    AdapterFile other = seal(adapter(layer).base(new BaseModel("big", "", wrong)));
    assertThat(ModelMerge.into(base).adapter(fits).build().dryRun().warnings()).isEmpty();
    MergeRefusedException refused =
        refused(ModelMerge.into(base).adapter(other).build(), folder.resolve("m"));
    assertThat(refused.reason()).isEqualTo(MergeRefusedException.Reason.BASE);
    assertThat(refused)
        .hasMessageContaining("(big)")
        .hasMessageContaining(right.toString())
        .hasMessageContaining(wrong.toString());
    assertThat(names(folder)).containsExactly("base");
    assertThat(
            ModelMerge.into(base)
                .adapter(other)
                .baseCheck(ModelMerge.BaseCheck.WARN)
                .build()
                .dryRun()
                .warnings())
        .singleElement()
        .asString()
        .contains("is not the base model");
    assertThat(
            ModelMerge.into(base)
                .adapter(other)
                .baseCheck(ModelMerge.BaseCheck.SKIP)
                .build()
                .dryRun()
                .warnings())
        .isEmpty();
  }

  @Test
  void theBaseIsComparedWhileItIsMerged() throws Exception {
    Path base =
        new TestModel()
            .with("model.a.weight", DType.F32, 700, 1000)
            .with("model.b.weight", DType.BF16, 4, 2)
            .writeFolder(folder.resolve("base"), "{\"model_type\": \"llama\"}");
    BaseIdentity.Tensor large;
    BaseIdentity.Tensor small;
    try (Model model = Model.open(base)) {
      large =
          BaseIdentity.Tensor.of(
              "model.a.weight",
              DType.F32,
              List.of(700, 1000),
              model.tensors().get("model.a.weight").data());
      small =
          BaseIdentity.Tensor.of(
              "model.b.weight",
              DType.BF16,
              List.of(4, 2),
              model.tensors().get("model.b.weight").data());
    }
    Layer[] layers = {layer("model.a.weight", 700, 1000), layer("model.b.weight", 4, 2)};
    AdapterFile fits =
        seal(adapter(layers).base(new BaseModel("", "", BaseIdentity.of(List.of(large, small)))));
    AdapterFile other =
        seal(adapter(layers).base(new BaseModel("", "", BaseIdentity.of(List.of(large)))));
    AdapterFile unstated = seal(adapter(layers[1]));

    assertThat(ModelMerge.into(base).adapter(fits).build().write(folder.resolve("same")).warnings())
        .isEmpty();
    assertThat(
            ModelMerge.into(base)
                .adapter(fits)
                .dtype(DType.F16)
                .build()
                .write(folder.resolve("converted"))
                .warnings())
        .isEmpty();
    assertThat(
            ModelMerge.into(base)
                .adapter(other)
                .adapter(unstated)
                .baseCheck(ModelMerge.BaseCheck.WARN)
                .build()
                .write(folder.resolve("warned"))
                .warnings())
        .hasSize(2)
        .anySatisfy(warning -> assertThat(warning).contains("is not the base model"))
        .anySatisfy(warning -> assertThat(warning).contains("does not state the identity"));
  }

  @Test
  void anAdapterWhoseBitsAreNotItsAuthorsIsRefused() throws Exception {
    Adapter adapter = adapter(layer("model.a.weight", 3, 4)).build();
    AdapterFile forged = new AdapterFile(adapter, Sha256.hash(new byte[0]));
    ModelMerge merge = ModelMerge.into(base()).adapter(forged).build();
    assertThatThrownBy(() -> merge.write(folder.resolve("m")))
        .isInstanceOf(DigestMismatchException.class);
    assertThat(names(folder)).containsExactly("base");
  }

  @Test
  void configAndTokenizerAreCopiedAndPicklesAndHiddenFilesAreNot() throws Exception {
    Path base = base();
    for (String name :
        List.of(
            "tokenizer.json",
            "LICENSE",
            "pytorch_model.bin",
            "old.PKL",
            ".git-config",
            "flax_model.msgpack",
            "pytorch_model.bin.index.json")) {
      Files.writeString(base.resolve(name), name);
    }
    Files.createDirectories(base.resolve("runs"));
    Files.createSymbolicLink(base.resolve("vocab.txt"), base.resolve("tokenizer.json"));
    Files.createSymbolicLink(base.resolve("linked"), base.resolve("runs"));
    Files.createSymbolicLink(base.resolve("broken.txt"), base.resolve("nowhere"));
    AdapterFile adapter = seal(adapter(layer("model.a.weight", 3, 4)));
    ModelMerge.Report report =
        ModelMerge.into(base).adapter(adapter).build().write(folder.resolve("merged"));
    assertThat(names(folder.resolve("merged")))
        .containsExactly(
            "LICENSE", "config.json", "model.safetensors", "tokenizer.json", "vocab.txt");
    assertThat(report.left())
        .containsExactlyInAnyOrder(
            "pytorch_model.bin",
            "old.PKL",
            "flax_model.msgpack",
            "pytorch_model.bin.index.json",
            "runs",
            "linked",
            "broken.txt");
    assertThat(folder.resolve("merged/vocab.txt")).isRegularFile().hasContent("tokenizer.json");
    assertThat(Files.isSymbolicLink(folder.resolve("merged/vocab.txt"))).isFalse();
  }

  @Test
  void configThatWasDeletedFromTheHubsCache_isNotLeftOut() throws Exception {
    Path base = base();
    Files.delete(base.resolve("config.json"));
    Files.createSymbolicLink(base.resolve("config.json"), base.resolve("nowhere"));
    ModelMerge merge =
        ModelMerge.into(base).adapter(seal(adapter(layer("model.a.weight", 3, 4)))).build();

    assertThatThrownBy(() -> merge.write(folder.resolve("merged")))
        .isInstanceOf(InvalidModelException.class)
        .hasMessageContaining("config.json: is a link to a file that does not exist");
    assertThat(folder.resolve("merged")).doesNotExist();
  }

  @Test
  void aDestinationThatIsThereOrInTheBaseIsRefused() throws Exception {
    Path base = base();
    ModelMerge merge =
        ModelMerge.into(base).adapter(seal(adapter(layer("model.a.weight", 3, 4)))).build();
    List<String> before = names(base);
    for (Path destination :
        List.of(
            base,
            base.resolve("sub"),
            base.resolve("config.json"),
            folder.resolve("none/merged"),
            folder.resolve("base/../base/x"))) {
      assertThat(refused(merge, destination)).as("%s", destination).isNotNull();
      assertThat(refused(merge, destination).reason())
          .isEqualTo(MergeRefusedException.Reason.DESTINATION);
    }
    Path link = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("nowhere"));
    assertThat(refused(merge, link).reason()).isEqualTo(MergeRefusedException.Reason.DESTINATION);
    assertThat(names(base)).isEqualTo(before);
  }

  @Test
  void anInfiniteWeightIsRefusedWithTensorAndElementAndNothingIsLeft() throws Exception {
    TestModel model = new TestModel().with("w", DType.F16, 2, 3);
    TestModel.set(DType.F16, model.data("w"), 4, 65504);
    Path base = model.writeFile(folder.resolve("base.safetensors"));
    AdapterFile adapter = seal(adapter(layer("w", 2, 3)));
    MergeRefusedException refused = null;
    for (double weight : new double[] {1e6, -1e6}) {
      MergeRefusedException one =
          refused(
              ModelMerge.into(base).adapter(adapter, weight).build(),
              folder.resolve("m.safetensors"));
      refused = one == null ? refused : one;
    }
    assertThat(refused).isNotNull().hasMessageContaining("tensor w, element ");
    assertThat(refused.reason()).isEqualTo(MergeRefusedException.Reason.OVERFLOW);
    assertThat(names(folder)).containsExactly("base.safetensors");
  }

  @Test
  void aDryRunSaysWhatTheMergeWouldDoAndWritesNothing() throws Exception {
    ModelMerge merge =
        ModelMerge.into(base()).adapter(seal(adapter(layer("model.a.weight", 3, 4)))).build();
    ModelMerge.Report dry = merge.dryRun();
    assertThat(names(folder)).containsExactly("base");
    assertThat(merge.write(folder.resolve("merged"))).isEqualTo(dry);
  }

  @Test
  void progressEndsAtAllBytes() throws Exception {
    List<Long> seen = new ArrayList<>();
    ModelMerge.Report report =
        ModelMerge.into(base())
            .adapter(seal(adapter(layer("model.a.weight", 3, 4))))
            .progress(
                (done, total) -> {
                  seen.add(done);
                  seen.add(total);
                })
            .build()
            .write(folder.resolve("merged"));
    assertThat(seen).hasSize(6).endsWith(report.bytes(), report.bytes());
  }

  @Test
  void anInterruptedMergeLeavesNothing() throws Exception {
    Path base = base();
    Thread merging = Thread.currentThread();
    ModelMerge merge =
        ModelMerge.into(base)
            .adapter(seal(adapter(layer("model.a.weight", 3, 4))))
            .threads(1)
            .progress((_, _) -> merging.interrupt())
            .build();
    assertThatThrownBy(() -> merge.write(folder.resolve("merged")))
        .isInstanceOf(InterruptedException.class);
    assertThat(names(folder)).containsExactly("base");
  }
}
