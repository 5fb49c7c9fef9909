package dev.nola.client.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.nola.api.name.AdapterName;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.Reference;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class ReferenceTest {
  private static final String HEX = "0123456789abcdef".repeat(4);

  @Test
  void nameAloneMeansTheLatestVersion() {
    Reference reference = Reference.parse("acme/mood");

    assertThat(reference).isEqualTo(Reference.parse("acme/mood@latest"));
    assertThat(reference.adapter()).isEqualTo(new AdapterName("acme", "mood"));
    assertThat(reference).hasToString("acme/mood");
    assertThat(reference.isPinned()).isFalse();
  }

  @Test
  void onlyVersionNumbersAndDigestsArePinned() {
    for (String pinned : List.of("1.2.0", "1.2.0-rc.1", "1.2.0+build", "sha256:" + HEX)) {
      assertThat(Reference.parse("acme/mood@" + pinned).isPinned()).as(pinned).isTrue();
    }
    for (String movable :
        List.of("latest", "prod", "^1.2", "~1", "1", "1.2", "1.x", "*", "v1", "=1.2.0", ">=1 <2")) {
      assertThat(Reference.parse("acme/mood@" + movable).isPinned()).as(movable).isFalse();
    }
    assertThat(Reference.parse("acme/mood@sha256:" + HEX).digest()).hasToString("sha256:" + HEX);
    assertThat(Reference.parse("acme/mood@1.2.0").digest()).isNull();
  }

  @Test
  void whatIsNoReferenceIsToldWithTheRule() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Reference.parse("mood"))
        .withMessage("adapter \"mood\", must be NAMESPACE/NAME, such as acme/mood");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Reference.parse("Acme/mood"))
        .withMessageStartingWith("namespace=Acme, must be 1 to 39 of");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Reference.parse("acme/mood/x"))
        .withMessageStartingWith("name=mood/x, must be 1 to 96 of");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Reference.parse("acme/mood@Prod!"))
        .withMessageStartingWith("version \"Prod!\", must be a version number such as");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Reference.parse("acme/mood@sha256:12"))
        .withMessageContaining(
            "invalid digest: \"sha256:12\"; must be sha256: and 64 lower-case hex digits");
  }

  @Test
  void nothingThatCouldLeaveItsPlaceInAUrlIsAReference() {
    for (String text :
        List.of(
            "acme/..",
            "../mood",
            "acme/mood@",
            "acme/mood@ ",
            "acme/mood@..",
            "acme/mood@.",
            "acme/mood@1/../2",
            "acme/mood@1?x",
            "acme/mood@1#x",
            "acme/mood@1%2f",
            "acme/mood@1;x",
            "acme/mood@1\n2",
            "acme/mood@a@b",
            "acme/",
            "/mood",
            "@prod",
            "",
            "acme/mood@\u0000",
            "acme/-mood",
            "acme/mood-",
            "acme/.mood",
            "-acme/mood",
            "a_b/mood",
            "a".repeat(40) + "/mood",
            "acme/" + "m".repeat(97),
            "acme/mood@" + "1".repeat(101))) {
      assertThatIllegalArgumentException().as(text).isThrownBy(() -> Reference.parse(text));
    }
  }

  @Test
  void aliasIsNoWordThatMeansSomethingElse() {
    for (String alias : List.of("latest", "x", "v1", "1", "Prod", "", "a b", "a".repeat(40))) {
      assertThatIllegalArgumentException()
          .as(alias)
          .isThrownBy(() -> NameRule.ALIAS.require(alias))
          .withMessageStartingWith("alias=" + alias + ", must be");
    }
    for (String alias : List.of("prod", "a", "v1-2", "a".repeat(39))) {
      assertThatCode(() -> NameRule.ALIAS.require(alias)).as(alias).doesNotThrowAnyException();
    }
  }

  @Property
  void textAndReferenceMeanTheSame(@ForAll("references") String text) {
    Reference reference = Reference.parse(text);

    assertThat(Reference.parse(reference.toString())).isEqualTo(reference);
    assertThat(reference.toString()).isEqualTo(text.replaceFirst("@latest$", ""));
  }

  @Provide
  Arbitrary<String> references() {
    Arbitrary<Integer> number = Arbitraries.integers().between(0, 300);
    Arbitrary<String> namespaces = Arbitraries.strings().withChars("abz09-").ofMaxLength(37);
    Arbitrary<String> names = Arbitraries.strings().withChars("abz09-._").ofMaxLength(94);
    Arbitrary<String> versions =
        Arbitraries.oneOf(
            Combinators.combine(number, number, number).as((a, b, c) -> a + "." + b + "." + c),
            Combinators.combine(number, number).as((a, b) -> "^" + a + "." + b),
            Combinators.combine(number, number).as((a, b) -> ">=" + a + " <" + b),
            Arbitraries.strings().withChars("abz09-").ofMaxLength(38).map(rest -> "a" + rest),
            Arbitraries.just("latest"),
            Arbitraries.strings()
                .withChars("0123456789abcdef")
                .ofLength(64)
                .map("sha256:"::concat));
    return Combinators.combine(namespaces, names, versions)
        .as((namespace, name, version) -> "a%sz/0%s9@%s".formatted(namespace, name, version));
  }

  @Property
  void whateverIsNoReferenceSaysSoInASentence(@ForAll String text) {
    try {
      assertThat(Reference.parse(text).adapter().namespace()).isNotEmpty();
    } catch (IllegalArgumentException e) {
      assertThat(e).hasMessageContaining("must be");
    }
  }
}
