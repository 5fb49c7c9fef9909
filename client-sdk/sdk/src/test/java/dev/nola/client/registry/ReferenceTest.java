package dev.nola.client.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.nola.api.name.AdapterName;
import dev.nola.api.name.NameRule;
import dev.nola.api.name.Reference;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

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
        .withMessage("invalid adapter: mood; must be NAMESPACE/NAME, such as acme/mood");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Reference.parse("Acme/mood"))
        .withMessageStartingWith("invalid namespace: Acme; must be 1 to 39 characters of");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Reference.parse("acme/mood/x"))
        .withMessageStartingWith("invalid name: mood/x; must be 1 to 96 characters of");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Reference.parse("acme/mood@Prod!"))
        .withMessageStartingWith("invalid version: Prod!; must be a version number such as");
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
          .withMessageStartingWith(
              "invalid alias: " + (alias.isEmpty() ? "\"\"" : alias) + "; must be");
    }
    for (String alias : List.of("prod", "a", "v1-2", "a".repeat(39))) {
      assertThatCode(() -> NameRule.ALIAS.require(alias)).as(alias).doesNotThrowAnyException();
    }
  }

  @ParameterizedTest
  @MethodSource("references")
  void textAndReferenceMeanTheSame(String text) {
    Reference reference = Reference.parse(text);

    assertThat(Reference.parse(reference.toString())).isEqualTo(reference);
    assertThat(reference.toString()).isEqualTo(text.replaceFirst("@latest$", ""));
  }

  /** Every form of version, with names of the shortest, the longest and any length between. */
  private static Stream<String> references() {
    SplittableRandom random = new SplittableRandom(1);
    return IntStream.range(0, 1000)
        .mapToObj(
            i -> {
              String namespace = text(random, "abz09-", length(random, i, 37));
              String name = text(random, "abz09-._", length(random, i, 94));
              return "a%sz/0%s9@%s".formatted(namespace, name, version(random, i));
            });
  }

  private static int length(SplittableRandom random, int i, int maximum) {
    return i < 6 ? 0 : i < 12 ? maximum : random.nextInt(maximum + 1);
  }

  private static String version(SplittableRandom random, int i) {
    int a = random.nextInt(301);
    int b = random.nextInt(301);
    return switch (i % 6) {
      case 0 -> a + "." + b + "." + random.nextInt(301);
      case 1 -> "^" + a + "." + b;
      case 2 -> ">=" + a + " <" + b;
      case 3 -> "a" + text(random, "abz09-", length(random, i, 38));
      case 4 -> "latest";
      default -> "sha256:" + text(random, "0123456789abcdef", 64);
    };
  }

  private static String text(SplittableRandom random, String characters, int length) {
    return random
        .ints(length, 0, characters.length())
        .mapToObj(i -> characters.substring(i, i + 1))
        .collect(Collectors.joining());
  }

  @ParameterizedTest
  @MethodSource("anyTexts")
  void textThatIsNotAReferenceIsRefusedWithTheRule(String text) {
    try {
      assertThat(Reference.parse(text).adapter().namespace()).isNotEmpty();
    } catch (IllegalArgumentException e) {
      assertThat(e).hasMessageContaining("must be");
    }
  }

  /** Texts of any UTF-16 code units, unpaired surrogates among them, and of the rules' own. */
  private static Stream<String> anyTexts() {
    SplittableRandom random = new SplittableRandom(2);
    Stream<String> boundaries =
        Stream.of("", "/", "@", "a/b", "a/b@", "\u0000", "\uD800", "\uFFFF");
    Stream<String> drawn =
        IntStream.range(0, 1000)
            .mapToObj(
                i -> {
                  int length = random.nextInt(1 + i % 60);
                  if (i % 2 == 0) {
                    return text(random, "aA0/@.-_:^~<>= *\n", length);
                  }
                  return random
                      .ints(length, 0, i % 4 == 1 ? 0x80 : 0x10000)
                      .mapToObj(c -> String.valueOf((char) c))
                      .collect(Collectors.joining());
                });
    return Stream.concat(boundaries, drawn);
  }
}
