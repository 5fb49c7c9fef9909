package dev.nola.client.oci;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An authentication challenge of a registry (RFC 9110, section 11.6.1).
 *
 * @param scheme the authentication scheme, in lower case
 * @param parameters by name, in lower case
 */
record Challenge(String scheme, Map<String, String> parameters) {
  /** A parameter with a quoted or plain value, or a scheme. */
  private static final Pattern PART =
      Pattern.compile(
          "\\G[\\s,]*(?:(?<name>[\\w!#$%&'*+.^`|~-]+)\\s*=\\s*(?:\"(?<quoted>[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+)\"|(?<plain>[^\\s,\"]+))|(?<scheme>[\\w!#$%&'*+.^`|~-]+)(?=\\s|,|$))");

  /** Copies the parameters. */
  Challenge {
    parameters = Map.copyOf(parameters);
  }

  /**
   * Parses the challenges of a response; the rest of a header after a syntax error is ignored.
   *
   * @param headers the values of {@code WWW-Authenticate}
   * @return the challenges, in their order
   */
  static List<Challenge> parse(List<String> headers) {
    List<Challenge> challenges = new ArrayList<>();
    for (String header : headers) {
      String scheme = "";
      Map<String, String> parameters = new LinkedHashMap<>();
      for (Matcher part = PART.matcher(header); part.find(); ) {
        if (part.group("scheme") == null) {
          parameters.putIfAbsent(lower(part.group("name")), value(part));
          continue;
        }
        add(scheme, parameters, challenges);
        scheme = lower(part.group("scheme"));
        parameters.clear();
      }
      add(scheme, parameters, challenges);
    }
    return challenges;
  }

  private static void add(
      String scheme, Map<String, String> parameters, List<Challenge> challenges) {
    if (!scheme.isEmpty()) {
      challenges.add(new Challenge(scheme, parameters));
    }
  }

  private static String value(Matcher part) {
    String quoted = part.group("quoted");
    return quoted == null ? part.group("plain") : quoted.replaceAll("\\\\(.)", "$1");
  }

  private static String lower(String text) {
    return text.toLowerCase(Locale.ROOT);
  }
}
