package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.nola.api.AdapterDetails;
import dev.nola.api.AdapterSummary;
import dev.nola.api.AliasChange;
import dev.nola.api.Page;
import dev.nola.api.Role;
import dev.nola.api.Scope;
import dev.nola.api.Token;
import dev.nola.api.Verification;
import dev.nola.api.VersionDetails;
import dev.nola.api.VersionSummary;
import dev.nola.api.Visibility;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.cache.LocalCache;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Published;
import dev.nola.client.registry.Pulled;
import dev.nola.client.registry.SearchQuery;
import dev.nola.digest.Sha256;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Exercises every operation of the client against the real server. */
class RegistryClientTest {
  private final Registry registry = Registry.shared();
  private final String namespace = Registry.freshName();
  private final AdapterName mood = new AdapterName(namespace, "mood");

  @TempDir private Path folder = Path.of("");

  private Path cache() {
    return folder.resolve("cache");
  }

  private static RegistryException refusal(ThrowingCallable call) {
    return catchThrowableOfType(RegistryException.class, call);
  }

  @Test
  void publishedAdapterIsFoundShownAndPulled() throws Exception {
    Path file = Samples.small(folder, 1);
    List<Long> sent = new ArrayList<>();
    try (NolaClient client = registry.owner(namespace, cache())) {
      Published published =
          client.adapters().publish(mood, "1.0.0", file, (done, total) -> sent.add(done));

      assertThat(published.isNew()).isTrue();
      assertThat(sent).last().isEqualTo(Files.size(file));
      VersionDetails version = published.version();
      assertThat(version.digest()).isEqualTo(Sha256.hash(Files.readAllBytes(file)));
      assertThat(version.verification()).isEqualTo(Verification.SELF_VERIFIED);
      assertThat(version.contents().metadata().tags()).containsExactly("demo");
      assertThat(client.adapters().publish(mood, "1.0.0", file, Progress.NONE).isNew()).isFalse();

      Page<AdapterSummary> found =
          client
              .adapters()
              .search(
                  SearchQuery.builder()
                      .text("happy reviews")
                      .base("meta-llama/Llama-2-7b-hf")
                      .generator("philox-srht")
                      .bits(4)
                      .rank(4)
                      .tag("demo")
                      .namespace(namespace)
                      .verified(false)
                      .sort(SearchQuery.Sort.RELEVANCE)
                      .build(),
                  null);
      assertThat(found.items()).extracting(AdapterSummary::name).containsExactly("mood");
      assertThat(
              client.adapters().search(SearchQuery.builder().tag("absent").build(), null).items())
          .isEmpty();

      AdapterDetails adapter = client.adapters().get(mood);
      assertThat(adapter.latest()).isEqualTo("1.0.0");
      assertThat(client.adapters().version(new Reference(mood, "latest")).version())
          .isEqualTo("1.0.0");

      Pulled pulled = client.pull(new Reference(mood, "latest"), Progress.NONE);
      assertThat(pulled.version()).isEqualTo("1.0.0");
      assertThat(pulled.digest()).isEqualTo(version.digest());
      assertThat(pulled.yanked()).isNull();
      assertThat(pulled.fromCache()).isFalse();
      assertThat(pulled.path()).hasSameBinaryContentAs(file);
      assertThat(pulled.open().adapter().seed()).isEqualTo(1);
    }
  }

  @Test
  void everyKindOfReferenceResolvesToItsVersion() throws Exception {
    try (NolaClient client = registry.owner(namespace, cache())) {
      client.adapters().publish(mood, "1.0.0", Samples.small(folder, 1), Progress.NONE);
      client.adapters().publish(mood, "1.2.0", Samples.small(folder, 2), Progress.NONE);
      client
          .adapters()
          .publish(mood, "2.0.0-rc.1+build.7", Samples.small(folder, 3), Progress.NONE);
      client.aliases().set(mood, "prod", "1.0.0");
      String digest = client.adapters().version(new Reference(mood, "1.2.0")).digest().toString();

      for (String[] expected :
          new String[][] {
            {"", "1.2.0"},
            {"@latest", "1.2.0"},
            {"@1.0.0", "1.0.0"},
            {"@2.0.0-rc.1+build.7", "2.0.0-rc.1+build.7"},
            {"@prod", "1.0.0"},
            {"@^1.0", "1.2.0"},
            {"@~1.0", "1.0.0"},
            {"@1.x", "1.2.0"},
            {"@>=1 <1.1", "1.0.0"},
            {"@~1.1 || ~1.2", "1.2.0"},
            {"@" + digest, "1.2.0"},
          }) {
        Reference reference = Reference.parse(mood + expected[0]);
        Pulled pulled = client.pull(reference, Progress.NONE);
        assertThat(pulled.version()).as(reference.toString()).isEqualTo(expected[1]);
        assertThat(pulled.reference()).isEqualTo(reference);
        assertThat(Sha256.hash(Files.readAllBytes(pulled.path())))
            .as(reference.toString())
            .isEqualTo(pulled.digest());
      }
    }
  }

  @Test
  void listsArePaged() throws Exception {
    try (NolaClient client = registry.owner(namespace, cache())) {
      for (int i = 0; i < 3; i++) {
        AdapterName name = new AdapterName(namespace, "a" + i);
        client.adapters().publish(name, "1.0.0", Samples.small(folder, i), Progress.NONE);
      }
      SearchQuery query =
          SearchQuery.builder().namespace(namespace).sort(SearchQuery.Sort.NAME).limit(2).build();

      Page<AdapterSummary> first = client.adapters().search(query, null);
      Page<AdapterSummary> second = client.adapters().search(query, first.next());

      assertThat(first.items()).extracting(AdapterSummary::name).containsExactly("a0", "a1");
      assertThat(second.items()).extracting(AdapterSummary::name).containsExactly("a2");
      assertThat(second.next()).isNull();
      Page<VersionSummary> versions =
          client.adapters().versions(new AdapterName(namespace, "a0"), null);
      assertThat(versions.items()).extracting(VersionSummary::version).containsExactly("1.0.0");
      assertThat(versions.next()).isNull();
    }
  }

  @Test
  void aliasMovesAndItsHistoryStays() throws Exception {
    try (NolaClient client = registry.owner(namespace, cache())) {
      client.adapters().publish(mood, "1.0.0", Samples.small(folder, 1), Progress.NONE);
      client.adapters().publish(mood, "2.0.0", Samples.small(folder, 2), Progress.NONE);

      assertThat(client.aliases().set(mood, "prod", "1.0.0").version()).isEqualTo("1.0.0");
      assertThat(client.pull(new Reference(mood, "prod"), Progress.NONE).version())
          .isEqualTo("1.0.0");
      client.aliases().set(mood, "prod", "2.0.0");
      assertThat(client.pull(new Reference(mood, "prod"), Progress.NONE).version())
          .isEqualTo("2.0.0");
      client.aliases().remove(mood, "prod");

      assertThat(client.aliases().history(mood, "prod"))
          .extracting(AliasChange::version)
          .containsExactly(null, "2.0.0", "1.0.0");
      assertThat(refusal(() -> client.aliases().remove(mood, "prod")).kind())
          .isEqualTo(Kind.NOT_FOUND);
      assertThat(refusal(() -> client.aliases().set(mood, "prod", "9.0.0")))
          .hasMessageContaining(
              "invalid version: 9.0.0; must be the number of an existing version of " + mood);
    }
  }

  @Test
  void yankedVersionIsPulledWithTheReason() throws Exception {
    String reason = "100% wrong: \"α\" + β";
    try (NolaClient client = registry.owner(namespace, cache())) {
      client.adapters().publish(mood, "1.0.0", Samples.small(folder, 1), Progress.NONE);
      client.adapters().publish(mood, "2.0.0", Samples.small(folder, 2), Progress.NONE);
      client.aliases().set(mood, "prod", "2.0.0");
      assertThat(client.pull(new Reference(mood, "prod"), Progress.NONE).yanked()).isNull();

      assertThat(client.adapters().yank(mood, "2.0.0", reason).yanked()).isNotNull();

      assertThat(client.pull(new Reference(mood, "latest"), Progress.NONE).version())
          .isEqualTo("1.0.0");
      Pulled again = client.pull(new Reference(mood, "prod"), Progress.NONE);
      assertThat(again.fromCache()).isTrue();
      assertThat(again.yanked()).isEqualTo(reason);
      client.adapters().unyank(mood, "2.0.0");
      assertThat(client.pull(new Reference(mood, "prod"), Progress.NONE).yanked()).isNull();
    }
  }

  @Test
  void unchangedBlobIsPulledFromTheCache() throws Exception {
    try (NolaClient client = registry.owner(namespace, cache())) {
      client.adapters().publish(mood, "1.0.0", Samples.small(folder, 1), Progress.NONE);
      client
          .adapters()
          .publish(mood, "1.1.0", Samples.small(folder, 1), Progress.NONE); // the same bytes
      Reference prod = new Reference(mood, "prod");
      client.aliases().set(mood, "prod", "1.0.0");
      assertThat(client.pull(prod, Progress.NONE).fromCache()).isFalse();
      assertThat(client.pull(prod, Progress.NONE).fromCache()).isTrue();

      client.aliases().set(mood, "prod", "1.1.0");

      Pulled pulled = client.pull(prod, Progress.NONE);
      assertThat(pulled.fromCache()).isTrue();
      assertThat(pulled.version()).isEqualTo("1.1.0");
    }
  }

  @Test
  void offlineReferenceResolvesAsBefore() throws Exception {
    try (NolaClient client = registry.owner(namespace, cache())) {
      client.adapters().publish(mood, "1.0.0", Samples.small(folder, 1), Progress.NONE);
      client.pull(new Reference(mood, "^1"), Progress.NONE);
      client.adapters().publish(mood, "1.1.0", Samples.small(folder, 2), Progress.NONE);
    }
    try (NolaClient offline =
        NolaClient.builder(registry.url()).cache(LocalCache.at(cache())).offline(true).build()) {
      Pulled pulled = offline.pull(new Reference(mood, "^1"), Progress.NONE);

      assertThat(pulled.version()).isEqualTo("1.0.0");
      assertThat(offline.pull(pulled.pinned(), Progress.NONE).digest()).isEqualTo(pulled.digest());
      RegistryException unknown =
          refusal(() -> offline.pull(new Reference(mood, "latest"), Progress.NONE));
      assertThat(unknown)
          .hasMessage(
              "%s is not available offline: it has not been pulled from %s", mood, registry.url());
      assertThat(unknown.kind()).isEqualTo(Kind.UNAVAILABLE);
      assertThat(refusal(() -> offline.adapters().get(mood))).hasMessageContaining("offline");

      Files.write(pulled.path(), new byte[] {1});
      assertThat(refusal(() -> offline.pull(new Reference(mood, "^1"), Progress.NONE)))
          .hasMessageContaining("is no longer in the cache");
    }
  }

  @Test
  void tokenIdentifiesTheAccount() throws Exception {
    try (NolaClient client = registry.owner(namespace, cache());
        NolaClient anyone = registry.client(null, cache());
        NolaClient stranger = registry.client("nola_made-up", cache())) {
      Token token = client.tokens().current();
      assertThat(token.account()).isEqualTo(namespace);
      assertThat(token.scopes()).containsExactly(Scope.PUBLISH);

      for (NolaClient refused : List.of(anyone, stranger)) {
        RegistryException failure = refusal(() -> refused.tokens().current());
        assertThat(failure.kind()).isEqualTo(Kind.NOT_ALLOWED);
        assertThat(failure.status()).isEqualTo(401);
        assertThat(failure)
            .hasMessageEndingWith("log in with: nola login --registry " + registry.url());
      }
      assertThat(refusal(() -> stranger.tokens().current()))
          .hasMessageStartingWith("invalid token: unknown, expired or revoked");
    }
  }

  @Test
  void namespaceIsCreatedOnce() throws Exception {
    try (NolaClient ann = registry.owner(namespace, cache());
        NolaClient bob = registry.client(registry.token("bob", Scope.PUBLISH), cache())) {
      assertThat(ann.namespaces().create(namespace).role()).isEqualTo(Role.OWNER);
      RegistryException taken = refusal(() -> bob.namespaces().create(namespace));
      assertThat(taken.kind()).isEqualTo(Kind.CONFLICT);
      assertThat(taken).hasMessage("namespace taken: " + namespace + " belongs to another account");
    }
  }

  @Test
  void privateAdapterIsVisibleToMembersOnly() throws Exception {
    Reference reference = new Reference(mood, "1.0.0");
    try (NolaClient owner = registry.owner(namespace, cache());
        NolaClient anyone = registry.client(null, folder.resolve("other"));
        NolaClient bob =
            registry.client(registry.token("bob", Scope.PUBLISH), folder.resolve("other"))) {
      owner
          .adapters()
          .publish(mood, "1.0.0", Samples.small(folder, 1), Visibility.PRIVATE, Progress.NONE);

      assertThat(owner.adapters().get(mood).visibility()).isEqualTo(Visibility.PRIVATE);
      assertThat(owner.pull(reference, Progress.NONE).fromCache()).isFalse();
      RegistryException unseen = refusal(() -> anyone.pull(reference, Progress.NONE));
      assertThat(unseen.kind()).isEqualTo(Kind.NOT_FOUND);
      assertThat(unseen)
          .hasMessage(
              "adapter %s not found (private adapters need a token); log in with: nola login --registry %s",
              mood, registry.url());
      assertThat(refusal(() -> bob.pull(reference, Progress.NONE)))
          .hasMessage("adapter %s not found", mood);
      assertThat(refusal(() -> bob.adapters().version(reference)).kind()).isEqualTo(Kind.NOT_FOUND);
    }
  }

  @Test
  void publishingAgainstTheRulesIsRefusedWithTheReason() throws Exception {
    Path file = Samples.small(folder, 1);
    try (NolaClient owner = registry.owner(namespace, cache());
        NolaClient bob = registry.client(registry.token("bob", Scope.PUBLISH), cache())) {
      owner.adapters().publish(mood, "1.0.0", file, Progress.NONE);

      RegistryException other =
          refusal(
              () ->
                  owner.adapters().publish(mood, "1.0.0", Samples.small(folder, 2), Progress.NONE));
      assertThat(other.kind()).isEqualTo(Kind.CONFLICT);
      assertThat(other).hasMessageContaining("exists with digest sha256:");

      RegistryException stranger =
          refusal(() -> bob.adapters().publish(mood, "2.0.0", file, Progress.NONE));
      assertThat(stranger.kind()).isEqualTo(Kind.NOT_ALLOWED);
      assertThat(stranger.status()).isEqualTo(403);

      Path damaged = Files.write(folder.resolve("damaged.nola"), new byte[100]);
      RegistryException refused =
          refusal(() -> owner.adapters().publish(mood, "3.0.0", damaged, Progress.NONE));
      assertThat(refused.kind()).isEqualTo(Kind.REFUSED);
      assertThat(refused.problem()).isNotNull();
      assertThat(refused.problem().type()).isEqualTo("urn:nola:problem:damaged-adapter");
      assertThat(refused.problem().requestId()).isNotBlank();
    }
  }

  @Test
  void refusedLargeUploadReportsTheReason() throws Exception {
    Path large = Samples.large(folder, 1, 8 << 20);
    try (NolaClient owner = registry.owner(namespace, cache());
        NolaClient bob = registry.client(registry.token("bob", Scope.PUBLISH), cache())) {
      owner.adapters().publish(mood, "1.0.0", Samples.small(folder, 1), Progress.NONE);

      assertThat(refusal(() -> bob.adapters().publish(mood, "2.0.0", large, Progress.NONE)).kind())
          .isEqualTo(Kind.NOT_ALLOWED);
    }
  }

  @Test
  void quotaAndLimitsAreExplained() throws Exception {
    Path file = Samples.small(folder, 1);
    long size = Files.size(file);
    try (Registry small =
            Registry.start(
                "nola.access.upload-per-day=" + 3 * size + "B",
                "nola.access.requests-per-minute=12",
                "nola.catalog.namespace-quota=" + (size + 1) + "B");
        NolaClient owner = small.owner(namespace, cache())) {
      owner.adapters().publish(mood, "1.0.0", file, Progress.NONE);
      RegistryException full =
          refusal(
              () ->
                  owner.adapters().publish(mood, "2.0.0", Samples.small(folder, 2), Progress.NONE));
      assertThat(full.kind()).isEqualTo(Kind.REFUSED);
      assertThat(full.violations())
          .singleElement()
          .satisfies(v -> assertThat(v.field()).isEqualTo("quota"));

      owner.adapters().publish(mood, "1.0.0", file, Progress.NONE);
      RegistryException tooMuch =
          refusal(() -> owner.adapters().publish(mood, "1.0.0", file, Progress.NONE));
      assertThat(tooMuch.kind()).isEqualTo(Kind.UNAVAILABLE);
      assertThat(tooMuch.status()).isEqualTo(429);
      assertThat(tooMuch).hasMessageMatching("too many bytes uploaded; try again in \\d+ seconds");
    }
  }

  @Test
  void unreachableRegistryIsReportedWithItsUrl() throws Exception {
    int free;
    try (ServerSocket socket = new ServerSocket(0)) {
      free = socket.getLocalPort();
    }
    URI nowhere = URI.create("http://127.0.0.1:" + free);
    try (NolaClient client = NolaClient.builder(nowhere).retries(0).build()) {
      RegistryException failure = refusal(() -> client.adapters().get(mood));
      assertThat(failure.kind()).isEqualTo(Kind.UNAVAILABLE);
      assertThat(failure)
          .hasMessage("cannot reach the registry at %s: connection refused", nowhere);
    }
  }
}
