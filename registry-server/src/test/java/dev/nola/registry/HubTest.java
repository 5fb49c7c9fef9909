package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.client.export.LoraExport;
import dev.nola.client.export.peft.PeftFormat;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.DType;
import dev.nola.format.Layer;
import dev.nola.generator.Generator;
import dev.nola.registry.TestClient.Answer;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Answers to Hugging Face's clients; {@code interop/hub} runs the clients themselves. */
class HubTest {
  private static final String CARD = "README.md";
  private static final String CONFIG = "adapter_config.json";
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final String ADAPTER = "adapter.nola";
  private static final String SIGNATURE = "model.sig";

  private final TestRegistry registry = TestRegistry.shared();
  private final TestClient admin = registry.admin();
  private final TestClient anyone = registry.anonymous();
  private TestClient ann = admin;
  private String namespace = "";
  private String id = "";
  private String model = "";

  @TempDir private Path folder;

  @BeforeEach
  void createNamespace() throws Exception {
    ann = admin.account("ann", "publish");
    namespace = ann.namespace();
    id = namespace + "/mood";
    model = "/hf/api/models/" + id;
  }

  private byte[] publish(String version, long seed) throws Exception {
    return publish(version, Samples.file(seed));
  }

  private byte[] publish(String version, byte[] file) throws Exception {
    assertThat(ann.publish(id + "@" + version, file).status()).isEqualTo(201);
    return file;
  }

  private Answer file(String revision, String name, String... headers) throws Exception {
    return anyone.get("/hf/" + id + "/resolve/" + revision + "/" + name, headers);
  }

  private static String commit(byte[] file) {
    return Sha256.hash(file).hex().substring(0, 40);
  }

  private static String error(Answer answer) {
    return answer.status() + " " + answer.header("X-Error-Code");
  }

  private static List<String> texts(JsonNode list, String pointer) {
    return StreamSupport.stream(list.spliterator(), false)
        .map(item -> item.at(pointer).asString(""))
        .toList();
  }

  /** Several modules of different shapes and ranks. */
  private static byte[] modules() {
    Adapter.Builder adapter = Adapter.builder().generator(Generator.SRHT).seed(7);
    int[][] shapes = {{64, 32, 4}, {16, 80, 1}, {128, 128, 8}, {8, 8, 2}};
    for (int i = 0; i < shapes.length; i++) {
      adapter.layer(
          Layer.ofMatrix(
              "model.layers.%d.self_attn.q_proj.weight".formatted(i),
              shapes[i][0],
              shapes[i][1],
              i,
              0x1p-10f,
              new Coefficients.LowRank(
                  shapes[i][2], Codes.of(4, 1, 7, 3, 15), Codes.of(4, 5, 12, 1, 3))));
    }
    return Samples.seal(adapter.build());
  }

  private Path exported(byte[] file) throws Exception {
    Path exported = folder.resolve("exported");
    LoraExport.of(AdapterFile.read(file), PeftFormat.STANDARD)
        .dtype(DType.F16)
        .build()
        .write(exported);
    return exported;
  }

  @Test
  void filesAreThoseThatAnExportWrites() throws Exception {
    byte[] adapter = publish("1.0.0", modules());
    Path exported = exported(adapter);

    for (String name : List.of(CARD, CONFIG, WEIGHTS)) {
      Answer answer = file("main", name);
      byte[] expected = Files.readAllBytes(exported.resolve(name));
      assertThat(answer.status()).as(name).isEqualTo(200);
      assertThat(answer.bytes()).as(name).isEqualTo(expected);
      assertThat(answer.header("Content-Length")).isEqualTo("" + expected.length);
      assertThat(answer.header("X-Repo-Commit")).isEqualTo(commit(adapter));
      assertThat(answer.header("Accept-Ranges")).isEqualTo("bytes");
    }
    assertThat(file("main", ADAPTER).bytes()).isEqualTo(adapter);
    assertThat(file("main", ADAPTER).header("ETag"))
        .isEqualTo('"' + Sha256.hash(adapter).hex() + '"');
    assertThat(file("main", WEIGHTS).header("ETag"))
        .isEqualTo('"' + Sha256.hash(exported.resolve(WEIGHTS)).hex() + '"');
    assertThat(file("main", CARD).header("ETag")).matches("\"[0-9a-f]{40}\"");
  }

  @Test
  void anyRangeOfTheWeightsIsThatOfTheExport() throws Exception {
    byte[] weights = Files.readAllBytes(exported(publish("1.0.0", modules())).resolve(WEIGHTS));
    int size = weights.length;
    Random random = new Random(1);

    List<int[]> ranges = new ArrayList<>();
    ranges.add(new int[] {0, 1});
    ranges.add(new int[] {size - 1, size});
    for (int i = 0; i < 50; i++) {
      int start = random.nextInt(size);
      ranges.add(new int[] {start, start + 1 + random.nextInt(size - start)});
    }
    for (int[] range : ranges) {
      Answer answer =
          file("main", WEIGHTS, "Range", "bytes=%d-%d".formatted(range[0], range[1] - 1));
      assertThat(answer.status()).isEqualTo(206);
      assertThat(answer.header("Content-Range"))
          .isEqualTo("bytes %d-%d/%d".formatted(range[0], range[1] - 1, size));
      assertThat(answer.bytes()).isEqualTo(Arrays.copyOfRange(weights, range[0], range[1]));
    }
    assertThat(file("main", WEIGHTS, "Range", "bytes=-9").bytes())
        .isEqualTo(Arrays.copyOfRange(weights, size - 9, size));
    assertThat(file("main", WEIGHTS, "Range", "bytes=9-999999999").bytes())
        .isEqualTo(Arrays.copyOfRange(weights, 9, size));
    assertThat(file("main", WEIGHTS, "Range", "bytes=" + size + "-").refusal())
        .isEqualTo("416 range");
    String etag = String.valueOf(file("main", WEIGHTS).header("ETag"));
    assertThat(file("main", WEIGHTS, "If-None-Match", etag).status()).isEqualTo(304);
    Answer head = anyone.head("/hf/" + id + "/resolve/main/" + WEIGHTS);
    assertThat(head.status()).isEqualTo(200);
    assertThat(head.header("Content-Length")).isEqualTo("" + size);
    assertThat(head.header("ETag")).isEqualTo(etag);
    assertThat(new String(admin.get("/actuator/prometheus").bytes(), StandardCharsets.UTF_8))
        .contains("nola_hub_held_bytes 0.0");
  }

  @Test
  void revisionIsMainOrAVersionOrAnAliasOrACommit() throws Exception {
    byte[] first = publish("1.0.0", 1);
    byte[] second = publish("1.1.0", 2);
    ann.put("/api/v1/adapters/" + id + "/aliases/stable", Map.of("version", "1.0.0"));
    ann.put("/api/v1/adapters/" + id + "/aliases/main", Map.of("version", "1.0.0"));

    for (String revision : List.of("main", "HEAD", "1.1.0", "%5E1", commit(second))) {
      Answer answer = anyone.get(model + "/revision/" + revision);
      assertThat(answer.text("/sha")).as(revision).isEqualTo(commit(second));
      assertThat(file(revision, ADAPTER).bytes()).as(revision).isEqualTo(second);
    }
    for (String revision : List.of("stable", "1.0.0", commit(first))) {
      assertThat(file(revision, ADAPTER).bytes()).as(revision).isEqualTo(first);
    }
    assertThat(anyone.get(model).text("/sha")).isEqualTo(commit(second));
    assertThat(file(commit(first), ADAPTER).header("Cache-Control"))
        .isEqualTo("public, max-age=31536000, immutable");
    assertThat(file("main", ADAPTER).header("Cache-Control")).isEqualTo("public, no-cache");
    JsonNode refs = anyone.get(model + "/refs").json();
    assertThat(texts(refs.at("/branches"), "/targetCommit")).containsExactly(commit(second));
    assertThat(texts(refs.at("/tags"), "/name"))
        .containsExactlyInAnyOrder("1.1.0", "1.0.0", "main", "stable");
  }

  @ParameterizedTest
  @ValueSource(strings = {"9.0.0", "absent", "0123456789012345678901234567890123456789"})
  void absentRevisionIsNotFound(String revision) throws Exception {
    publish("1.0.0", 1);

    assertThat(error(anyone.get(model + "/revision/" + revision)))
        .isEqualTo("404 RevisionNotFound");
    assertThat(error(anyone.head("/hf/" + id + "/resolve/" + revision + "/" + ADAPTER)))
        .isEqualTo("404 RevisionNotFound");
  }

  @Test
  void absentFileIsNotFoundInACommit() throws Exception {
    byte[] file = publish("1.0.0", 1);

    Answer answer = file("main", "folder/config.json");

    assertThat(error(answer)).isEqualTo("404 EntryNotFound");
    assertThat(answer.header("X-Repo-Commit")).isEqualTo(commit(file));
    assertThat(answer.header("X-Error-Message")).contains("folder/config.json");
    assertThat(answer.refusal()).isEqualTo("404 not-found");
  }

  @Test
  void privateRepositoryLooksAbsent() throws Exception {
    ann.publishPrivate(id + "@1.0.0", Samples.file(1));
    String absent = namespace + "/none";

    for (String path : List.of("", "/revision/1.0.0", "/tree/main", "/refs")) {
      Answer secret = anyone.get(model + path);
      assertThat(error(secret)).as(path).isEqualTo("404 RepoNotFound");
      assertThat(secret.text("/detail").replace(id, absent))
          .isEqualTo(anyone.get("/hf/api/models/" + absent + path).text("/detail"));
    }
    assertThat(error(file("main", ADAPTER))).isEqualTo("404 RepoNotFound");
    assertThat(file("main", ADAPTER).header("X-Repo-Commit")).isNull();
    assertThat(ann.get(model).json().at("/private").asBoolean()).isTrue();
    assertThat(ann.get("/hf/" + id + "/resolve/main/" + WEIGHTS).header("Cache-Control"))
        .isEqualTo("private, no-cache");
    assertThat(error(anyone.get("/hf/api/models/gpt2"))).isEqualTo("404 RepoNotFound");
    assertThat(error(anyone.get("/hf/datasets/a/b/resolve/main/x"))).isEqualTo("404 RepoNotFound");
  }

  @Test
  void yankedVersionIsThereByItsNumberButNotAsMain() throws Exception {
    byte[] first = publish("1.0.0", 1);
    byte[] yanked = publish("1.1.0", 2);
    ann.put("/api/v1/adapters/" + id + "/versions/1.1.0/yank", Map.of("reason", "wrong"));

    assertThat(anyone.get(model).text("/sha")).isEqualTo(commit(first));
    assertThat(file("1.1.0", WEIGHTS).status()).isEqualTo(200);
    assertThat(file(commit(yanked), ADAPTER).bytes()).isEqualTo(yanked);
    assertThat(file("1.1.0", WEIGHTS).header("Nola-Warning")).isEqualTo("yanked: wrong");

    ann.put("/api/v1/adapters/" + id + "/versions/1.0.0/yank", Map.of("reason", "wrong"));
    assertThat(error(anyone.get(model))).isEqualTo("404 RevisionNotFound");
    assertThat(file("1.0.0", ADAPTER).bytes()).isEqualTo(first);
    JsonNode refs = anyone.get(model + "/refs").json();
    assertThat(refs.at("/branches")).isEmpty();
    assertThat(texts(refs.at("/tags"), "/name")).containsExactly("1.1.0", "1.0.0");
  }

  @Test
  void adapterThatIsNoLoraSaysWhy() throws Exception {
    byte[] direct =
        Samples.seal(
            Adapter.builder()
                .generator(Generator.SRHT)
                .metadata(Samples.METADATA)
                .layer(
                    Layer.ofMatrix(
                        "model.q_proj.weight",
                        8,
                        8,
                        0,
                        0x1p-10f,
                        new Coefficients.Direct(Codes.of(4, 1, 2))))
                .build());
    publish("1.0.0", direct);

    assertThat(texts(anyone.get(model).json().at("/siblings"), "/rfilename"))
        .containsExactly(CARD, ADAPTER, SIGNATURE);
    assertThat(anyone.get(model).text("/library_name")).isEqualTo("nola");
    assertThat(new String(file("main", CARD).bytes(), StandardCharsets.UTF_8))
        .contains("model.q_proj.weight: is in the direct form");
    assertThat(file("main", ADAPTER).bytes()).isEqualTo(direct);
    assertThat(error(file("main", WEIGHTS))).isEqualTo("404 EntryNotFound");
  }

  @Test
  void adapterAboveTheBudgetSaysSo() throws Exception {
    Codes codes = Codes.of(1, new int[40_000]);
    Adapter adapter =
        Adapter.builder()
            .generator(Generator.UNIFORM8)
            .layer(
                Layer.ofMatrix(
                    "model.q_proj.weight",
                    4096,
                    4096,
                    0,
                    0x1p-10f,
                    new Coefficients.LowRank(64, codes, codes)))
            .build();
    byte[] file = new AdapterFile(adapter, Sha256.hash(new byte[0])).toBytes();

    publish("1.0.0", file);

    assertThat(texts(anyone.get(model + "/tree/main").json(), "/path"))
        .containsExactly(CARD, ADAPTER, SIGNATURE);
    assertThat(new String(file("main", CARD).bytes(), StandardCharsets.UTF_8))
        .contains("additions");
  }

  @Test
  void treeHasTheIdsThatGitHas() throws Exception {
    publish("1.0.0", 1);

    JsonNode tree = anyone.get(model + "/tree/main?recursive=true&expand=false").json();

    assertThat(texts(tree, "/path")).containsExactly(CARD, ADAPTER, CONFIG, WEIGHTS, SIGNATURE);
    for (JsonNode entry : tree) {
      byte[] bytes = file("main", entry.at("/path").asString()).bytes();
      assertThat(entry.at("/size").asInt()).isEqualTo(bytes.length);
      boolean isLarge = entry.has("lfs");
      byte[] kept = bytes;
      if (isLarge) {
        String sha256 = Sha256.hash(bytes).hex();
        assertThat(entry.at("/lfs/oid").asString()).isEqualTo(sha256);
        kept =
            "version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n"
                .formatted(sha256, bytes.length)
                .getBytes(StandardCharsets.UTF_8);
        assertThat(entry.at("/lfs/pointerSize").asInt()).isEqualTo(kept.length);
      }
      assertThat(entry.at("/oid").asString()).isEqualTo(gitId(kept));
    }
    assertThat(anyone.get(model + "?blobs=true").json().at("/siblings/3/lfs/sha256").asString())
        .isEqualTo(tree.at("/3/lfs/oid").asString());
  }

  /** Asks Git. */
  private static String gitId(byte[] bytes) throws Exception {
    Process git = new ProcessBuilder("git", "hash-object", "--stdin").start();
    try (var in = git.getOutputStream()) {
      in.write(bytes);
    }
    return new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
  }

  @Test
  void entriesAreFoundByFormOrJson() throws Exception {
    publish("1.0.0", 1);
    String url = model + "/paths-info/main";

    Answer json = anyone.post(url, Map.of("paths", List.of(CARD, "absent"), "expand", false));
    Answer form =
        anyone.send(
            "POST",
            url,
            BodyPublishers.ofString("paths=adapter.nola&paths=README.md&expand=False"),
            "Content-Type",
            "application/x-www-form-urlencoded");

    assertThat(texts(json.json(), "/path")).containsExactly(CARD);
    assertThat(texts(form.json(), "/path")).containsExactly(CARD, ADAPTER);
  }

  @Test
  void listHasWhatTheCallerMayReadPageByPage() throws Exception {
    for (String name : List.of("a", "b", "c")) {
      ann.publish(namespace + "/" + name + "@1.0.0", Samples.file(1));
    }
    ann.publishPrivate(namespace + "/secret@1.0.0", Samples.file(1));
    String mine = "/hf/api/models?author=" + namespace;

    List<String> found = new ArrayList<>();
    String next = mine + "&limit=2&sort=downloads&direction=-1&full=True";
    while (next != null) {
      Answer page = anyone.get(next);
      assertThat(page.json()).hasSizeLessThanOrEqualTo(2);
      found.addAll(texts(page.json(), "/id"));
      String link = page.header("Link");
      assertThat(link == null || link.startsWith("<" + anyone.server() + "/hf/api/models?"))
          .isTrue();
      next = link == null ? null : link.substring(1 + anyone.server().length(), link.indexOf(">;"));
    }

    assertThat(found)
        .containsExactlyInAnyOrder(namespace + "/a", namespace + "/b", namespace + "/c");
    assertThat(ann.get(mine).json()).hasSize(4);
    assertThat(anyone.get(mine + "&limit=2", "X-Forwarded-Proto", "https").header("Link"))
        .startsWith("<https://");
    assertThat(anyone.get(mine + "&search=sentiment").json()).hasSize(3);
    assertThat(anyone.get(mine + "&search=absent").json()).isEmpty();
    assertThat(anyone.get(mine + "&filter=peft&filter=sentiment").json()).hasSize(3);
    assertThat(anyone.get(mine + "&filter=other").json()).isEmpty();
    assertThat(anyone.get(mine + "&filter=base_model:meta-llama/Llama-2-7b-hf").json()).hasSize(3);
    assertThat(anyone.get(mine + "&filter=base_model:adapter:meta-llama/Llama-2-7b-hf").json())
        .hasSize(3);
    assertThat(anyone.get(mine + "&filter=base_model:gpt2").json()).isEmpty();
    assertThat(anyone.get(mine + "&pipeline_tag=text-classification").json()).hasSize(3);
    assertThat(anyone.get("/hf/api/models?author=Upper").json()).isEmpty();
  }

  @Test
  void infoHasTimesThatClientsCanParse() throws Exception {
    publish("1.0.0", 1);

    JsonNode info = anyone.get(model).json();

    assertThat(info.at("/lastModified").asString())
        .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z");
    assertThat(texts(info.at("/tags"), ""))
        .contains("peft", "sentiment", "base_model:adapter:meta-llama/Llama-2-7b-hf");
    assertThat(info.at("/pipeline_tag").asString()).isEqualTo("text-classification");
    assertThat(info.at("/cardData/license").asString()).isEqualTo("Apache-2.0");
  }

  @Test
  void accountSeesItsName() throws Exception {
    JsonNode account = ann.get("/hf/api/whoami-v2").json();

    assertThat(account.at("/name").asString()).isEqualTo("ann");
    assertThat(texts(account.at("/orgs"), "/name")).contains(namespace);
    assertThat(account.at("/auth/accessToken/role").asString()).isEqualTo("write");
    assertThat(anyone.get("/hf/api/whoami-v2").status()).isEqualTo(401);
    assertThat(anyone.with("invalid").get(model).status()).isEqualTo(401);
  }

  @Test
  void deletedFileLeavesNoFolder() throws Exception {
    byte[] file = publish("1.0.0", 20_260_101);
    publish("1.1.0", 1);
    file("1.0.0", CARD);
    String row = "select count(*) from hub_folder where digest = '" + Sha256.hash(file) + "'";
    assertThat(registry.database().count(row)).isOne();

    admin.delete("/api/v1/adapters/" + id + "/versions/1.0.0");

    assertThat(registry.database().count(row)).isZero();
    assertThat(error(file("1.0.0", CARD))).isEqualTo("404 RevisionNotFound");
  }
}
