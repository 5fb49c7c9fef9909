package dev.nola.client.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.nola.api.attestation.Outcome;
import dev.nola.client.Adapters;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.attestation.Attested;
import dev.nola.client.attestation.SignedEnvelope;
import dev.nola.client.attestation.Worker;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.http.Answer;
import dev.nola.client.http.Body;
import dev.nola.client.http.CredentialsException;
import dev.nola.client.http.Retry;
import dev.nola.digest.Sha256;
import dev.nola.format.AdapterFile;
import java.io.IOException;
import java.net.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class OciClientTest {
  private static final AdapterFile FILE = Adapters.small(1);
  private static final byte[] BYTES = FILE.toBytes();
  private static final Sha256 DIGEST = Sha256.hash(BYTES);

  @TempDir private Path folder = Path.of("");
  private MemoryRegistry registry;
  private Path file = Path.of("");

  @BeforeEach
  void start() throws IOException {
    registry = new MemoryRegistry();
    file = folder.resolve("mood.nola");
    FILE.write(file);
  }

  @AfterEach
  void stop() {
    registry.close();
  }

  private OciClient client(OciReference reference) {
    return new OciClient(
        reference,
        false,
        DockerCredentials.of(Map.of("DOCKER_CONFIG", folder.toString())),
        LocalCache.at(folder.resolve("cache")));
  }

  private OciReference push() throws Exception {
    OciReference reference = registry.reference("acme/mood:1");
    try (OciClient client = client(reference)) {
      return client.push(file, OciOrigin.of(file), Progress.NONE);
    }
  }

  private OciPulled pull(OciReference reference) throws Exception {
    try (OciClient client = client(reference)) {
      return client.pull(Progress.NONE);
    }
  }

  private void logIn() throws IOException {
    Files.writeString(
        folder.resolve("config.json"),
        "{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}".formatted(registry.host(), MemoryRegistry.LOGIN));
  }

  private static RegistryException refusal(ThrowingCallable call) {
    return catchThrowableOfType(RegistryException.class, call);
  }

  /** Stores bytes under a path, as a registry that cannot be trusted might. */
  private void replace(String path, byte[] bytes) {
    assertThat(registry.content.replace("/v2/acme/mood/" + path, bytes)).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Basic", "Bearer"})
  void pushedAdapter_isPulledByTagAndDigest(String scheme) throws Exception {
    registry.scheme = scheme;
    logIn();

    OciReference pinned = push();
    OciPulled byTag = pull(registry.reference("acme/mood:1"));
    OciPulled byDigest = pull(pinned);

    assertThat(byTag.pinned()).isEqualTo(pinned);
    assertThat(byTag.digest()).isEqualTo(DIGEST);
    assertThat(byTag.path()).hasBinaryContent(BYTES);
    assertThat(byTag.fromCache()).isFalse();
    assertThat(byDigest.fromCache()).isTrue();
  }

  @Test
  void identityToken_isExchangedForAccess() throws Exception {
    push();
    registry.scheme = "Bearer";
    Files.writeString(
        folder.resolve("config.json"),
        "{\"auths\":{\"%s\":{\"identitytoken\":\"%s\"}}}"
            .formatted(registry.host(), MemoryRegistry.IDENTITY_TOKEN));

    assertThat(pull(registry.reference("acme/mood:1")).digest()).isEqualTo(DIGEST);
    assertThat(registry.requests).contains("POST /token null");
  }

  @Test
  void secondPush_sendsNoBlobAndHasTheSameDigest() throws Exception {
    OciReference first = push();
    registry.requests.clear();

    assertThat(push()).isEqualTo(first);
    assertThat(registry.requests).noneMatch(request -> request.startsWith("POST"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void attachedAttestations_areFoundAndHold(boolean hasReferrers) throws Exception {
    registry.hasReferrers = hasReferrers;
    Worker one = Worker.named("one");
    Worker two = Worker.named("two");
    OciReference pinned = push();
    try (OciClient client = client(pinned)) {
      client.attach(pinned, List.of(signed(one)));
      client.attach(pinned, List.of(signed(two)));
      client.attach(pinned, List.of(signed(one)));

      Attested attested =
          Attested.ofEnvelopes(
              DIGEST,
              FILE,
              client.attestations(pinned),
              List.of(one.fingerprint(), two.fingerprint()));

      assertThat(attested.failures(2)).isEmpty();
      assertThat(attested.independent()).isEqualTo(2);
      assertThat(client.attestations(pinned)).hasSize(2);
    }
    assertThat(registry.content.keySet())
        .filteredOn(path -> path.contains("/manifests/sha256-"))
        .hasSize(hasReferrers ? 0 : 1);
  }

  /** Lists an attestation as often as asked, after an artifact of another kind. */
  private void listReferrers(OciReference pinned, IntFunction<String> digest, int count) {
    List<JsonNode> list =
        registry.referrers.computeIfAbsent(
            String.valueOf(pinned.digest()), _ -> new CopyOnWriteArrayList<>());
    list.addFirst(
        JsonMapper.shared().readTree("{\"artifactType\":\"x\",\"digest\":\"sha512:00\"}"));
    list.addAll(
        IntStream.range(0, count)
            .mapToObj(i -> Map.of("artifactType", Referrers.ARTIFACT, "digest", digest.apply(i)))
            .map(each -> JsonMapper.shared().<JsonNode>valueToTree(each))
            .toList());
  }

  @Test
  void attestationListedTwiceAndOtherKinds_areFetchedOnce() throws Exception {
    registry.hasReferrers = true;
    OciReference pinned = push();
    try (OciClient client = client(pinned)) {
      SignedEnvelope signed = signed(Worker.named("one"));
      client.attach(pinned, List.of(SignedEnvelope.of(signed.envelope(), null), signed));
      String digest =
          registry
              .referrers
              .getOrDefault(String.valueOf(pinned.digest()), List.of())
              .getFirst()
              .path("digest")
              .asString();
      listReferrers(pinned, _ -> digest, 3);
      registry.requests.clear();

      assertThat(client.attestations(pinned))
          .singleElement()
          .extracting(SignedEnvelope::key)
          .isNotNull();
      assertThat(registry.requests).hasSize(1 + 2 * 2);
    }
  }

  @Test
  void relativeNextPage_isResolvedAgainstTheRedirectedRequest() throws Exception {
    registry.hasReferrers = true;
    OciReference pinned = push();
    try (MemoryRegistry other = new MemoryRegistry();
        OciClient client = client(pinned)) {
      client.attach(pinned, List.of(signed(Worker.named("one"))));
      registry.lists = "http://" + other.host() + "/moved";
      other.hasReferrers = true;
      other.next = "next?page=2";
      other.referrers.putAll(Map.of("next", registry.referrers.values().iterator().next()));

      assertThat(client.attestations(pinned)).hasSize(1);
      assertThat(other.requests)
          .containsExactly(
              "GET /moved/v2/acme/mood/referrers/" + pinned.digest() + " null",
              "GET /moved/v2/acme/mood/referrers/next?page=2 null");
    }
  }

  @Test
  void tooManyAttestations_areRefusedBeforeTheyAreFetched() throws Exception {
    registry.hasReferrers = true;
    OciReference pinned = push();
    listReferrers(pinned, i -> Sha256.hash(new byte[i]).toString(), 1_001);
    registry.requests.clear();

    try (OciClient client = client(pinned)) {
      assertThat(refusal(() -> client.attestations(pinned)))
          .hasMessageEndingWith(": 1001; limit is 1000");
    }
    assertThat(registry.requests).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"layers\":[]}|invalid schemaVersion: null; must be 2",
        "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x\",\"digest\":\"DIGEST\",\"size\":1},\"layers\":[null]}|a layer of the manifest is null"
      })
  void invalidManifest_isReportedByItsProblem(String json, String message) throws Exception {
    push();
    replace(
        "manifests/1",
        json.replace("DIGEST", DIGEST.toString()).getBytes(StandardCharsets.US_ASCII));

    assertThat(refusal(() -> pull(registry.reference("acme/mood:1"))))
        .hasMessageEndingWith(message);
  }

  private static SignedEnvelope signed(Worker worker) {
    return SignedEnvelope.of(
        worker.attestation(worker.statement(FILE, "scalar", Outcome.MATCH)).envelope(),
        worker.key().publicKey());
  }

  @Test
  void interruptedDownload_resumes() throws Exception {
    push();
    registry.cut = 100;

    assertThat(pull(registry.reference("acme/mood:1")).path()).hasBinaryContent(BYTES);
    assertThat(registry.ranges).containsExactly("bytes=100-");
  }

  @Test
  void blobOfAnotherDigest_isRefusedAndNotKept() throws Exception {
    OciReference pinned = push();
    byte[] other = BYTES.clone();
    other[other.length - 1] ^= 1;
    replace("blobs/" + DIGEST, other);

    RegistryException refused = refusal(() -> pull(pinned));

    assertThat(refused.kind()).isEqualTo(Kind.BROKEN);
    assertThat(refused).hasMessageContaining("do not match the stated digest " + DIGEST);
    assertThat(LocalCache.at(folder.resolve("cache")).size()).isZero();
  }

  @Test
  void largerBlobThanStated_isRefused() throws Exception {
    OciReference pinned = push();
    replace("blobs/" + DIGEST, new byte[BYTES.length + 1]);

    assertThat(refusal(() -> pull(pinned)))
        .hasMessageContaining("limit is " + BYTES.length)
        .extracting(RegistryException::kind)
        .isEqualTo(Kind.BROKEN);
  }

  @Test
  void manifestOfAnotherDigest_isRefused() throws Exception {
    OciReference pinned = push();
    replace("manifests/" + pinned.digest(), "{}".getBytes(StandardCharsets.US_ASCII));

    assertThat(refusal(() -> pull(pinned)))
        .hasMessageContaining("digest mismatch of manifest " + pinned.digest());
  }

  @Test
  void manifestOfAnotherDigestThanStated_isRefused() throws Exception {
    OciReference pinned = push();
    registry.statedDigest = DIGEST.toString();

    assertThat(refusal(() -> pull(registry.reference("acme/mood:1"))))
        .hasMessage(
            "digest mismatch of manifest 1 from http://%s: %s; must be %s",
            registry.host(), pinned.digest(), DIGEST);
  }

  @Test
  void attestationOfAnotherDigestOrSubject_isRefused() throws Exception {
    registry.hasReferrers = true;
    OciReference pinned = push();
    OciReference other = pinned.pinned(DIGEST);
    SignedEnvelope signed = signed(Worker.named("one"));
    byte[] envelope = OciJson.write(signed.envelope());
    String digest = Sha256.hash(envelope).toString();
    try (OciClient client = client(pinned)) {
      client.attach(pinned, List.of(signed));
      registry.referrers.put(
          String.valueOf(other.digest()), registry.referrers.values().iterator().next());
      envelope[0] ^= 1;
      replace("blobs/" + digest, envelope);

      assertThat(refusal(() -> client.attestations(other)))
          .hasMessageStartingWith("invalid subject of referrer ");
      assertThat(refusal(() -> client.attestations(pinned)))
          .hasMessageStartingWith("digest mismatch of a blob from ");
    }
  }

  @Test
  void artifactOfAnotherType_isRefused() throws Exception {
    OciReference pinned = push();
    String manifest = new String(manifest(pinned), StandardCharsets.UTF_8);
    String image =
        manifest
            .replace(ModelPack.WEIGHT, "application/vnd.oci.image.layer.v1.tar+gzip")
            .replace(ModelPack.ARTIFACT, "application/vnd.example\\u001b[31m");
    replace("manifests/1", image.getBytes(StandardCharsets.UTF_8));

    assertThatThrownBy(() -> pull(registry.reference("acme/mood:1")))
        .isInstanceOf(NotAnAdapterException.class)
        .hasMessageContaining(
            "/acme/mood:1 is not an adapter: artifact type application/vnd.example")
        .hasMessageContaining("must have one layer of type " + ModelPack.WEIGHT);
  }

  private byte[] manifest(OciReference pinned) {
    return registry.content.getOrDefault("/v2/acme/mood/manifests/" + pinned.digest(), new byte[0]);
  }

  @Test
  void absentTag_isNotFound() {
    assertThat(refusal(() -> pull(registry.reference("acme/mood:2"))))
        .hasMessage(
            "oci://%s/acme/mood:2 not found (private repositories need a login: docker login %s)",
            registry.host(), registry.host())
        .extracting(RegistryException::kind)
        .isEqualTo(Kind.NOT_FOUND);
  }

  @ParameterizedTest
  @CsvSource({
    "401, NOT_ALLOWED, log in",
    "403, NOT_ALLOWED, log in",
    "400, REFUSED, not today (DENIED)",
    "507, UNAVAILABLE, not today (DENIED)"
  })
  void refusal_hasTheRegistrysReasonAndARemedy(int status, Kind kind, String message) {
    registry.status = status;

    assertThat(refusal(() -> pull(registry.reference("acme/mood:1"))))
        .hasMessageContaining(" answered GET /v2/acme/mood/manifests/1 with status " + status)
        .hasMessageContaining(message)
        .extracting(RegistryException::kind)
        .isEqualTo(kind);
  }

  @ParameterizedTest
  @CsvSource({"Basic, answered", "Bearer, no token for"})
  void missingLogin_isNamedWithTheRemedy(String scheme, String message) {
    registry.scheme = scheme;

    assertThat(refusal(() -> pull(registry.reference("acme/mood:1"))))
        .hasMessageContaining(message)
        .hasMessageEndingWith("docker login %s, or oras login", registry.host())
        .extracting(RegistryException::kind)
        .isEqualTo(Kind.NOT_ALLOWED);
  }

  @Test
  void login_isNotSentToAnUnencryptedRealmElsewhere() throws Exception {
    registry.scheme = "Bearer";
    registry.realm = "http://auth.example";
    logIn();

    assertThat(refusal(() -> pull(registry.reference("acme/mood:1"))))
        .hasMessage(
            "unencrypted realm from %s: http://auth.example; a login is sent over https only",
            registry.host());
    assertThat(registry.requests).allMatch(request -> request.endsWith(" null"));
  }

  @Test
  void challengeOfAnotherHost_getsNoLogin() throws Exception {
    OciReference pinned = push();
    logIn();
    Adapters.small(2).write(file);
    try (MemoryRegistry other = new MemoryRegistry()) {
      registry.scheme = "Basic";
      other.scheme = "Bearer"; // of a realm of its own
      registry.storage = "http://" + other.host();

      RegistryException pulled = refusal(() -> pull(pinned));
      RegistryException pushed = refusal(this::push);

      assertThat(List.of(pulled, pushed))
          .allSatisfy(refused -> assertThat(refused).hasMessageEndingWith("with status 401"));
      assertThat(other.requests)
          .hasSize(2)
          .allMatch(request -> request.contains("/blobs/") && request.endsWith(" null"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"session", "session?_state=x#part", "../uploads/session?"})
  void relativeLocation_isResolvedAgainstTheRequest(String location) throws Exception {
    registry.location = location;

    assertThat(pull(push()).digest()).isEqualTo(DIGEST);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|no Location from http://HOST/v2/acme/mood/blobs/uploads/; an answer",
        "ftp://ann:secret@h/x?sig=secret|invalid location from http://HOST: \"ftp://…@h/x\"; must be",
        "http://ann:sec/secret@h/x|invalid location from http://HOST: \"http://…@h/x\"; must be",
        "http://HOST/token?sig=secret|answered PUT http://HOST/token with status 401"
      })
  void failedUpload_isReportedWithoutTheSecretsOfItsUrl(String location, String message) {
    registry.location = location.replace("HOST", registry.host());

    assertThat(refusal(this::push))
        .hasMessageContaining(message.replace("HOST", registry.host()))
        .hasMessageNotContaining("secret");
  }

  @Test
  void redirectionToAnInvalidUrl_isReportedWithoutTheSecretsOfItsUrl() throws Exception {
    OciReference pinned = push();
    registry.storage = "ftp://ann:secret@h/x?sig=secret";

    assertThat(refusal(() -> pull(pinned)))
        .hasMessageEndingWith("to an invalid URL: \"ftp://…@h/x\"")
        .hasMessageNotContaining("secret");
  }

  @Test
  void emptyToken_isNoTokenBesideAnAccessToken() throws Exception {
    OciReference pinned = push();
    registry.scheme = "Bearer";
    registry.tokens = "{\"token\":\"\",\"access_token\":\"granted\"}";
    logIn();

    assertThat(pull(pinned).digest()).isEqualTo(DIGEST);
  }

  @Test
  void unreadableLogin_isReportedAtOnce() throws Exception {
    registry.scheme = "Basic";
    Files.writeString(folder.resolve("config.json"), "{");

    assertThatThrownBy(() -> pull(registry.reference("acme/mood:1")))
        .isInstanceOf(CredentialsException.class)
        .hasMessageStartingWith("invalid credentials file: ");
    assertThat(registry.requests).hasSize(1);
  }

  @Test
  void overloadedTokenServer_isAskedAgainOnceForEachRetry() throws Exception {
    registry.scheme = "Bearer";
    registry.tokens = "";
    logIn();

    assertThat(refusal(() -> pull(registry.reference("acme/mood:1"))))
        .hasMessageEndingWith("answered with status 503; try again later, or ask its operators")
        .extracting(RegistryException::kind)
        .isEqualTo(Kind.UNAVAILABLE);
    assertThat(registry.requests).hasSize(1 + 1 + Retry.STANDARD_RETRIES);
  }

  @Test
  void refusedLogin_isNamed() throws Exception {
    registry.scheme = "Basic";
    logIn();
    registry.status = 401;

    assertThat(refusal(() -> pull(registry.reference("acme/mood:1"))))
        .hasMessageContaining("login refused: user ann; log in again");
  }

  @Test
  void login_isNotSentToAnUnencryptedRegistryElsewhere() throws Exception {
    Files.writeString(
        folder.resolve("config.json"),
        "{\"auths\":{\"r.example\":{\"auth\":\"%s\"}}}".formatted(MemoryRegistry.LOGIN));
    OciReference reference = OciReference.parse("oci://r.example/acme/mood");
    OciProtocol protocol =
        new OciProtocol(
            reference,
            reference.api(true),
            DockerCredentials.of(Map.of("DOCKER_CONFIG", folder.toString())),
            Duration.ofSeconds(1));
    HttpHeaders challenge =
        HttpHeaders.of(Map.of("WWW-Authenticate", List.of("Basic realm=r")), (_, _) -> true);

    assertThat(
            refusal(
                () ->
                    protocol.meet(
                        new Answer(401, challenge, new Body(), reference.api(true), true))))
        .hasMessage("login for r.example not sent: http://r.example is not encrypted; use https");
    assertThat(protocol.authorization()).isNull();
  }
}
