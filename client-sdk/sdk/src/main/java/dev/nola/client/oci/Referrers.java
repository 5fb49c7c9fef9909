package dev.nola.client.oci;

import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.Statement;
import dev.nola.api.attestation.VerifyingKey;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.attestation.SignedEnvelope;
import dev.nola.client.http.Content;
import dev.nola.client.http.Query;
import dev.nola.client.http.RegistryText;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Attestations as referrers: artifacts whose subject is the manifest of an adapter. Where a
 * registry has no API for them, clients keep their list under a tag (the specification's fallback).
 *
 * @param repository that the subject is in
 */
record Referrers(OciRepository repository) {
  static final String ARTIFACT = "application/vnd.in-toto+json";
  static final String ENVELOPE = "application/vnd.dsse.envelope.v1+json";

  private static final String PREDICATE = "in-toto.io/predicate-type";

  /** The base64 of the public key; readers compare its fingerprint with those that they trust. */
  private static final String PUBLIC_KEY = "dev.nola.public-key";

  private static final String EMPTY = "application/vnd.oci.empty.v1+json";
  private static final byte[] EMPTY_CONFIG = "{}".getBytes(StandardCharsets.US_ASCII);
  private static final int MAX_ENVELOPE = 24 << 20;
  private static final int MAX_PAGES = 100;
  private static final int MAX_ATTESTATIONS = 1_000;

  /**
   * Adds attestations; existing ones are kept.
   *
   * @param subject the manifest that they are about
   */
  void add(OciDescriptor subject, List<SignedEnvelope> envelopes)
      throws IOException, InterruptedException {
    if (envelopes.isEmpty()) {
      return;
    }
    OciDescriptor config = OciDescriptor.of(EMPTY, EMPTY_CONFIG);
    repository.putBlob(config, Content.bytes(EMPTY, EMPTY_CONFIG, Progress.NONE));
    List<OciDescriptor> unlisted = new ArrayList<>();
    for (SignedEnvelope each : envelopes) {
      byte[] envelope = OciJson.write(each.envelope());
      OciDescriptor layer = OciDescriptor.of(ENVELOPE, envelope);
      repository.putBlob(layer, Content.bytes("application/octet-stream", envelope, Progress.NONE));
      Map<String, String> annotations = new LinkedHashMap<>();
      annotations.put(PREDICATE, Statement.PREDICATE_TYPE);
      VerifyingKey key = each.key();
      if (key != null) {
        annotations.put(PUBLIC_KEY, key.toBase64());
      }
      byte[] manifest =
          OciJson.write(OciManifest.of(ARTIFACT, config, layer, subject, annotations));
      OciDescriptor stored = OciDescriptor.of(OciManifest.MEDIA_TYPE, manifest);
      if (!repository.putManifest(stored.digest().toString(), OciManifest.MEDIA_TYPE, manifest)) {
        unlisted.add(
            new OciDescriptor(
                stored.mediaType(), stored.digest(), stored.size(), ARTIFACT, annotations));
      }
    }
    if (!unlisted.isEmpty()) {
      list(subject.digest(), unlisted);
    }
  }

  /** Adds to the list under the tag. */
  private void list(Sha256 subject, List<OciDescriptor> added)
      throws IOException, InterruptedException {
    String tag = tag(subject);
    Set<JsonNode> all = new LinkedHashSet<>(listed(tag));
    Set<String> digests = all.stream().map(Referrers::digest).collect(Collectors.toSet());
    int before = all.size();
    for (OciDescriptor each : added) {
      if (digests.add(each.digest().toString())) {
        all.add(OciJson.tree(each));
      }
    }
    if (all.size() > before) {
      byte[] index = OciJson.write(OciIndex.of(List.copyOf(all)));
      repository.putManifest(tag, OciIndex.MEDIA_TYPE, index);
    }
  }

  /**
   * Fetches the attestations about a manifest, without duplicates and other kinds of referrers.
   *
   * @param subject SHA-256 of the manifest
   * @throws RegistryException if one is invalid, there are too many, or the registry cannot be
   *     reached
   */
  List<SignedEnvelope> attestations(Sha256 subject) throws IOException, InterruptedException {
    Map<Envelope, SignedEnvelope> attestations = new LinkedHashMap<>();
    for (Sha256 referrer : all(subject)) {
      for (SignedEnvelope each : attestations(subject, referrer)) {
        attestations.merge(each.envelope(), each, (a, b) -> a.key() == null ? b : a);
      }
    }
    return List.copyOf(attestations.values());
  }

  private List<SignedEnvelope> attestations(Sha256 subject, Sha256 referrer)
      throws IOException, InterruptedException {
    String name = "referrer " + referrer;
    OciManifest manifest =
        OciJson.read(repository.manifest(referrer.toString()).bytes(), OciManifest.class, name);
    OciDescriptor about = manifest.subject();
    if (about == null || !about.digest().equals(subject)) {
      throw RegistryException.broken(
          "invalid subject of %s in %s; must be the manifest that it is listed for, %s"
              .formatted(name, repository.name(), subject));
    }
    VerifyingKey key = key(manifest, name);
    List<SignedEnvelope> envelopes = new ArrayList<>();
    for (OciDescriptor layer : manifest.layers()) {
      if (layer.mediaType().equals(ENVELOPE)) {
        byte[] json = repository.blob(layer, MAX_ENVELOPE);
        envelopes.add(signed(OciJson.read(json, Envelope.class, name), key, name));
      }
    }
    return envelopes;
  }

  private static SignedEnvelope signed(Envelope envelope, @Nullable VerifyingKey key, String name)
      throws RegistryException {
    try {
      return SignedEnvelope.of(envelope, key);
    } catch (IllegalArgumentException e) {
      throw RegistryException.broken("invalid envelope in %s; %s".formatted(name, e.getMessage()));
    }
  }

  private static @Nullable VerifyingKey key(OciManifest manifest, String name)
      throws RegistryException {
    String base64 = manifest.annotations().get(PUBLIC_KEY);
    try {
      return base64 == null ? null : VerifyingKey.parse(base64);
    } catch (IllegalArgumentException e) {
      throw RegistryException.broken(
          "invalid annotation %s of %s; %s".formatted(PUBLIC_KEY, name, e.getMessage()));
    }
  }

  /** Lists the attestations of a manifest, by the API or else by the tag. */
  private Set<Sha256> all(Sha256 subject) throws IOException, InterruptedException {
    String path =
        repository.path("/referrers/%s?artifactType=%s".formatted(subject, Query.encode(ARTIFACT)));
    Set<Sha256> all = new LinkedHashSet<>();
    for (int pages = 0; pages < MAX_PAGES; pages++) {
      OciRepository.Page page = repository.page(path);
      if (page == null) {
        if (pages == 0) {
          select(listed(tag(subject)), all);
        }
        return all;
      }
      select(page.index().manifests(), all);
      String next = page.next();
      if (next == null) {
        return all;
      }
      path = next;
    }
    throw RegistryException.broken(
        "too many pages of referrers of %s in %s; limit is %d"
            .formatted(subject, repository.name(), MAX_PAGES));
  }

  /** Selects attestations of Nola's kind; only their digests must be SHA-256. */
  private void select(List<JsonNode> referrers, Set<Sha256> selected) throws RegistryException {
    for (JsonNode referrer : referrers) {
      String predicate = referrer.path("annotations").path(PREDICATE).asString("");
      if (ARTIFACT.equals(referrer.path("artifactType").asString(""))
          && (predicate.isEmpty() || predicate.equals(Statement.PREDICATE_TYPE))) {
        try {
          selected.add(Sha256.parse(digest(referrer)));
        } catch (IllegalArgumentException e) {
          throw RegistryException.broken(
              "invalid referrer in %s; %s"
                  .formatted(repository.name(), RegistryText.printable(e.getMessage())));
        }
      }
    }
    if (selected.size() > MAX_ATTESTATIONS) {
      throw RegistryException.broken(
          "too many attestations in %s: %d; limit is %d"
              .formatted(repository.name(), selected.size(), MAX_ATTESTATIONS));
    }
  }

  private static String digest(JsonNode descriptor) {
    return descriptor.path("digest").asString("");
  }

  private List<JsonNode> listed(String tag) throws IOException, InterruptedException {
    OciRepository.Stored index = repository.manifestIfPresent(tag);
    return index == null
        ? List.of()
        : OciJson.read(index.bytes(), OciIndex.class, "index " + tag).manifests();
  }

  private static String tag(Sha256 subject) {
    return subject.toString().replace(':', '-');
  }
}
