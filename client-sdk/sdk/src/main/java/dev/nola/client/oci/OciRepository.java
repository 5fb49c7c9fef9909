package dev.nola.client.oci;

import dev.nola.client.Progress;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import dev.nola.client.RegistryUrl;
import dev.nola.client.http.Answer;
import dev.nola.client.http.Call;
import dev.nola.client.http.Content;
import dev.nola.client.http.Query;
import dev.nola.client.http.RegistryText;
import dev.nola.client.http.Transport;
import dev.nola.digest.Sha256;
import java.io.IOException;
import java.net.URI;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The requests of the OCI distribution specification about one repository.
 *
 * @param transport of the registry
 * @param name the repository
 */
record OciRepository(Transport transport, OciReference name) {
  /** The specification lets registries refuse larger manifests. */
  private static final int MAX_MANIFEST = 4 << 20;

  private static final Pattern NEXT = Pattern.compile("<([^>]+)>\\s*;\\s*rel=\"?next\"?");

  private static final String ACCEPTED =
      String.join(
          ", ",
          OciManifest.MEDIA_TYPE,
          OciIndex.MEDIA_TYPE,
          "application/vnd.docker.distribution.manifest.v2+json",
          "application/vnd.docker.distribution.manifest.list.v2+json");

  /**
   * A manifest or an index, as it was stored.
   *
   * @param bytes as the registry sent them
   * @param descriptor its type, digest and size
   */
  record Stored(byte[] bytes, OciDescriptor descriptor) {}

  /**
   * A page of a list.
   *
   * @param index its manifests
   * @param next the next page's path or URL; null for the last
   */
  record Page(OciIndex index, @Nullable String next) {}

  String path(String rest) {
    return "/v2/" + name.repository() + rest;
  }

  String blobPath(Sha256 digest) {
    return path("/blobs/" + digest);
  }

  /**
   * Fetches a manifest or an index.
   *
   * @param target a tag or a digest
   * @throws RegistryException of kind NOT_FOUND if it does not exist; BROKEN if it does not have
   *     the requested digest, or the one that the registry states
   */
  Stored manifest(String target) throws IOException, InterruptedException {
    Call call = Call.get(path("/manifests/" + Query.encode(target))).accepting(ACCEPTED);
    Transport.Received received = transport.bytesAndHeaders(call, MAX_MANIFEST);
    byte[] bytes = received.bytes();
    String stated = received.header("Docker-Content-Digest");
    String mediaType = received.header("Content-Type").replaceFirst("\\s*;.*", "");
    OciDescriptor found = OciDescriptor.of(mediaType, bytes);
    String expected = target.startsWith("sha256:") ? target : stated;
    if (!expected.isEmpty() && !expected.equals(found.digest().toString())) {
      throw RegistryException.broken(
          "digest mismatch of manifest %s from %s: %s; must be %s"
              .formatted(
                  target, transport.registry(), found.digest(), RegistryText.printable(expected)));
    }
    return new Stored(bytes, found);
  }

  /** Fetches a manifest or an index; null if it does not exist. */
  @Nullable Stored manifestIfPresent(String target) throws IOException, InterruptedException {
    try {
      return manifest(target);
    } catch (RegistryException e) {
      if (e.kind() == Kind.NOT_FOUND) {
        return null;
      }
      throw e;
    }
  }

  /**
   * Fetches a page of a list of manifests; null if the registry does not have the referrers API.
   */
  @Nullable Page page(String path) throws IOException, InterruptedException {
    Transport.Received page;
    try {
      page = transport.bytesAndHeaders(Call.get(path).accepting(OciIndex.MEDIA_TYPE), MAX_MANIFEST);
    } catch (RegistryException e) {
      if (e.kind() == Kind.NOT_FOUND) {
        return null;
      }
      throw e;
    }
    OciIndex index =
        OciJson.read(page.bytes(), OciIndex.class, "the list at " + RegistryText.place(path));
    Matcher next = NEXT.matcher(page.header("Link"));
    return new Page(index, next.find() ? resolve(page.url(), next.group(1)) : null);
  }

  /**
   * Stores a manifest or an index, whose content must be stored already.
   *
   * @param target a tag or its digest
   * @return whether the registry keeps the list of its subject's referrers
   */
  boolean putManifest(String target, String mediaType, byte[] bytes)
      throws IOException, InterruptedException {
    Content content = Content.bytes(mediaType, bytes, Progress.NONE);
    Call call = Call.of("PUT", path("/manifests/" + Query.encode(target))).with(content);
    try (Answer answer = transport.open(call)) {
      return answer.header("OCI-Subject").isPresent();
    }
  }

  /**
   * Fetches a small blob.
   *
   * @throws RegistryException of kind BROKEN if it has another digest or size
   */
  byte[] blob(OciDescriptor blob, int limit) throws IOException, InterruptedException {
    byte[] bytes = transport.bytes(Call.get(blobPath(blob.digest())).accepting("*/*"), limit);
    if (bytes.length != blob.size() || !Sha256.hash(bytes).equals(blob.digest())) {
      throw RegistryException.broken(
          "digest mismatch of a blob from %s: %s, %d bytes; must be %s, %d bytes"
              .formatted(
                  transport.registry(),
                  Sha256.hash(bytes),
                  bytes.length,
                  blob.digest(),
                  blob.size()));
    }
    return bytes;
  }

  /** Stores a blob unless the repository has it. */
  void putBlob(OciDescriptor blob, Content content) throws IOException, InterruptedException {
    if (hasBlob(blob.digest())) {
      return;
    }
    String session;
    try (Answer answer = transport.open(Call.of("POST", path("/blobs/uploads/")).once())) {
      session = resolve(answer.url(), answer.header("Location").orElse(""));
    }
    String digest = "digest=" + Query.encode(blob.digest().toString());
    transport.status(
        Call.of("PUT", session + (session.contains("?") ? "&" : "?") + digest)
            .with(content)
            .once());
  }

  private boolean hasBlob(Sha256 digest) throws IOException, InterruptedException {
    try {
      transport.status(Call.of("HEAD", blobPath(digest)).accepting("*/*"));
      return true;
    } catch (RegistryException e) {
      if (e.kind() == Kind.NOT_FOUND) {
        return false;
      }
      throw e;
    }
  }

  /**
   * Resolves a reference in an answer (RFC 9110, section 10.2.2). It may name another host, which
   * receives no login.
   *
   * @param base the URL that sent the answer
   * @param reference a URL in the answer, perhaps relative; empty if it is missing
   * @return the URL, without a fragment
   */
  private String resolve(URI base, String reference) throws RegistryException {
    if (reference.isEmpty()) {
      throw RegistryException.broken(
          "no Location from %s; an answer that begins an upload must have one".formatted(base));
    }
    URI registry = transport.registry();
    String target = reference.replaceFirst("#.*", "");
    try {
      URI place = base.resolve(target.startsWith("?") ? base.getRawPath() + target : target);
      RegistryUrl.normalize(URI.create(place.getScheme() + "://" + place.getRawAuthority()));
      if (RegistryUrl.isEncrypted(place) || !RegistryUrl.isEncrypted(registry)) {
        return place.toString();
      }
    } catch (IllegalArgumentException _) {
      // refused below
    }
    throw RegistryException.broken(
        "invalid location from %s: \"%s\"; must be a URL, and encrypted if the registry's is"
            .formatted(registry, RegistryText.place(reference)));
  }
}
