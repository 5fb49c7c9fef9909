package dev.nola.api.webhook;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** What a registry sends to a webhook. */
public enum WebhookEvent {
  /** A version was published. */
  @JsonProperty("version.published")
  VERSION_PUBLISHED,
  /** A version became verified. */
  @JsonProperty("version.verified")
  VERSION_VERIFIED,
  /** A version became mismatched. */
  @JsonProperty("version.mismatched")
  VERSION_MISMATCHED,
  /** A dispute about a version began. */
  @JsonProperty("version.disputed")
  VERSION_DISPUTED,
  /** An alias was created, moved or removed. */
  @JsonProperty("alias.moved")
  ALIAS_MOVED,
  /** A test, which is sent on request only. */
  @JsonProperty("ping")
  PING;

  /** The events that a webhook can subscribe to. */
  public static final List<WebhookEvent> SUBSCRIBABLE =
      Arrays.stream(values()).filter(event -> event != PING).toList();

  /**
   * Returns the name of the event in JSON and on the command line.
   *
   * @return such as {@code version.published}
   */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '.');
  }

  /**
   * Finds the event of a name.
   *
   * @param label such as {@code version.published}
   * @return the event
   * @throws IllegalArgumentException if a webhook cannot subscribe to an event of this name
   */
  public static WebhookEvent parse(String label) {
    return SUBSCRIBABLE.stream()
        .filter(event -> event.label().equals(label))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "unknown event: %s; must be one of %s"
                        .formatted(
                            label,
                            SUBSCRIBABLE.stream()
                                .map(WebhookEvent::label)
                                .collect(Collectors.joining(", ")))));
  }
}
