package dev.nola.client.oci;

import dev.nola.api.attestation.Envelope;
import dev.nola.api.attestation.Statement;
import dev.nola.api.attestation.VerifyingKey;
import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.attestation.SignedEnvelope;
import dev.nola.client.http.Content;
import dev.nola.client.http.Query;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Attestations as referrers: artifacts whose subject is the manifest of an adapter. Registries
 * without an API for them keep their list under a tag, by the specification's fallback.
 *
 * @param repository that the subject is in
 */
record Referrers(OciRepository repository) {
  static final String ARTIFACT = "application/vnd.in-toto+json";
  static final String ENVELOPE = "application/vnd.dsse.envelope.v1+json";

  private static final String PREDICATE = "in-toto.io/predicate-type";

  /** The base64 of the public key, which anyone can compare with the fingerprint that it trusts. */
  private static final String PUBLIC_KEY = "dev.nola.public-key";

  private static final String EMPTY = "application/vnd.oci.empty.v1+json";
  private static final byte[] EMPTY_CONFIG = "{}".getBytes(StandardCharsets.US_ASCII);
  private static final int MAX_ENVELOPE = 24 << 20;
  private static final int MAX_PAGES = 100;

  /**
   * Adds attestations; those that the subject has already stay as they are.
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

  /** Adds to the list that the registry does not keep itself. */
  private void list(Sha256 subject, List<OciDescriptor> added)
      throws IOException, InterruptedException {
    String tag = tag(subject);
    Set<OciDescriptor> all = new LinkedHashSet<>(listed(tag));
    if (all.addAll(added)) {
      byte[] index = OciJson.write(OciIndex.of(List.copyOf(all)));
      repository.putManifest(tag, OciIndex.MEDIA_TYPE, index);
    }
  }

  /**
   * Fetches the attestations about a manifest; those of other kinds are left out.
   *
   * @param subject SHA-256 of the manifest
   * @throws RegistryException if one is invalid, or the registry cannot be reached
   */
  List<SignedEnvelope> attestations(Sha256 subject) throws IOException, InterruptedException {
    List<SignedEnvelope> attestations = new ArrayList<>();
    for (OciDescriptor referrer : all(subject)) {
      String predicate = referrer.annotation(PREDICATE);
      if (ARTIFACT.equals(referrer.artifactType())
          && (predicate.isEmpty() || predicate.equals(Statement.PREDICATE_TYPE))) {
        attestations.addAll(attestations(subject, referrer));
      }
    }
    return attestations;
  }

  private List<SignedEnvelope> attestations(Sha256 subject, OciDescriptor referrer)
      throws IOException, InterruptedException {
    String name = "referrer " + referrer.digest();
    OciManifest manifest =
        OciJson.read(
            repository.manifest(referrer.digest().toString()).bytes(), OciManifest.class, name);
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

  /** Lists the referrers of a manifest, by the API or else by the tag. */
  private List<OciDescriptor> all(Sha256 subject) throws IOException, InterruptedException {
    String path =
        repository.path("/referrers/%s?artifactType=%s".formatted(subject, Query.encode(ARTIFACT)));
    List<OciDescriptor> all = new ArrayList<>();
    for (int pages = 0; pages < MAX_PAGES; pages++) {
      OciRepository.Page page = repository.page(path);
      if (page == null) {
        return pages == 0 ? listed(tag(subject)) : all;
      }
      all.addAll(page.index().manifests());
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

  private List<OciDescriptor> listed(String tag) throws IOException, InterruptedException {
    OciRepository.Stored index = repository.manifestIfPresent(tag);
    return index == null
        ? List.of()
        : OciJson.read(index.bytes(), OciIndex.class, "index " + tag).manifests();
  }

  private static String tag(Sha256 subject) {
    return subject.toString().replace(':', '-');
  }
}
