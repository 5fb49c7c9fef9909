package dev.nola.registry.webhooks;

import dev.nola.api.webhook.WebhookEvent;
import dev.nola.registry.web.Refusal;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** The rules that the URL and the events of a webhook must meet. */
@Component
final class WebhookRules {
  private static final int MAX_URL = 2000;
  private static final int MAX_PORT = 65_535;

  private final WebhookSettings settings;

  WebhookRules(WebhookSettings settings) {
    this.settings = settings;
  }

  /**
   * Requires that requests may be sent to a URL. Whether the addresses of its host are allowed is
   * checked with each request; here only if the host is itself an address.
   *
   * @param text the URL
   * @throws Refusal with status 422 otherwise
   */
  void requireUrl(String text) {
    if (text.length() > MAX_URL) {
      throw Refusal.invalid(
          "url", "url has %d characters; the limit is %d".formatted(text.length(), MAX_URL));
    }
    URI url = parse(text);
    String problem = problem(url);
    if (url == null || problem != null) {
      throw Refusal.invalid("url", "invalid url: %s; %s".formatted(Refusal.shown(text), problem));
    }
    InetAddress address = literal(url.getHost());
    if (address != null && !settings.addresses().matches(address)) {
      throw Refusal.invalid(
          "url",
          "address not allowed: %s; must be public, or in nola.webhooks.allowed-networks"
              .formatted(url.getHost()));
    }
  }

  /** Returns the rule that a URL breaks; null if it meets all. */
  private @Nullable String problem(@Nullable URI url) {
    if (url == null) {
      return "must be a URL in ASCII";
    }
    String scheme = String.valueOf(url.getScheme()).toLowerCase(Locale.ROOT);
    if (scheme.equals("http") && !settings.allowHttp()) {
      return "must begin with https: unless nola.webhooks.allow-http is set";
    }
    if (!scheme.equals("https") && !scheme.equals("http")) {
      return "must begin with " + (settings.allowHttp() ? "http: or https:" : "https:");
    }
    if (url.getRawUserInfo() != null) {
      return "must not have a user name";
    }
    if (url.getHost() == null) {
      return "must have a host";
    }
    if (url.getPort() == 0 || url.getPort() > MAX_PORT) {
      return "port must be 1 to " + MAX_PORT;
    }
    return url.getRawFragment() == null ? null : "must not have a fragment";
  }

  private static @Nullable URI parse(String text) {
    try {
      return text.chars().allMatch(c -> c < 128) ? new URI(text) : null;
    } catch (URISyntaxException _) {
      return null;
    }
  }

  private static @Nullable InetAddress literal(String host) {
    try {
      return InetAddress.ofLiteral(host);
    } catch (IllegalArgumentException _) {
      return null; // a name
    }
  }

  /**
   * Returns the events that a webhook subscribes to.
   *
   * @param events of the request; null for all
   * @return each once, in the order of the constants
   * @throws Refusal with status 422 if the list is empty, or has an event without subscriptions
   */
  static List<WebhookEvent> events(@Nullable List<WebhookEvent> events) {
    if (events == null) {
      return WebhookEvent.SUBSCRIBABLE;
    }
    if (events.isEmpty()) {
      throw Refusal.invalid("events", "events is empty; name at least one, or omit it for all");
    }
    if (events.contains(WebhookEvent.PING)) {
      throw Refusal.invalid("events", "invalid event: ping; it is sent on request only");
    }
    return List.copyOf(EnumSet.copyOf(events));
  }
}
