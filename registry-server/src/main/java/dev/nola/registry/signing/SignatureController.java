package dev.nola.registry.signing;

import dev.nola.digest.Sha256;
import dev.nola.registry.access.Caller;
import dev.nola.registry.catalog.AdapterName;
import dev.nola.registry.catalog.ReferenceResolver;
import dev.nola.registry.catalog.VersionHeaders;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints for the signatures of versions and the key that verifies them. */
@RestController
@Tag(name = "Signatures")
class SignatureController {
  private static final String PEM = "application/x-pem-file";

  private final ReferenceResolver references;
  private final VersionHeaders headers;
  private final ModelSigner signer;

  SignatureController(ReferenceResolver references, VersionHeaders headers, ModelSigner signer) {
    this.references = references;
    this.headers = headers;
    this.signer = signer;
  }

  @GetMapping("/api/v1/signing-key")
  @Operation(
      summary = "Read the public key of the registry's signatures",
      description = "A P-256 key as a PEM block PUBLIC KEY.",
      responses =
          @ApiResponse(
              responseCode = "200",
              content = @Content(mediaType = PEM, schema = @Schema(type = "string"))))
  ResponseEntity<String> key() {
    return ResponseEntity.ok()
        .header(HttpHeaders.CONTENT_TYPE, PEM)
        .header(HttpHeaders.CACHE_CONTROL, "no-cache")
        .body(signer.publicKey());
  }

  @GetMapping("/api/v1/adapters/{namespace}/{name}/versions/{version}/signature")
  @Operation(
      summary = "Download the signature of a version's file",
      description =
          "A signature of OpenSSF Model Signing 1.0 (a Sigstore bundle, version 0.3), made with the"
              + " registry's key. The file may have any name. It says that the registry served these"
              + " bytes under this name; attestations say who reconstructed them.",
      responses = {
        @ApiResponse(
            responseCode = "200",
            content =
                @Content(mediaType = ModelSigner.MEDIA_TYPE, schema = @Schema(type = "object"))),
        @ApiResponse(responseCode = "304", content = @Content)
      })
  ResponseEntity<byte[]> ofVersion(
      @PathVariable String namespace,
      @PathVariable String name,
      @PathVariable String version,
      Caller caller) {
    ReferenceResolver.Located located =
        references.find(caller, new AdapterName(namespace, name), version);
    byte[] signature = signer.signFile(located.pinnedReference(), located.digest());
    return ResponseEntity.ok()
        .headers(headers.ofChanging(located)) // with the registry's key
        .eTag(Sha256.hash(signature).hex())
        .header(HttpHeaders.CONTENT_TYPE, ModelSigner.MEDIA_TYPE)
        .body(signature);
  }
}
