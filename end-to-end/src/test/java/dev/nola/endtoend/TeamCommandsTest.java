package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.Scope;
import dev.nola.api.attestation.SigningKey;
import dev.nola.api.job.JobFailure;
import dev.nola.api.job.JobType;
import dev.nola.api.job.Lease;
import dev.nola.api.job.LeaseRequest;
import dev.nola.client.registry.NolaClient;
import dev.nola.endtoend.Nola.Outcome;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The commands with which a team manages a registry, as an admin, a member and a worker. */
class TeamCommandsTest {
  private static final String JOB =
      """
      task: causal-lm
      model:
        base: llama/
      data:
        format: e2e
        train: texts/train.txt
        validation: texts/valid.txt
        maxTokens: 32
      method: {name: nola, rank: 8, k: 64, l: 64, bits: 4}
      optimizer: {learningRate: 0.05}
      run: {batch: 4, steps: 20}
      """;

  private final Registry registry = Registry.shared();
  private final String namespace = Registry.freshName();

  @TempDir private Path folder = Path.of("");
  private Nola admin = new Nola(registry, folder);
  private Nola ann = admin;

  @BeforeEach
  void createAccounts() throws Exception {
    admin = with(registry.token("an-admin", Scope.ADMIN));
    ann = with(registry.token(namespace, Scope.PUBLISH));
    assertThat(ann.run("namespace", "create", namespace).out())
        .isEqualTo("you own namespace " + namespace + "\n");
  }

  private Nola with(String token) {
    return new Nola(registry, folder).with("NOLA_TOKEN", token);
  }

  private static String succeed(Nola nola, String... args) {
    Outcome outcome = nola.run(args);
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    return outcome.out();
  }

  private static JsonNode json(Nola nola, String... args) {
    String[] all = new String[args.length + 1];
    System.arraycopy(args, 0, all, 0, args.length);
    all[args.length] = "--json";
    Outcome outcome = nola.run(all);
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    return outcome.json();
  }

  private static void fails(Nola nola, int exitCode, String message, String... args) {
    Outcome outcome = nola.run(args);
    assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(exitCode);
    assertThat(outcome.err()).contains(message);
    assertThat(outcome.out()).isEmpty();
  }

  private Path dataset() throws Exception {
    Path texts = Files.createDirectories(folder.resolve("texts"));
    Files.writeString(texts.resolve("train.txt"), "a\n");
    Files.writeString(texts.resolve("valid.txt"), "b\n");
    return texts;
  }

  private Path model() throws Exception {
    Path llama = Files.createDirectories(folder.resolve("llama"));
    Files.writeString(llama.resolve("config.json"), "{}");
    Files.writeString(llama.resolve("model.safetensors"), "weights");
    return llama;
  }

  @Test
  void webhook_isCreatedTestedChangedAndDeleted() throws Exception {
    String url = "https://webhook.invalid/nola"; // no such host
    Outcome created =
        ann.run("webhook", "create", namespace, url, "--event", "alias.moved,version.published");
    assertThat(created.exitCode()).as(created.err()).isZero();
    assertThat(created.out()).matches("whsec_[A-Za-z0-9+/]{43}=\n");
    assertThat(created.err()).contains("version.published, alias.moved");
    String id = json(ann, "webhook", "list", namespace).get(0).get("id").asString();
    assertThat(succeed(ann, "webhook", "list", namespace)).contains(id, url, "active");
    assertThat(succeed(ann, "webhook", "show", namespace, id)).contains("never", url);
    assertThat(json(ann, "webhook", "create", namespace, url).get("webhook").get("events"))
        .hasSize(5);

    Outcome tested = ann.run("webhook", "test", namespace, id);
    assertThat(tested.exitCode()).as(tested.err()).isEqualTo(1);
    assertThat(tested.out()).isEqualTo("not delivered: host not found: webhook.invalid\n");
    assertThat(succeed(ann, "webhook", "deliveries", namespace, id)).contains("ping", "failed");
    String edited =
        succeed(
            ann, "webhook", "edit", namespace, id, "--event", "version.disputed", "--no-active");
    assertThat(edited).contains("version.disputed", "inactive: deactivated by " + namespace);
    assertThat(json(ann, "webhook", "edit", namespace, id, "--active").get("active").asBoolean())
        .isTrue();
    assertThat(succeed(ann, "webhook", "delete", namespace, id))
        .isEqualTo("deleted webhook " + id + "\n");
    fails(ann, 4, "webhook " + id + " not found", "webhook", "show", namespace, id);
    fails(ann, 2, "nothing to change", "webhook", "edit", namespace, id);
    fails(
        ann,
        2,
        "invalid --event: ping; must be one of version.published",
        "webhook",
        "create",
        namespace,
        url,
        "--event",
        "ping");
    fails(
        with(registry.token("eve", Scope.PUBLISH)), 4, "only owners", "webhook", "list", namespace);
  }

  @Test
  void token_isCreatedListedAndRevoked() throws Exception {
    String bob = namespace + "-bob";
    Path file = folder.resolve("bob.token");
    assertThat(
            succeed(
                admin,
                "token",
                "create",
                bob,
                "--scope",
                "publish,mint",
                "--expires",
                "30d",
                "--description",
                "for a test",
                "-o",
                file.toString()))
        .isEqualTo("wrote " + file + "\n");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    Nola asBob = with(Files.readString(file).strip());
    assertThat(succeed(asBob, "token", "show")).contains(bob, "publish, mint", "for a test");

    String secret = succeed(asBob, "token", "create", "--scope", "read").strip();
    assertThat(secret).startsWith("nola_").hasLineCount(1);
    JsonNode own = json(asBob, "token", "list");
    assertThat(own).hasSize(2);
    assertThat(json(admin, "token", "list", "--account", bob)).isEqualTo(own);
    assertThat(succeed(admin, "token", "list", "--all", "--valid")).contains("ACCOUNT", bob);
    assertThat(succeed(admin, "account", "list")).contains("VALID TOKENS", bob);
    fails(asBob, 4, "token's scopes do not allow", "token", "list", "--all");
    fails(
        admin,
        2,
        "invalid time: soon",
        "token",
        "create",
        bob,
        "--scope",
        "read",
        "--expires",
        "soon");

    String id = own.get(0).get("id").asString();
    assertThat(succeed(asBob, "token", "revoke", id)).isEqualTo("revoked " + id + "\n");
    fails(
        with(secret),
        4,
        "invalid token: unknown, expired or revoked; replace the value of NOLA_TOKEN",
        "token",
        "show");
    assertThat(json(admin, "token", "list", "--account", bob, "--valid")).isEmpty();
    fails(
        admin,
        4,
        "namespace %s-x not found; --namespace must name one that exists".formatted(namespace),
        "token",
        "create",
        bob,
        "--scope",
        "read",
        "--namespace",
        namespace + "-x");
    String limited =
        succeed(
                admin,
                "token",
                "create",
                bob,
                "--scope",
                "read",
                "--namespace",
                namespace,
                "--expires",
                "2d")
            .strip();
    assertThat(succeed(with(limited), "whoami"))
        .contains(bob, "limited to namespaces " + namespace + ", which expires at 20");
  }

  @Test
  void namespace_isListedShownAndDeletedWithItsMembers() throws Exception {
    String other = Registry.freshName();
    registry.token("bob", Scope.READ);
    registry.token("eve", Scope.READ);
    json(ann, "namespace", "create", other);
    assertThat(succeed(ann, "namespace", "list")).contains("NAMESPACE", other, namespace);
    assertThat(json(ann, "namespace", "show", other).get("role").asString()).isEqualTo("owner");

    fails(ann, 4, "account bobb not found", "member", "add", other, "bobb");
    assertThat(succeed(ann, "member", "add", other, "bob"))
        .isEqualTo("bob is member of " + other + "\n");
    assertThat(json(ann, "member", "add", other, "eve", "--role", "owner").get("role").asString())
        .isEqualTo("owner");
    assertThat(json(ann, "member", "list", other)).hasSize(3);
    assertThat(succeed(ann, "member", "remove", other, "bob"))
        .isEqualTo("removed bob from " + other + "\n");
    assertThat(succeed(ann, "member", "list", other))
        .contains("eve", "owner")
        .doesNotContain("bob");

    assertThat(succeed(ann, "namespace", "delete", other))
        .isEqualTo("deleted namespace " + other + "\n");
    fails(ann, 4, "namespace " + other + " not found", "namespace", "show", other);
  }

  @Test
  void key_isApprovedAndRevoked() throws Exception {
    SigningKey key = SigningKey.generate();
    String fingerprint = key.publicKey().fingerprint().toString();
    String account = namespace + "-worker";
    try (NolaClient worker =
        registry.client(registry.token(account, Scope.WORKER), folder.resolve("cache"))) {
      worker.worker().register(key.publicKey().toBase64(), "worker of a test");
    }
    assertThat(succeed(ann, "key", "list", "--state", "pending")).contains(fingerprint, account);
    fails(
        ann,
        4,
        "token's scopes do not allow this request: publish; it needs the scope admin: ask an admin",
        "key",
        "approve",
        fingerprint);
    assertThat(succeed(admin, "key", "approve", fingerprint, "--expires", "365d"))
        .isEqualTo("approved " + fingerprint + " of " + account + "\n");
    assertThat(succeed(ann, "key", "show", fingerprint)).contains("approved", "by an-admin");
    assertThat(
            json(admin, "key", "revoke", fingerprint, "--reason", "disk stolen")
                .get("state")
                .asString())
        .isEqualTo("revoked");
    assertThat(succeed(ann, "key", "list", "--state", "pending")).doesNotContain(fingerprint);
    fails(ann, 2, "invalid digest", "key", "show", "sha256:ab");
  }

  @Test
  void modelAndDataset_arePushedAndListed() throws Exception {
    String name = namespace + "/llama";
    assertThat(succeed(ann, "model", "push", model().toString(), name, "--digests-only"))
        .startsWith("registered " + name + "@sha256:");
    assertThat(succeed(ann, "model", "list", namespace)).contains("on workers only");
    JsonNode pushed = json(ann, "model", "push", model().toString(), name, "--description", "tiny");
    assertThat(pushed.get("stored").asBoolean()).isTrue();
    assertThat(json(ann, "model", "push", model().toString(), name).get("revision"))
        .isEqualTo(pushed.get("revision"));
    assertThat(json(ann, "model", "list")).hasSize(1);
    assertThat(succeed(ann, "model", "show", name)).contains("model.safetensors  7 B  sha256:");
    fails(ann, 3, "texts", "model", "push", folder.resolve("texts").toString(), name);
    Path file = Files.writeString(folder.resolve("one.txt"), "text");
    fails(ann, 3, "one.txt", "model", "push", file.toString(), name);

    String data = namespace + "/texts";
    assertThat(succeed(ann, "dataset", "push", dataset().toString(), data))
        .startsWith("pushed " + data + "@sha256:")
        .endsWith("2 files, 4 B\n");
    assertThat(
            json(ann, "dataset", "push", file.toString(), namespace + "/one")
                .at("/files/0/path")
                .asString())
        .isEqualTo("one.txt");
    assertThat(succeed(ann, "dataset", "list")).contains(data, namespace + "/one");
    assertThat(succeed(ann, "dataset", "show", data)).contains("train.txt", "valid.txt");
    fails(with(registry.token("stranger", Scope.PUBLISH)), 4, "not found", "dataset", "show", data);
  }

  @Test
  void job_isSubmittedFollowedRetriedAndCancelled() throws Exception {
    Path file = Files.writeString(folder.resolve("job.yaml"), JOB);
    String data = namespace + "/texts";
    succeed(ann, "dataset", "push", dataset().toString(), data);
    succeed(ann, "model", "push", model().toString(), namespace + "/llama", "--digests-only");
    String mood = namespace + "/mood@1.0.0";
    fails(ann, 2, "--adapter and --dataset", "job", "submit", file.toString());
    fails(
        ann,
        2,
        "--model names the registered model",
        "job",
        "submit",
        file.toString(),
        "--adapter",
        mood,
        "--dataset",
        data);
    Outcome submitted =
        ann.run(
            "job",
            "submit",
            file.toString(),
            "--adapter",
            mood,
            "--dataset",
            data,
            "--model",
            namespace + "/llama",
            "--memory",
            "500");
    assertThat(submitted.exitCode()).as(submitted.err()).isZero();
    String id = submitted.out().strip();
    JsonNode train = json(ann, "job", "show", id).at("/request/train");
    assertThat(train.at("/job/data/train").asString()).isEqualTo("train.txt");
    assertThat(train.at("/job/model").isMissingNode()).isTrue();
    assertThat(train.at("/memoryBytes").asLong()).isEqualTo(500_000_000);

    String name = namespace + "-w";
    String account = Registry.freshName();
    String token = registry.token(account, Scope.WORKER);
    try (NolaClient client = registry.client(token, folder.resolve("worker-cache"))) {
      client.worker().lease(request(name, List.of()));
      assertThat(succeed(ann, "job", "show", id))
          .contains("waits", name + " holds no revision of it", "nola model push");
      assertThat(succeed(ann, "job", "list", "--namespace", namespace)).contains(id, "waits: ");
      assertThat(ann.run("job", "logs", id).err()).contains("waiting: ");

      String revision = json(ann, "model", "show", namespace + "/llama").get("revision").asString();
      Lease lease = client.worker().lease(request(name, List.of(revision))).leases().getFirst();
      assertThat(lease.job().id().toString()).isEqualTo(id);
      assertThat(succeed(ann, "worker", "list", "--active")).contains(name, "running 1 job");
      assertThat(succeed(ann, "worker", "show", name))
          .contains(namespace + "/llama@" + revision, id);
      assertThat(json(ann, "worker", "show", name).at("/0/account").asString()).isEqualTo(account);
      fails(ann, 4, "worker nobody not found", "worker", "show", "nobody");

      client
          .worker()
          .fail(lease.job().id(), new JobFailure(lease.fence(), "no such key: rnak", false));
    }
    Outcome followed = ann.run("job", "logs", "-f", id);
    assertThat(followed.exitCode()).isEqualTo(1);
    assertThat(followed.out())
        .contains("running: with worker " + name, "failed: no such key: rnak");
    assertThat(json(ann, "job", "logs", id)).hasSize(3);
    assertThat(json(ann, "job", "retry", id, "--new-version", "1.0.1").get("state").asString())
        .isEqualTo("queued");
    assertThat(succeed(ann, "job", "priority", id, "5"))
        .isEqualTo("job " + id + " has priority 5\n");
    assertThat(succeed(ann, "job", "cancel", id)).isEqualTo("cancelled job " + id + "\n");
    assertThat(json(ann, "job", "list", "--state", "cancelled").get(0).get("id").asString())
        .isEqualTo(id);
    fails(ann, 4, "result of job", "job", "result", id, "-o", folder.resolve("x").toString());
  }

  @Test
  void wholeRequest_isSubmittedAsItIs() throws Exception {
    String adapter = Samples.small(folder, 7).toString();
    succeed(ann, "publish", adapter, namespace + "/mood@1.0.0");
    Path file =
        Files.writeString(
            folder.resolve("verify.json"),
            """
            {"type": "verify", "verify":
              {"adapter": "%s/mood", "version": "1.0.0", "backend": "scalar"}}\
            """
                .formatted(namespace));
    JsonNode job = json(ann, "job", "submit", file.toString(), "--priority", "3");
    assertThat(job.get("type").asString()).isEqualTo("verify");
    assertThat(job.get("priority").asInt()).isEqualTo(3);
    succeed(ann, "job", "cancel", job.get("id").asString());
    fails(ann, 2, "only --priority and --follow", "job", "submit", file.toString(), "--cuda");
    Map<String, String> invalid =
        Map.of(
            "{\"type\": \"verify\", \"adapter\": 1}",
            "is not a request",
            """
            {"type": "verify", "verify":
              {"adapter": "a/b", "version": "1.0.0", "backend": "scalar", "bckend": 1}}\
            """,
            "unknown key: verify.bckend; must be one of adapter, backend, version",
            "{\"type\": \"verify\", \"verify\": {\"version\": \"1.0.0\"}}",
            "verify: adapter is missing",
            "{\"type\": \"verfy\"}",
            "invalid type: verfy; must be one of train, verify, export",
            "{\"type\": \"verify\", \"verify\": [1]}",
            "invalid value of verify; must be an object",
            "a: [",
            "invalid YAML");
    for (Map.Entry<String, String> request : invalid.entrySet()) {
      Files.writeString(file, request.getKey());
      fails(ann, 2, request.getValue(), "job", "submit", file.toString());
    }
  }

  private static LeaseRequest request(String name, List<String> models) {
    List<JobType> types = models.isEmpty() ? List.of() : List.of(JobType.TRAIN);
    return new LeaseRequest(
        name, "instance", "", types, List.of("scalar"), false, 1L << 32, models, 1, 0);
  }

  @Test
  void publishedVersion_isVerifiedAgainOnDemand() throws Exception {
    String mood = namespace + "/mood";
    succeed(ann, "publish", Samples.small(folder, 9).toString(), mood + "@1.0.0");

    JsonNode asked =
        json(admin, "verification", "request", mood + "@^1", "--copies", "2", "--backend", "scalar")
            .get(0);
    assertThat(asked.at("/versions").asInt()).isEqualTo(1);
    assertThat(asked.at("/request/version").asString()).isEqualTo("1.0.0");
    assertThat(succeed(admin, "verification", "show", asked.get("id").asString()))
        .startsWith("waiting: 1 version, requested ")
        .containsPattern("scalar +2 +0");
    assertThat(succeed(admin, "verification", "request", mood)).contains(": 1 version; ");
    fails(admin, 4, mood + "x not found", "verification", "request", mood + "x");
    fails(ann, 4, "it needs the scope admin", "verification", "request", mood);
  }

  @Test
  void publishedAdapter_getsADescriptionAndAVisibility() throws Exception {
    String file = Samples.small(folder, 7).toString();
    String mood = namespace + "/mood";
    succeed(
        ann, "publish", file, mood + "@1.0.0", "--visibility", "private", "--description", "first");
    JsonNode shown = json(ann, "show", mood).get("adapter");
    assertThat(shown.get("visibility").asString()).isEqualTo("private");
    assertThat(shown.get("description").asString()).isEqualTo("first");
    String published = succeed(ann, "publish", file, mood + "@1.1.0", "--visibility", "public");
    assertThat(published).endsWith("\nchanged visibility from private to public\n");
    assertThat(json(ann, "show", mood).at("/adapter/visibility").asString()).isEqualTo("public");
    published =
        succeed(ann, "publish", file, mood + "@1.1.0", "--private", "--description", "second");
    assertThat(published)
        .startsWith("already published")
        .contains("\nchanged visibility from public to private\n")
        .endsWith("\nchanged description from \"first\" to \"second\"\n");
    published =
        succeed(ann, "publish", file, mood + "@1.1.0", "--private", "--description", "second");
    assertThat(published).hasLineCount(1);
    fails(
        ann,
        2,
        "contradicts",
        "publish",
        file,
        mood + "@1.2.0",
        "--private",
        "--visibility",
        "public");
  }

  @Test
  void adapterIsEditedWithoutPublishing() throws Exception {
    String mood = namespace + "/mood";
    succeed(ann, "publish", Samples.small(folder, 7).toString(), mood + "@1.0.0");
    fails(ann, 2, "nothing to change; pass --description", "adapter", "edit", mood);
    String edited =
        succeed(ann, "adapter", "edit", mood, "--description", "calm", "--visibility", "private");
    assertThat(edited).isEqualTo(mood + " is private: calm\n");
    JsonNode shown = json(ann, "show", mood).get("adapter");
    assertThat(shown.get("visibility").asString()).isEqualTo("private");
    assertThat(shown.get("description").asString()).isEqualTo("calm");
  }

  @Test
  void versionIsVerifiedAndExportedWithoutAJobFile() throws Exception {
    String mood = namespace + "/mood";
    succeed(
        ann, "publish", Samples.small(folder, 7).toString(), mood + "@1.0.0", "--alias", "prod");
    String[] submit = {"job", "submit", "--adapter", mood + "@prod", "--priority", "2", "--type"};
    JsonNode verify = json(ann, with(submit, "verify", "--backend", "vector"));
    assertThat(verify.at("/request/verify/version").asString()).isEqualTo("1.0.0");
    assertThat(verify.at("/request/verify/backend").asString()).isEqualTo("vector");
    assertThat(verify.get("priority").asInt()).isEqualTo(2);
    JsonNode export = json(ann, with(submit, "export", "--dtype", "bf16"));
    assertThat(export.at("/request/export/type").asString()).isEqualTo("bf16");
    succeed(ann, "job", "cancel", verify.get("id").asString());
    succeed(ann, "job", "cancel", export.get("id").asString());
    fails(
        ann,
        2,
        "--backend does not apply to --type export; its options are --adapter, --model, --dtype",
        with(submit, "export", "--backend", "scalar"));
    fails(ann, 2, "invalid backend: gpu; must be", with(submit, "verify", "--backend", "gpu"));
    fails(ann, 2, "missing --adapter; --type verify", "job", "submit", "--type", "verify");
    fails(ann, 2, "missing FILE; name a job file", "job", "submit", "--adapter", mood);
  }

  private static String[] with(String[] args, String... more) {
    return Stream.concat(Stream.of(args), Stream.of(more)).toArray(String[]::new);
  }

  @Test
  void malformedReferenceIsRefusedByItsRule() throws Exception {
    String digest = "invalid digest: \"sha256:1234\"; must be sha256: and 64 lower-case hex digits";
    for (String command : List.of("model", "dataset")) {
      fails(ann, 2, digest, command, "show", namespace + "/llama@sha256:1234");
      fails(
          ann,
          2,
          "invalid %s: llama; must be NAMESPACE/NAME, such as acme/llama".formatted(command),
          command,
          "show",
          "llama");
    }
    for (String command : List.of("show", "pull", "verify", "inspect", "lock")) {
      fails(ann, 2, digest, command, namespace + "/mood@sha256:1234");
    }
  }

  @Test
  void pushNamesTheArgumentThatIsWrong() throws Exception {
    Path data = dataset();
    String name = namespace + "/e2e";
    fails(
        ann,
        3,
        name + ": no such file or folder; the name comes last",
        "dataset",
        "push",
        name,
        data.toString());
    fails(ann, 3, "none: no such file or folder", "dataset", "push", "none", name);
    fails(
        ann,
        2,
        "invalid dataset: e2e; must be NAMESPACE/NAME",
        "dataset",
        "push",
        data.toString(),
        "e2e");
    Path file = Files.writeString(folder.resolve("model.safetensors"), "");
    fails(
        ann,
        3,
        file + ": is a file; push the model's folder",
        "model",
        "push",
        file.toString(),
        name);
  }

  @Test
  void lockIsUpdatedToWhatItsReferencesMeanNow() throws Exception {
    String file = Samples.small(folder, 7).toString();
    String lock = folder.resolve("nola.lock").toString();
    String mood = namespace + "/mood";
    String tone = namespace + "/tone";
    succeed(ann, "publish", file, mood + "@1.0.0");
    succeed(ann, "publish", file, tone + "@1.0.0");
    succeed(ann, "lock", mood + "@^1", tone + "@1.0.0", "-o", lock);
    assertThat(succeed(ann, "lock", "--update", "-o", lock))
        .isEqualTo("unchanged " + mood + "@^1: " + mood + "@1.0.0\n");
    succeed(ann, "publish", Samples.small(folder, 8).toString(), mood + "@1.1.0");
    succeed(ann, "publish", Samples.small(folder, 8).toString(), tone + "@1.1.0");

    JsonNode updates = json(ann, "lock", "--update", mood, "-o", lock).get("updates");

    assertThat(updates).hasSize(1);
    assertThat(updates.at("/0/before").asString()).isEqualTo(mood + "@1.0.0");
    assertThat(updates.at("/0/now").asString()).isEqualTo(mood + "@1.1.0");
    assertThat(succeed(ann, "verify", "--lock", lock))
        .contains("verified " + mood + "@1.1.0", "verified " + tone + "@1.0.0");
    fails(ann, 2, "which cannot move", "lock", "--update", tone, "-o", lock);
    fails(ann, 2, "is not in", "lock", "--update", namespace + "/none", "-o", lock);
    fails(ann, 2, "missing FILE_OR_REF", "lock", "-o", lock);
    fails(
        ann,
        2,
        "do not apply to --update",
        "lock",
        "--update",
        "--require-verified",
        "1",
        "-o",
        lock);
  }

  @Test
  void groupWithoutACommand_namesItsCommands() {
    fails(ann, 2, "missing command; must be one of create, list, show, revoke", "token");
    fails(ann, 2, "unknown command: shwo", "job", "shwo");
    fails(ann, 2, "invalid id: x; must be a whole UUID, as list shows it", "job", "show", "x");
    assertThat(ann.run("completion").out())
        .contains(
            "_picocli_nola_job_logs",
            "_picocli_nola_worker_list",
            "function _picocli_nola_worker() { _nola_complete_options worker list ls show; }");
  }
}
