package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.Reconstructor;
import java.net.http.HttpResponse;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The page that compares two versions. */
class ComparePageTest {
  private static final TestRegistry REGISTRY = TestRegistry.shared();
  private static final String HOSTILE = "<b>\"metric\"</b>";
  private static final Codes SHORT = Codes.of(4, 1, 7, 3, 15);
  private static final Codes LONG = Codes.of(4, 5, 5, 12, 1, 3, 14, 6, 2);

  private static TestClient owner = REGISTRY.admin();
  private static String adapter = "";
  private static byte[] first = {};
  private static byte[] second = {};

  @BeforeAll
  static void publish() throws Exception {
    owner = REGISTRY.admin().account("compare-page", "publish");
    adapter = owner.namespace() + "/mood";
    first =
        file(
            Metadata.of("text", "task", "MIT"),
            Map.of("accuracy", 0.5, HOSTILE, 1.0),
            layer("changed", lowRank(2)),
            layer("same", lowRank(4)),
            layer("removed", lowRank(2)),
            layer("direct", new Coefficients.Direct(SHORT)),
            layer("form", new Coefficients.Direct(SHORT)));
    second =
        file(
            Metadata.of("other \u202etext", "task", "MIT").withTags("calm", "kind"),
            Map.of("accuracy", 0.75),
            layer("changed", lowRank(8)),
            layer("same", lowRank(4)),
            layer("added", lowRank(2)),
            layer("direct", new Coefficients.Direct(LONG)),
            layer("form", lowRank(2)));
    assertThat(owner.publish(adapter + "@1.0.0", first).status()).isEqualTo(201);
    assertThat(owner.publish(adapter + "@1.1.0", second).status()).isEqualTo(201);
  }

  private static Coefficients lowRank(int rank) {
    return new Coefficients.LowRank(rank, SHORT, LONG);
  }

  private static Layer layer(String tensor, Coefficients coefficients) {
    return Layer.ofMatrix(tensor, 24, 16, 3, 0x1p-10f, coefficients);
  }

  private static byte[] file(Metadata metadata, Map<String, Double> metrics, Layer... layers) {
    Adapter.Builder builder =
        Adapter.builder()
            .generator(Generator.SRHT)
            .seed(11)
            .base(new BaseModel("compare/model", "main", null))
            .metadata(metadata.withMetrics(new TreeMap<>(metrics)));
    for (Layer layer : layers) {
      builder.layer(layer);
    }
    return Samples.seal(builder.build());
  }

  private static HttpResponse<String> visit(String query) throws Exception {
    return PageClient.of(REGISTRY, null).get("/" + adapter + "/compare" + query);
  }

  /** The row of a layer without markup, such as {@code changed rank 2 → 8 0.5000}. */
  private static String row(String page, String tensor) {
    int start = page.indexOf("<code>" + tensor + "</code>");
    assertThat(start).as(tensor).isPositive();
    return page.substring(start, page.indexOf("</tr>", start))
        .replaceAll("<[^>]*>", " ")
        .replaceAll("\\s+", " ")
        .strip();
  }

  /** By the definition: every element of both ΔW. */
  private static String expected(String tensor) throws Exception {
    Factors one = factors(first, tensor);
    Factors two = factors(second, tensor);
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < one.layer().rows(); i++) {
      double[] left = one.deltaRow(i);
      double[] right = two.deltaRow(i);
      for (int j = 0; j < left.length; j++) {
        difference += (left[j] - right[j]) * (left[j] - right[j]);
        norm += left[j] * left[j];
      }
    }
    return String.format(Locale.ENGLISH, "%.4g", Math.sqrt(difference / norm));
  }

  private static Factors factors(byte[] bytes, String tensor) throws Exception {
    Adapter read = AdapterFile.read(bytes).adapter();
    Function<Layer, Factors> factors = Reconstructor.standard().open(read);
    return factors.apply(
        read.layers().stream().filter(l -> l.tensor().equals(tensor)).findFirst().orElseThrow());
  }

  @Test
  void distancesAreThoseOfTheChangesToTheWeights() throws Exception {
    String page = visit("?from=1.0.0&to=1.1.0&distances=true").body();
    assertThat(row(page, "changed")).isEqualTo("changed rank 2 → 8 " + expected("changed"));
    assertThat(row(page, "direct")).isEqualTo("direct k 4 → 8 " + expected("direct"));
    assertThat(row(page, "same")).isEqualTo("same none 0");
    assertThat(row(page, "added")).isEqualTo("added added –");
    assertThat(row(page, "removed")).isEqualTo("removed removed –");
    assertThat(row(page, "form")).endsWith("–");
    assertThat(page).contains("1 layer added, 1 removed");
    assertThat(row(visit("?from=1.1.0&to=1.0.0&distances=true").body(), "changed"))
        .isNotEqualTo("changed rank 8 → 2 " + expected("changed"));
  }

  @Test
  void metricsAreSideBySide_andLatestVersionsAreTheDefault() throws Exception {
    String page = visit("").body();
    assertThat(page)
        .contains("0.5000", "0.7500", "+0.2500", "Compute the distances", "hx-trigger=\"load\"")
        .contains("&lt;b&gt;&quot;metric&quot;&lt;/b&gt;")
        .doesNotContain(HOSTILE);
    assertThat(row(page, "changed")).isEqualTo("changed rank 2 → 8 –");
  }

  @Test
  void propertiesAreShownWhereTheyDiffer() throws Exception {
    String page = visit("").body();
    String table = page.substring(page.indexOf("<table id=\"properties\""));
    assertThat(table.substring(0, table.indexOf("</table>")).replaceAll("<[^>]*>|\\s+", " "))
        .containsSubsequence("description", "text", "other", "tags", "–", "calm, kind")
        .doesNotContain("licence", "task", "generator");
    assertThat(visit("?from=1.0.0&to=1.0.0").body()).doesNotContain("Properties");
  }

  @Test
  void singleVersionSaysHowToPublishAnother() throws Exception {
    String single = owner.namespace() + "/single";
    owner.publish(single + "@1.0.0", Samples.file(71));
    assertThat(PageClient.of(REGISTRY, null).get("/" + single + "/compare").body())
        .contains("nola publish adapter.nola " + single + "@VERSION");
  }

  @Test
  void absentVersionsAndPrivateAdaptersAreNotFound() throws Exception {
    assertThat(visit("?from=1.0.0&to=9.9.9").statusCode()).isEqualTo(404);
    String hidden = owner.namespace() + "/hidden";
    owner.publishPrivate(hidden + "@1.0.0", Samples.file(72));
    owner.publish(hidden + "@1.1.0", Samples.file(73));
    String path = "/" + hidden + "/compare?distances=true";
    assertThat(PageClient.of(REGISTRY, null).get(path).statusCode()).isEqualTo(404);
    assertThat(PageClient.of(REGISTRY, owner.token()).get(path).statusCode()).isEqualTo(200);
  }
}
