package dev.nola.client.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ChallengeTest {
  private static Arguments challenges(String header, Challenge... expected) {
    return Arguments.of(List.of(header), List.of(expected));
  }

  static Stream<Arguments> headers() {
    return Stream.of(
        challenges(
            "Bearer realm=\"https://auth.example/token\",service=\"r.example\",scope=\"repository:a/b:pull,push\"",
            new Challenge(
                "bearer",
                Map.of(
                    "realm",
                    "https://auth.example/token",
                    "service",
                    "r.example",
                    "scope",
                    "repository:a/b:pull,push"))),
        challenges(
            "bearer Scope = x , REALM=\"https://a\" ",
            new Challenge("bearer", Map.of("scope", "x", "realm", "https://a"))),
        challenges(
            "Basic realm=\"a, \\\"b\\\"\"", new Challenge("basic", Map.of("realm", "a, \"b\""))),
        challenges("Basic", new Challenge("basic", Map.of())),
        challenges(
            "Negotiate, Basic realm=r, Bearer realm=\"https://a\"",
            new Challenge("negotiate", Map.of()),
            new Challenge("basic", Map.of("realm", "r")),
            new Challenge("bearer", Map.of("realm", "https://a"))),
        challenges(
            "Bearer realm=\"https://a\",error=\"",
            new Challenge("bearer", Map.of("realm", "https://a"))),
        challenges("realm=\"https://a\""),
        challenges(""),
        challenges("\"".repeat(10_000)),
        Arguments.of(
            List.of("Basic realm=a", "Bearer realm=b"),
            List.of(
                new Challenge("basic", Map.of("realm", "a")),
                new Challenge("bearer", Map.of("realm", "b")))));
  }

  @ParameterizedTest
  @MethodSource("headers")
  void header_isParsed(List<String> headers, List<Challenge> expected) {
    assertThat(Challenge.parse(headers)).isEqualTo(expected);
  }
}
