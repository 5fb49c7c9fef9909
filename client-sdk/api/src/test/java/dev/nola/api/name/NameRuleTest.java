package dev.nola.api.name;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.nola.api.attestation.Nonce;
import dev.nola.api.job.ObjectManifest;
import dev.nola.digest.Sha256;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NameRuleTest {
  @ParameterizedTest
  @CsvSource({
    "NAMESPACE, a-1, A",
    "NAMESPACE, acme, -acme",
    "NAME, a.b_c, .a",
    "ALIAS, prod, latest",
    "ALIAS, v1-2, v1",
    "VERSION, 1.4.0, v1.4.0",
    "ACCOUNT, ann.b, .ann",
    "FILE_NAME, _a.b, .hidden",
    "FILE_PATH, a/b.txt, a/../b",
    "BACKEND, torch, Torch",
  })
  void rule_takesLegalNamesAndSaysWhyOthersAreNot(NameRule rule, String legal, String illegal) {
    assertThat(rule.require(legal)).isEqualTo(legal);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> rule.require(illegal))
        .withMessageStartingWith("invalid " + rule.field() + ": " + illegal + "; must ");
  }

  @Test
  void rule_hasItsLimits() {
    assertThat(NameRule.NAMESPACE.isMet("a".repeat(39))).isTrue();
    assertThat(NameRule.NAMESPACE.isMet("a".repeat(40))).isFalse();
    assertThat(NameRule.NAME.isMet("a".repeat(96))).isTrue();
    assertThat(NameRule.NAME.isMet("a".repeat(97))).isFalse();
    assertThat(NameRule.ACCOUNT.isMet("a".repeat(65))).isFalse();
    assertThat(NameRule.FILE_PATH.isMet("a".repeat(500))).isTrue();
    assertThat(NameRule.FILE_PATH.isMet("a".repeat(501))).isFalse();
  }

  @Test
  void objectKind_isFoundByItsWordInUrls() {
    for (ObjectKind kind : ObjectKind.values()) {
      assertThat(ObjectKind.ofCollection(kind.collection())).isEqualTo(kind);
    }
    assertThatIllegalArgumentException().isThrownBy(() -> ObjectKind.ofCollection("model"));
  }

  @Test
  void nonce_isRandomAndLowerCaseHex() {
    assertThat(Nonce.random()).isNotEqualTo(Nonce.random());
    assertThatIllegalArgumentException().isThrownBy(() -> new Nonce("AB".repeat(32)));
    assertThat(new Nonce("ab".repeat(32)).toBytes()).hasSize(Nonce.BYTES).containsOnly(0xab);
  }

  @Test
  void manifestDigest_doesNotDependOnTheOrderOfFilesOrTheDescription() {
    ObjectManifest.Entry first = new ObjectManifest.Entry("a", 1, Sha256.hash(new byte[1]));
    ObjectManifest.Entry second = new ObjectManifest.Entry("b", 2, Sha256.hash(new byte[2]));

    assertThat(new ObjectManifest("x", List.of(second, first)).digest())
        .isEqualTo(new ObjectManifest(null, List.of(first, second)).digest());
  }
}
