package dev.nola.client.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OciReferenceTest {
  private static final String DIGEST = "sha256:" + "ab".repeat(32);

  @ParameterizedTest
  @CsvSource({
    "oci://ghcr.io/acme/mood:1.2.0, oci://ghcr.io/acme/mood:1.2.0, https://ghcr.io",
    "oci://ghcr.io/acme/mood, oci://ghcr.io/acme/mood:latest, https://ghcr.io",
    "oci://GHCR.io/mood@DIGEST, oci://ghcr.io/mood@DIGEST, https://ghcr.io",
    "oci://ghcr.io/mood:1@DIGEST, oci://ghcr.io/mood@DIGEST, https://ghcr.io",
    "oci://r.example:5000/a/b/c-d__e.f:V_1.0-x, oci://r.example:5000/a/b/c-d__e.f:V_1.0-x, https://r.example:5000",
    "oci://docker.io/acme/mood, oci://docker.io/acme/mood:latest, https://registry-1.docker.io",
    "oci://localhost:5000/mood, oci://localhost:5000/mood:latest, http://localhost:5000",
    "oci://127.0.0.1/mood, oci://127.0.0.1/mood:latest, http://127.0.0.1",
    "oci://[::1]:5000/mood, oci://[::1]:5000/mood:latest, http://[::1]:5000"
  })
  void validReference_hasParts(String text, String canonical, String api) {
    OciReference reference = OciReference.parse(text.replace("DIGEST", DIGEST));

    assertThat(reference).hasToString(canonical.replace("DIGEST", DIGEST));
    assertThat(reference.api(false)).hasToString(api);
    assertThat(OciReference.parse(reference.toString())).isEqualTo(reference);
  }

  @ParameterizedTest
  @CsvSource({
    "acme/mood, must look like oci://host/repository:tag",
    "oci://ghcr.io, must look like oci://host/repository:tag",
    "oci://ghcr.io/, must look like oci://host/repository:tag",
    "oci://user@ghcr.io/mood, must look like oci://host/repository:tag",
    "oci://ghcr.io/Acme/mood, invalid repository of an OCI reference: Acme/mood; must be lower-case",
    "oci://ghcr.io/a//b, invalid repository of an OCI reference: a//b",
    "oci://ghcr.io/../mood, invalid repository of an OCI reference: ../mood",
    "oci://ghcr.io/mood?x=1, invalid repository of an OCI reference: mood?x=1",
    "oci://-x/mood, invalid host of an OCI reference: -x",
    "oci://ghcr.io:99999/mood, invalid host of an OCI reference: ghcr.io:99999; must be a host name",
    "oci://ghcr.io/mood:, invalid tag of an OCI reference: ;",
    "oci://ghcr.io/mood:.x, invalid tag of an OCI reference: .x; must be 1 to 128",
    "oci://ghcr.io/mood:a/b, invalid tag of an OCI reference: a/b",
    "oci://ghcr.io/mood@sha256:12, sha256:12"
  })
  void invalidReference_isRefusedWithTheRule(String text, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> OciReference.parse(text))
        .withMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource({"true, http://r.example:5000", "false, https://r.example:5000"})
  void plainHttp_isUsedWhereItIsAskedFor(boolean plainHttp, String api) {
    assertThat(OciReference.parse("oci://r.example:5000/mood").api(plainHttp)).hasToString(api);
  }
}
