package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.Metadata;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pages of base models and namespaces, and feeds. */
class CatalogPagesTest {
  private static final TestRegistry REGISTRY = TestRegistry.shared();
  private static final String HOSTILE = "<script>alert(\"1\")</script> & \u202etxt";
  private static final Pattern ROWS =
      Pattern.compile("<th scope=\"row\"><a[^>]*>[^/<]*/([^<]*)</a>");

  private static final Pattern BASE =
      Pattern.compile("<dt>Base model</dt>\\s*<dd><a href=\"([^\"]*)");

  private static TestClient owner = REGISTRY.admin();
  private static String namespace = "";
  private static String base = "";

  @BeforeAll
  static void publish() throws Exception {
    owner = REGISTRY.admin().account("catalog-pages", "publish");
    namespace = owner.namespace();
    base = "catalog-pages/model of " + namespace;
    publish("first", 1, Map.of("accuracy", 0.5));
    publish("second", 2, Map.of("accuracy", 0.75, "loss", 1.25));
    publish("third", 3, Map.of());
    assertThat(owner.publishPrivate(namespace + "/hidden@1.0.0", file(4, Map.of())).status())
        .isEqualTo(201);
  }

  private static void publish(String name, long seed, Map<String, Double> metrics)
      throws Exception {
    assertThat(owner.publish(namespace + "/" + name + "@1.0.0", file(seed, metrics)).status())
        .isEqualTo(201);
  }

  private static byte[] file(long seed, Map<String, Double> metrics) {
    Metadata metadata = Metadata.of(HOSTILE, "text", "MIT").withMetrics(new TreeMap<>(metrics));
    return Samples.file(seed, metadata, base, 4);
  }

  private static HttpResponse<String> visit(String path) throws Exception {
    return PageClient.of(REGISTRY, null).get(path);
  }

  private static HttpResponse<String> visitAsMember(String path) throws Exception {
    return PageClient.of(REGISTRY, owner.token()).get(path);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "plain/name",
        "a b?c#d&e=f",
        "a//b",
        "/etc/passwd",
        "../../x",
        "a/../b",
        "a/./b",
        ".",
        "..",
        "...",
        "a/",
        "a;b=c",
        "50%",
        "a%2Fb",
        "a\\b",
        "https://huggingface.co/x/y",
        "//evil.example/x",
        "javascript:alert(1)",
        "ü\u202e"
      })
  void linkToTheBaseLeadsToItsAdapters_whateverItsName(String name) throws Exception {
    String own = owner.namespace();
    byte[] file = Samples.file(7, Metadata.of("", "text", "MIT"), name, 4);
    assertThat(owner.publish(own + "/mood@1.0.0", file).status()).isEqualTo(201);
    Matcher link = BASE.matcher(visit("/" + own + "/mood").body());
    assertThat(link.find()).isTrue();

    HttpResponse<String> page = visit(link.group(1).replace("&amp;", "&"));

    assertThat(page.statusCode()).as(link.group(1)).isEqualTo(200);
    assertThat(page.body()).contains("href=\"/" + own + "/mood");
  }

  private static String basePath() {
    return "/base/" + base.replace(" ", "%20");
  }

  private static List<String> rows(String page) {
    return ROWS.matcher(page).results().map(row -> row.group(1)).toList();
  }

  @Test
  void baseModelHasItsAdaptersWithMetrics_withoutPrivateOnesForVisitors() throws Exception {
    HttpResponse<String> page = visit(basePath());
    assertThat(page.statusCode()).isEqualTo(200);
    assertThat(rows(page.body())).containsExactly("third", "second", "first");
    assertThat(page.body())
        .contains("accuracy", "loss", "0.7500", "1.250", "0.5000")
        .doesNotContain("hidden</a>");
    assertThat(rows(visitAsMember(basePath()).body())).contains("hidden");
  }

  @Test
  void baseModelIsSortedByMetric_withThoseWithoutItLast() throws Exception {
    String best = visit(basePath() + "?sort=-metric:accuracy").body();
    assertThat(rows(best)).containsExactly("second", "first", "third");
    assertThat(best).contains("aria-sort=\"descending\"", "sort=metric:accuracy\"");
    String worst = visit(basePath() + "?sort=metric:accuracy").body();
    assertThat(rows(worst)).containsExactly("first", "second", "third");
    assertThat(rows(visit(basePath() + "?sort=name").body()))
        .containsExactly("first", "second", "third");
    assertThat(rows(visit(basePath() + "?sort=-name").body()))
        .containsExactly("third", "second", "first");
    assertThat(rows(visit(basePath() + "?sort=absent").body())).hasSize(3);
  }

  @Test
  void unknownBaseModelSaysHowToPublish_andShowsItsNameAsText() throws Exception {
    HttpResponse<String> page =
        visit("/base/" + URLEncoder.encode("<b>\"x\"", StandardCharsets.UTF_8) + "/jobs");
    assertThat(page.statusCode()).isEqualTo(200);
    assertThat(page.body())
        .contains("&lt;b&gt;&quot;x&quot;/jobs", "nola publish")
        .doesNotContain("<b>");
  }

  @Test
  void namespaceHasMembersAndQuotaForMembersAlone() throws Exception {
    String visitor = visit("/ns/" + namespace).body();
    assertThat(visitor)
        .contains(namespace + "/first", "&lt;script&gt;")
        .contains("rel=\"alternate\" type=\"application/rss+xml\"", "/feed/" + namespace + ".rss")
        .doesNotContain("<script>alert", "hidden</a>", "Members", "Quota", "catalog-pages</th>");
    assertThat(visitAsMember("/ns/" + namespace).body())
        .contains(namespace + "/hidden", "Members", "catalog-pages</th>", "owner", "107 GB");
    assertThat(visit("/ns/absent-namespace").statusCode()).isEqualTo(404);
  }

  @Test
  void pathsOfTheRegistryAreNotAdapters() throws Exception {
    assertThat(visit("/assets/nola.css").body()).contains(":root");
    assertThat(visit("/swagger-ui/index.html").body()).contains("Swagger UI");
    for (String path : List.of("/base/a/compare", "/base/a/b/aliases/c", "/base/aliases")) {
      assertThat(visit(path).body()).as(path).contains("No adapter of this model");
    }
  }

  @Test
  void slashAtTheEndLeadsToThePage_butNotInTheApi() throws Exception {
    assertRedirect("/" + namespace + "/first/", "/" + namespace + "/first");
    assertRedirect("/" + namespace + "/first/1.0.0/?x=1", "/" + namespace + "/first/1.0.0?x=1");
    assertRedirect("/base/acme/llama/", "/base/acme/llama");
    assertRedirect("/jobs/", "/jobs");
    assertRedirect("/base/", "/base");
    assertThat(visit("/api/v1/adapters/").statusCode()).isEqualTo(404);
    assertThat(visit("/v2/").statusCode()).isNotEqualTo(308);
  }

  private static void assertRedirect(String path, String to) throws Exception {
    HttpResponse<String> answer = visit(path);
    assertThat(answer.statusCode()).as(path).isEqualTo(308);
    assertThat(answer.headers().firstValue("Location").orElse("")).endsWith(to);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/base/a%2fb", "/base/a%00b", "/?q=%00", "/base/a;b", "/%zz"})
  void refusalsBeforeTheApplicationArePagesToo(String path) throws Exception {
    String body = send(path);
    assertThat(body).startsWith("HTTP/1.1 400").contains("text/html", "<h1>").contains("equest ");
  }

  /** By hand, since clients do not send such paths. */
  private static String send(String path) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), REGISTRY.port())) {
      String request =
          "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.formatted(path).getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void emptyNamespaceSaysHowToPublish() throws Exception {
    String empty = owner.namespace();
    assertThat(visitAsMember("/ns/" + empty).body())
        .contains("nola publish adapter.nola " + empty + "/mood@1.0.0");
    assertThat(visit("/ns/" + empty).body()).doesNotContain("nola publish");
  }

  @Test
  void feedHasPublicVersionsWithEscapedTexts() throws Exception {
    HttpResponse<String> feed = visitAsMember("/feed/" + namespace + ".rss");
    assertThat(feed.headers().firstValue("Content-Type"))
        .hasValue("application/rss+xml;charset=UTF-8");
    String page = "http://127.0.0.1:" + REGISTRY.port() + "/" + namespace + "/first/1.0.0";
    assertThat(feed.body())
        .contains("<title>" + namespace + "/first 1.0.0</title>")
        .contains("<link>" + page + "</link><guid>" + page + "</guid>")
        .contains("&amp;lt;script&amp;gt;")
        .doesNotContain("<script>", "&lt;script", "hidden");
    assertThat(feed.body().indexOf("/third")).isLessThan(feed.body().indexOf("/first"));
    assertThat(visit("/feed/absent-namespace.rss").statusCode()).isEqualTo(404);
  }

  @Test
  void yankedVersionLeavesTheFeed() throws Exception {
    String name = namespace + "/gone";
    publish("gone", 5, Map.of());
    assertThat(visit("/feed/" + namespace + ".rss").body()).contains(name);
    owner.put("/api/v1/adapters/" + name + "/versions/1.0.0/yank", Map.of("reason", "wrong"));
    assertThat(visit("/feed/" + namespace + ".rss").body()).doesNotContain(name);
  }
}
