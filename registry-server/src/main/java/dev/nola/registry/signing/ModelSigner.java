package dev.nola.registry.signing;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import dev.nola.api.attestation.Dsse;
import dev.nola.digest.Sha256;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/**
 * Signs files and folders in the registry's name. A signature says that the registry served these
 * bytes under this name, and nothing about who verified them. It is the same bytes each time.
 */
@Component
public class ModelSigner {
  /** Media type of a signature. */
  public static final String MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";

  /** Usual name of a folder's signature. */
  public static final String FILE = "model.sig";

  private static final String PAYLOAD_TYPE = "application/vnd.in-toto+json";
  private static final String STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
  private static final String PREDICATE_TYPE = "https://model_signing/signature/v1.0";

  /** Name of a model that is one file, whatever the file is called. */
  private static final String SINGLE_FILE = ".";

  /** What clients of repositories write into a folder beside its files. */
  private static final List<String> NOT_SIGNED =
      List.of(FILE, ".cache", ".git", ".gitattributes", ".github", ".gitignore");

  /** Unlike the server's own, the same whatever its settings: signatures must not change. */
  private static final JsonMapper JSON = JsonMapper.shared();

  private final EcKey key;

  @Autowired
  ModelSigner(RegistryKey key) {
    this(key.get());
  }

  ModelSigner(EcKey key) {
    this.key = key;
  }

  /**
   * Signs a file.
   *
   * @param name of the model, such as {@code acme/mood@1.0.0}
   * @param digest of the file, which may have any name
   * @return the signature, JSON in UTF-8
   */
  public byte[] signFile(String name, Sha256 digest) {
    return sign(name, Map.of(SINGLE_FILE, digest), List.of());
  }

  /**
   * Signs a folder.
   *
   * @param name of the model, such as {@code acme/mood@1.0.0}
   * @param files of the folder by path, without the signature
   * @return the signature, JSON in UTF-8
   */
  public byte[] signFolder(String name, Map<String, Sha256> files) {
    return sign(name, files, NOT_SIGNED);
  }

  /** Returns the key that signatures are verified with. */
  String publicKey() {
    return key.publicPem();
  }

  private byte[] sign(String name, Map<String, Sha256> files, List<String> notSigned) {
    List<Resource> resources = new ArrayList<>();
    ByteArrayOutputStream digests = new ByteArrayOutputStream();
    new TreeMap<>(files)
        .forEach(
            (path, digest) -> {
              resources.add(new Resource(path, "sha256", digest.hex()));
              digests.writeBytes(digest.toBytes());
            });
    byte[] statement =
        JSON.writeValueAsBytes(
            new Statement(
                STATEMENT_TYPE,
                List.of(
                    new Subject(name, Map.of("sha256", Sha256.hash(digests.toByteArray()).hex()))),
                PREDICATE_TYPE,
                new Predicate(new Serialization("files", "sha256", false, notSigned), resources)));
    byte[] signature = key.sign(Dsse.preAuthenticationEncoding(PAYLOAD_TYPE, statement));
    return JSON.writeValueAsBytes(
        new Bundle(
            MEDIA_TYPE,
            new Material(new KeyHint(key.hint()), List.of()),
            new Envelope(statement, PAYLOAD_TYPE, List.of(new Signature(signature, "")))));
  }

  @JsonPropertyOrder({"_type", "subject", "predicateType", "predicate"})
  private record Statement(
      @JsonProperty("_type") String type,
      List<Subject> subject,
      String predicateType,
      Predicate predicate) {}

  private record Subject(String name, Map<String, String> digest) {}

  private record Predicate(Serialization serialization, List<Resource> resources) {}

  @JsonPropertyOrder({"method", "hash_type", "allow_symlinks", "ignore_paths"})
  private record Serialization(
      String method,
      @JsonProperty("hash_type") String hashType,
      @JsonProperty("allow_symlinks") boolean allowSymlinks,
      @JsonProperty("ignore_paths") List<String> ignorePaths) {}

  private record Resource(String name, String algorithm, String digest) {}

  private record Bundle(String mediaType, Material verificationMaterial, Envelope dsseEnvelope) {}

  private record Material(KeyHint publicKey, List<String> tlogEntries) {}

  private record KeyHint(String hint) {}

  private record Envelope(byte[] payload, String payloadType, List<Signature> signatures) {}

  private record Signature(byte[] sig, String keyid) {}
}
