package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Adapter;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Pages of an adapter's versions. */
class AdapterPageTest {
  private static final TestRegistry REGISTRY = TestRegistry.shared();
  private static final String HOSTILE = "<script>alert(\"1\")</script>";

  private static TestClient owner = REGISTRY.admin();
  private static String namespace = "";

  @BeforeAll
  static void publish() throws Exception {
    owner = REGISTRY.admin().account("adapter-page", "publish");
    namespace = owner.namespace();
    Metadata metadata =
        Metadata.of(HOSTILE, "text", "MIT").withMetrics(new TreeMap<>(Map.of("accuracy", 0.875)));
    publish("/mood@1.0.0", Samples.file(81, metadata));
    publish("/mood@1.1.0", Samples.file(82));
    Codes codes = Codes.of(4, 1, 7, 3, 15);
    Adapter direct =
        Adapter.builder()
            .generator(Generator.SRHT)
            .seed(83)
            .base(new BaseModel("acme/base", "main", null))
            .metadata(metadata)
            .layer(Layer.ofMatrix("w", 24, 16, 3, 0x1p-10f, new Coefficients.Direct(codes)))
            .build();
    publish("/direct@1.0.0", Samples.seal(direct));
  }

  private static void publish(String reference, byte[] file) throws Exception {
    assertThat(owner.publish(namespace + reference, file).status()).isEqualTo(201);
  }

  private static String page(String path) throws Exception {
    return PageClient.of(REGISTRY, null).get("/" + namespace + path).body();
  }

  @Test
  void latestVersionIsShown_andOthersByTheirNumber() throws Exception {
    assertThat(page("/mood")).contains("nola pull " + namespace + "/mood@1.1.0");
    String first = page("/mood/1.0.0");
    assertThat(first)
        .contains("nola pull " + namespace + "/mood@1.0.0", "accuracy", "0.8750")
        .contains("http://127.0.0.1:" + REGISTRY.port() + "/hf")
        .contains("&lt;script&gt;alert")
        .doesNotContain(HOSTILE);
  }

  @Test
  void sizeSaysWhatTheBytesAreFor() throws Exception {
    // Twice eight codes of four bits; a LoRA of rank 4 of a 64×32 matrix has 2·4·(64 + 32) bytes.
    assertThat(page("/mood"))
        .contains("<dt>Coefficients</dt><dd>8 B</dd>", "<span>0 B</span>", "LoRA 768 B");
  }

  @Test
  void snippetsAreThoseThatWorkForTheForm() throws Exception {
    assertThat(page("/mood")).contains("PeftModel", "vllm serve", "llama-cli", "attach(model");
    assertThat(page("/direct"))
        .contains("nola merge", "Registry().pull")
        .doesNotContain("PeftModel", "vllm serve", "llama-cli", "attach(model", "class=\"lora\"");
  }

  @Test
  void layersAreATableOfTheirOwn() throws Exception {
    assertThat(page("/mood")).contains("/mood/1.1.0/layers#l0\"");
    assertThat(page("/mood/1.1.0/layers"))
        .contains("id=\"l0\"", "model.layers.0.self_attn.q_proj.weight", "64 × 32");
  }

  @Test
  void yankedVersionWarnsWithTheReason() throws Exception {
    String name = namespace + "/gone";
    publish("/gone@1.0.0", Samples.file(84));
    owner.put("/api/v1/adapters/" + name + "/versions/1.0.0/yank", Map.of("reason", HOSTILE));
    assertThat(page("/gone/1.0.0")).contains("Yanked by", "&lt;script&gt;alert");
    assertThat(page("/gone"))
        .contains("No version is the latest one", "yanked: &lt;script&gt;")
        .doesNotContain(HOSTILE);
  }

  @Test
  void aliasHasItsHistory() throws Exception {
    String alias = "/api/v1/adapters/" + namespace + "/mood/aliases/prod";
    owner.put(alias, Map.of("version", "1.0.0"));
    owner.put(alias, Map.of("version", "1.1.0"));
    String history = page("/mood/aliases/prod");
    assertThat(history.indexOf(">1.1.0<")).isPositive().isLessThan(history.indexOf(">1.0.0<"));
    assertThat(page("/mood")).contains("alias prod", "/mood/aliases/prod");
  }
}
