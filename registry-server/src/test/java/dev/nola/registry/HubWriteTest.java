package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.client.export.LoraExport;
import dev.nola.client.export.peft.PeftFormat;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import dev.nola.registry.TestClient.Answer;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What the registry makes of pushes; {@code interop/hub} runs the clients themselves. */
class HubWriteTest {
  private static final String CARD = "README.md";
  private static final String CONFIG = "adapter_config.json";
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final String ADAPTER = "adapter.nola";
  private static final String SETTINGS = "nola.yaml";
  private static final String WARNING = "X-HF-Warning";

  private final TestRegistry registry = TestRegistry.shared();
  private final TestClient admin = registry.admin();
  private final TestClient anyone = registry.anonymous();
  private TestClient ann = admin;
  private String namespace = "";
  private String id = "";
  private String model = "";

  @TempDir private Path folder;

  @BeforeEach
  void createRepository() throws Exception {
    ann = admin.account("ann", "publish");
    namespace = ann.namespace();
    id = namespace + "/mood";
    model = "/hf/api/models/" + id;
    assertThat(create(Map.of("name", "mood", "organization", namespace)).status()).isEqualTo(200);
  }

  @AfterEach
  void nothingIsLeftOfCommits() throws IOException {
    Path commits = registry.data().resolve("commits");
    if (Files.exists(commits)) {
      try (Stream<Path> left = Files.list(commits)) {
        assertThat(left).isEmpty();
      }
    }
  }

  private Answer create(Map<String, Object> repository) throws Exception {
    return ann.post("/hf/api/repos/create", repository);
  }

  private static String operation(String key, Map<String, Object> value) {
    return JsonMapper.shared().writeValueAsString(Map.of("key", key, "value", value)) + "\n";
  }

  /** Content first, as clients send it. */
  private static String file(String path, byte[] content) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("content", Base64.getEncoder().encodeToString(content));
    value.put("path", path);
    value.put("encoding", "base64");
    return operation("file", value);
  }

  private static String file(String path, String content) {
    return file(path, content.getBytes(StandardCharsets.UTF_8));
  }

  private Answer commit(String... operations) throws Exception {
    return commitTo("main", operations);
  }

  private Answer commitTo(String revision, String... operations) throws Exception {
    String header = operation("header", Map.of("summary", "push", "description", ""));
    return ann.send(
        "POST",
        model + "/commit/" + revision,
        BodyPublishers.ofString(header + String.join("", operations)),
        "Content-Type",
        "application/x-ndjson");
  }

  /** The commit of an answer, which succeeded. */
  private static String oid(Answer answer) {
    assertThat(answer.status()).as(() -> answer.text("/error")).isEqualTo(200);
    return answer.text("/commitOid");
  }

  /** The reason of an answer, which is where clients look for it. */
  private static String refusal(Answer answer) {
    String error = answer.text("/error");
    assertThat(answer.header("X-Error-Message")).isEqualTo(error);
    return answer.status() + " " + error;
  }

  private byte[] read(String revision, String name) throws Exception {
    Answer answer = ann.get("/hf/" + id + "/resolve/" + revision + "/" + name);
    assertThat(answer.status()).isEqualTo(200);
    return answer.bytes();
  }

  private List<String> versions() throws Exception {
    List<String> numbers = new ArrayList<>();
    JsonNode items = ann.get("/api/v1/adapters/" + id + "/versions").json().at("/items");
    items.forEach(item -> numbers.add(item.at("/version").asString()));
    return numbers;
  }

  private static String commitOf(byte[] file) {
    return Sha256.hash(file).hex().substring(0, 40);
  }

  /** A LoRA of PEFT: its files by name. */
  private Map<String, byte[]> lora(long seed) throws Exception {
    Path exported = Files.createTempDirectory(folder, "").resolve("lora");
    LoraExport.of(AdapterFile.read(Samples.file(seed)), PeftFormat.STANDARD)
        .dtype(DType.F32)
        .build()
        .write(exported);
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (String name : List.of(CARD, CONFIG, WEIGHTS)) {
      files.put(name, Files.readAllBytes(exported.resolve(name)));
    }
    return files;
  }

  private static String[] operations(Map<String, byte[]> files) {
    return files.entrySet().stream()
        .map(entry -> file(entry.getKey(), entry.getValue()))
        .toArray(String[]::new);
  }

  @Test
  void createdRepositoryIsEmptyAndThereOnce() throws Exception {
    Answer again = create(Map.of("name", "mood", "organization", namespace, "exist_ok", true));

    assertThat(again.status()).isEqualTo(409);
    assertThat(again.text("/url")).isEqualTo(ann.server() + "/hf/models/" + id);
    assertThat(again.text("/error")).isEqualTo("adapter " + id + " exists");
    JsonNode info = anyone.get(model).json();
    assertThat(info.at("/id").asString()).isEqualTo(id);
    assertThat(info.at("/siblings")).isEmpty();
    assertThat(info.has("sha")).isFalse();
    Answer card = anyone.get("/hf/" + id + "/resolve/main/" + CARD);
    assertThat(card.status() + " " + card.header("X-Error-Code")).isEqualTo("404 EntryNotFound");
    assertThat(admin.get("/api/v1/audit?limit=1").text("/items/0/action"))
        .isEqualTo("adapter.create");
  }

  @ParameterizedTest
  @CsvSource({"private,true", "visibility,private"})
  void createdRepositoryIsPrivateIfAskedFor(String key, String value) throws Exception {
    create(
        Map.of(
            "name",
            "secret",
            "organization",
            namespace,
            key,
            value.equals("true") ? (Object) true : value));

    assertThat(anyone.get("/hf/api/models/" + namespace + "/secret").status()).isEqualTo(404);
    assertThat(ann.get("/hf/api/models/" + namespace + "/secret").json().at("/private").asBoolean())
        .isTrue();
  }

  @Test
  void whatIsNoAdapterIsNotCreated() throws Exception {
    assertThat(refusal(create(Map.of("name", "d", "organization", namespace, "type", "dataset"))))
        .isEqualTo("422 repository type not supported: dataset; must be model");
    assertThat(refusal(create(Map.of("name", "mood"))))
        .isEqualTo(
            "422 repository without a namespace: mood; must be namespace/name, such as acme/mood");
    assertThat(refusal(create(Map.of("name", "Mood", "organization", namespace))))
        .startsWith("422 invalid name: Mood; must be");
    assertThat(refusal(create(Map.of("name", "mood", "organization", "absent-namespace"))))
        .isEqualTo("404 namespace absent-namespace not found");
  }

  @Test
  void adapterFileBecomesTheNextVersion() throws Exception {
    byte[] first = Samples.file(1);
    byte[] second = Samples.file(2);

    Answer answer = commit(file("mood.nola", first));
    assertThat(oid(answer)).isEqualTo(commitOf(first));
    assertThat(answer.text("/commitUrl"))
        .isEqualTo(ann.server() + "/hf/models/" + id + "/commit/" + commitOf(first));
    assertThat(answer.header(WARNING)).isNull();
    assertThat(oid(commit(file(ADAPTER, first)))).isEqualTo(commitOf(first));
    assertThat(oid(commit(file(ADAPTER, second)))).isEqualTo(commitOf(second));

    assertThat(versions()).containsExactly("1.0.1", "1.0.0");
    assertThat(read("main", ADAPTER)).isEqualTo(second);
    assertThat(read("1.0.0", ADAPTER)).isEqualTo(first);
  }

  @Test
  void numberFollowsTheHighestReleaseThatEverWas() throws Exception {
    ann.publish(id + "@1.2.3", Samples.file(1));
    ann.publish(id + "@1.3.0", Samples.file(2));
    ann.publish(id + "@2.0.0-rc.1", Samples.file(3));
    admin.delete("/api/v1/adapters/" + id + "/versions/1.3.0");

    oid(commit(file(ADAPTER, Samples.file(4))));

    assertThat(versions()).containsExactly("2.0.0-rc.1", "1.3.1", "1.2.3");
  }

  @Test
  void loraOfPeftIsImported() throws Exception {
    Map<String, byte[]> lora = lora(1);

    Answer answer = commit(operations(lora));

    String commit = oid(answer);
    assertThat(answer.header(WARNING))
        .isEqualTo("nola; README.md was not kept: the registry writes its own");
    assertThat(commitOf(read("main", ADAPTER))).isEqualTo(commit);
    assertSameDelta(lora);
    assertThat(oid(commit(operations(lora)))).isEqualTo(commit);
    assertThat(versions()).containsExactly("1.0.0");
  }

  @Test
  void settingsOfTheCommitAreHeeded() throws Exception {
    Map<String, byte[]> lora = lora(1);
    lora.put(SETTINGS, "version: 2.1.0\nbits: 8\n".getBytes(StandardCharsets.UTF_8));

    oid(commit(operations(lora)));

    assertThat(versions()).containsExactly("2.1.0");
    assertThat(AdapterFile.read(read("2.1.0", ADAPTER)).adapter().metadata().provenance())
        .containsEntry("bits", "8");
    assertThat(oid(commit(operations(lora)))).isEqualTo(commitOf(read("2.1.0", ADAPTER)));
  }

  @Test
  void missingHalfOfALoraIsThatOfTheLatestVersion() throws Exception {
    assertThat(refusal(commit(file(CONFIG, lora(1).get(CONFIG)))))
        .startsWith("422 adapter_model.safetensors missing: neither the commit nor the latest");
    oid(commit(operations(lora(1))));
    Map<String, byte[]> other = lora(2);

    oid(commit(file(WEIGHTS, other.get(WEIGHTS))));

    assertThat(versions()).containsExactly("1.0.1", "1.0.0");
    assertSameDelta(Map.of(CONFIG, read("1.0.0", CONFIG), WEIGHTS, other.get(WEIGHTS)));
    ObjectNode config = (ObjectNode) JsonMapper.shared().readTree(read("main", CONFIG));
    config.put("lora_alpha", 2 * config.at("/lora_alpha").asInt());
    oid(commit(file(CONFIG, config.toString())));
    assertThat(versions()).hasSize(3);
  }

  @Test
  void filesOfTheLatestVersionChangeNothing() throws Exception {
    byte[] adapter = Samples.file(1);
    oid(commit(file(ADAPTER, adapter)));
    Map<String, byte[]> all = new LinkedHashMap<>();
    for (String name : List.of(CARD, ADAPTER, CONFIG, WEIGHTS)) {
      all.put(name, read("main", name));
    }

    Answer answer = commit(operations(all));

    assertThat(oid(answer)).isEqualTo(commitOf(adapter));
    assertThat(answer.header(WARNING)).isNull();
    assertThat(oid(commit(file(CARD, all.get(CARD))))).isEqualTo(commitOf(adapter));
    assertThat(refusal(commit(file(CARD, "# Mine"))))
        .startsWith("422 commit has no adapter: README.md; it needs a .nola file");
    assertThat(versions()).containsExactly("1.0.0");
  }

  @ParameterizedTest
  @ValueSource(strings = {"training_args.bin", "folder/adapter.nola", "../adapter.nola", ""})
  void otherFilesAreRefusedBeforeTheyAreSent(String path) throws Exception {
    String rule = "422 file not kept by the registry: " + (path.isEmpty() ? "\"\"" : path) + "; ";
    Map<String, Object> announced = Map.of("path", path, "size", 1, "sample", "AA==");

    assertThat(refusal(ann.post(model + "/preupload/main", Map.of("files", List.of(announced)))))
        .startsWith(rule);
    assertThat(refusal(commit(file(ADAPTER, Samples.file(1)), file(path, "x")))).startsWith(rule);
    assertThat(versions()).isEmpty();
  }

  @Test
  void filesAreSentWithinTheCommit() throws Exception {
    Answer answer =
        ann.post(
            model + "/preupload/main",
            Map.of("files", List.of(Map.of("path", WEIGHTS, "size", 9, "sample", "AA=="))));

    assertThat(answer.json().at("/files/0"))
        .isEqualTo(
            JsonMapper.shared()
                .valueToTree(
                    Map.of("path", WEIGHTS, "uploadMode", "regular", "shouldIgnore", false)));
    JsonNode card = ann.post("/hf/api/validate-yaml", Map.of("content", "# Mine")).json();
    assertThat(card.at("/errors")).isEmpty();
    assertThat(card.at("/warnings/0/message").asString()).contains("does not keep this README.md");
  }

  @Test
  void commitThatBreaksARuleSaysSo() throws Exception {
    String adapter = file(ADAPTER, Samples.file(1));

    assertThat(refusal(commit(adapter, file("other.nola", Samples.file(2)))))
        .startsWith("422 file twice in the commit: adapter.nola; ");
    assertThat(refusal(commit(adapter, file(WEIGHTS, "x"), file(CONFIG, "{}"))))
        .startsWith("422 commit has both a .nola file and a LoRA of PEFT; ");
    assertThat(refusal(commit(file(WEIGHTS, "x"), file(CONFIG, "{}"))))
        .startsWith("422 adapter_model.safetensors: has 1 bytes; ");
    assertThat(refusal(commit(file(WEIGHTS, lora(1).get(WEIGHTS)), file(CONFIG, "{}"))))
        .startsWith("422 adapter_config.json: has no peft_type");
    assertThat(refusal(commit(adapter, operation("deletedFile", Map.of("path", CARD)))))
        .startsWith("422 file cannot be deleted: README.md; versions are immutable");
    assertThat(refusal(commit(adapter, operation("lfsFile", Map.of("path", CARD)))))
        .startsWith("422 operation not supported: lfsFile; ");
    assertThat(refusal(commit(adapter, file(SETTINGS, "bits: 4"))))
        .startsWith("422 nola.yaml: bits is for a LoRA of PEFT");
    assertThat(refusal(commit(adapter, file(SETTINGS, "color: red"))))
        .isEqualTo("422 nola.yaml: unknown key: color; must be bits or version");
    assertThat(refusal(commit(adapter, file(SETTINGS, "version: 1.0"))))
        .startsWith("422 nola.yaml: invalid version: 1.0; must be a SemVer 2");
    assertThat(refusal(commit(adapter, file(SETTINGS, "bits: 17"))))
        .isEqualTo("422 nola.yaml: invalid bits: 17; must be 1 to 16");
    assertThat(refusal(commit(adapter, file(SETTINGS, "["))))
        .startsWith("422 nola.yaml: invalid YAML");
    assertThat(refusal(commit(adapter, file(CARD, "x".repeat((1 << 20) + 1)))))
        .isEqualTo("422 file too large: README.md; the limit is 1048576 bytes");
    assertThat(refusal(commit())).startsWith("422 commit has no adapter: no files; ");
    assertThat(refusal(commitTo("1.0.0", adapter)))
        .startsWith("422 cannot commit to revision 1.0.0 of " + id);
    assertThat(refusal(commitTo("main?create_pr=1", adapter)))
        .startsWith("422 pull request not supported");
    assertThat(refusal(commit("not JSON\n"))).startsWith("400 invalid commit: line 2: ");
    assertThat(refusal(commit(adapter.replace("\"content\":\"", "\"content\":\"!"))))
        .startsWith("400 invalid commit: line 2: ");
    assertThat(refusal(commit(file(ADAPTER, "no adapter")))).startsWith("422 ");
    assertThat(
            refusal(commit(operation("header", Map.of("parentCommit", "0".repeat(40))), adapter)))
        .isEqualTo(
            "412 parent commit is not the latest: %s; the latest is none"
                .formatted("0".repeat(40)));
    assertThat(versions()).isEmpty();
  }

  @Test
  void loraThatWouldBeTooLargeIsNotImported() throws Exception {
    int elements = (32 << 20) + 1; // of 16 bits, where files may have 64 MB
    byte[] header =
        """
        {"base_model.model.q_proj.lora_A.weight":
          {"dtype": "F8_E4M3", "shape": [1, %1$d], "data_offsets": [0, %1$d]}}"""
            .formatted(elements)
            .getBytes(StandardCharsets.UTF_8);
    byte[] weights =
        ByteBuffer.allocate(8 + header.length + elements)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(header.length)
            .put(header)
            .array();

    assertThat(refusal(commit(file(CONFIG, lora(1).get(CONFIG)), file(WEIGHTS, weights))))
        .isEqualTo("413 file too large; the limit is 67108864 bytes");
  }

  @Test
  void versionThatExistsIsNotReplaced() throws Exception {
    oid(commit(file(ADAPTER, Samples.file(1))));

    assertThat(refusal(commit(file(ADAPTER, Samples.file(2)), file(SETTINGS, "version: 1.0.0"))))
        .startsWith("409 " + id + "@1.0.0 exists with digest ");
  }

  @Test
  void textMayBeSentAsText() throws Exception {
    Map<String, Object> settings =
        Map.of("path", SETTINGS, "encoding", "utf-8", "content", "version: 3.0.0");

    oid(commit(file(ADAPTER, Samples.file(1)), operation("file", settings)));

    assertThat(versions()).containsExactly("3.0.0");
  }

  @Test
  void tagNamesAVersion() throws Exception {
    oid(commit(file(ADAPTER, Samples.file(1))));
    oid(commit(file(ADAPTER, Samples.file(2))));

    assertThat(tag("main", "prod").status()).isEqualTo(200);
    assertThat(tag("1.0.1", "prod").status()).isEqualTo(200);
    assertThat(tag("1.0.1", "1.0.1").status()).isEqualTo(200);
    assertThat(read("prod", ADAPTER)).isEqualTo(Samples.file(2));
    assertThat(refusal(tag("1.0.0", "prod")))
        .isEqualTo("409 alias prod of %s names 1.0.1; move it with nola alias set".formatted(id));
    assertThat(refusal(tag("main", "2.0.0")))
        .startsWith("422 tag cannot be a version number: 2.0.0; main is 1.0.1");
    assertThat(refusal(tag("main", "V1"))).startsWith("422 invalid alias: V1; must be");
    Answer absent = tag("9.0.0", "next");
    assertThat(absent.status() + " " + absent.header("X-Error-Code"))
        .isEqualTo("404 RevisionNotFound");
  }

  private Answer tag(String revision, String tag) throws Exception {
    return ann.post(model + "/tag/" + revision, Map.of("tag", tag));
  }

  @Test
  void absentRepositoryIsNotCreatedByACommit() throws Exception {
    model = "/hf/api/models/" + namespace + "/absent";

    Answer answer = commit(file(ADAPTER, Samples.file(1)));

    assertThat(answer.status() + " " + answer.header("X-Error-Code")).isEqualTo("404 RepoNotFound");
  }

  @Test
  void largeCommitIsRefusedBeforeItIsReceived() throws Exception {
    URI server = URI.create(ann.server());
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      String head =
          "POST %s/commit/main HTTP/1.1\r\nHost: registry\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"
              .formatted(model, ann.token(), (256L << 20) + 1);
      socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));

      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

      assertThat(answer)
          .startsWith("HTTP/1.1 413 ")
          .contains("X-Error-Message: file too large; the limit is 268435456 bytes\r\n");
    }
  }

  /** Requires that two LoRAs of PEFT change the weight equally, but for 16 bits. */
  private void assertSameDelta(Map<String, byte[]> pushed) throws Exception {
    float[] expected = delta(pushed);
    float[] actual = delta(Map.of(CONFIG, read("main", CONFIG), WEIGHTS, read("main", WEIGHTS)));
    float largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertThat(largest).isPositive();
    assertThat(actual).containsExactly(expected, Offset.offset(0x1p-9f * largest));
  }

  /** Computes alpha / r · B·A. */
  private static float[] delta(Map<String, byte[]> lora) {
    JsonNode config = JsonMapper.shared().readTree(lora.get(CONFIG));
    float[] a = tensor(Objects.requireNonNull(lora.get(WEIGHTS)), "lora_A");
    float[] b = tensor(Objects.requireNonNull(lora.get(WEIGHTS)), "lora_B");
    int rank = config.at("/r").asInt();
    float scaling = (float) config.at("/lora_alpha").asDouble() / rank;
    int columns = a.length / rank;
    float[] delta = new float[b.length / rank * columns];
    for (int i = 0; i < delta.length; i++) {
      for (int k = 0; k < rank; k++) {
        delta[i] += scaling * b[i / columns * rank + k] * a[k * columns + i % columns];
      }
    }
    return delta;
  }

  private static float[] tensor(byte[] safetensors, String factor) {
    ByteBuffer file = ByteBuffer.wrap(safetensors).order(ByteOrder.LITTLE_ENDIAN);
    int start = 8 + (int) file.getLong(0);
    JsonNode tensor =
        JsonMapper.shared()
            .readTree(new String(safetensors, 8, start - 8, StandardCharsets.UTF_8))
            .path("base_model.model.model.layers.0.self_attn.q_proj." + factor + ".weight");
    boolean isHalf = tensor.at("/dtype").asString().equals("F16");
    int width = isHalf ? Short.BYTES : Float.BYTES;
    int begin = start + tensor.at("/data_offsets/0").asInt();
    float[] values = new float[(start + tensor.at("/data_offsets/1").asInt() - begin) / width];
    for (int i = 0; i < values.length; i++) {
      int offset = begin + i * width;
      values[i] = isHalf ? Float.float16ToFloat(file.getShort(offset)) : file.getFloat(offset);
    }
    return values;
  }
}
