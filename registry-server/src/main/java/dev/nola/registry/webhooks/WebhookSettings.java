package dev.nola.registry.webhooks;

import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.boot.http.client.InetAddressFilter;

/**
 * Settings of webhooks.
 *
 * @param allowHttp whether URLs may be of the scheme http
 * @param allowedNetworks addresses, or networks in CIDR notation, that webhooks may reach beside
 *     public ones
 * @param timeout of one request, from the first byte sent to the last one received
 * @param retries pauses before the second attempt and each further one; after the last attempt a
 *     delivery has failed
 * @param retention of ended deliveries
 */
@ConfigurationProperties("nola.webhooks")
record WebhookSettings(
    @DefaultValue("false") boolean allowHttp,
    @DefaultValue({}) List<String> allowedNetworks,
    @DefaultValue("10s") Duration timeout,
    @DefaultValue({"10s", "1m", "10m", "1h", "4h", "12h", "24h", "24h"}) List<Duration> retries,
    @DefaultValue("30d") Duration retention) {
  /**
   * What is refused beside what Spring calls internal: IPv6 outside 2000::/3, the only part that is
   * assigned to the public; the addresses for documentation in it; and the host of Azure's
   * machines.
   */
  private static final String[] NOT_PUBLIC = {
    "::/3", "4000::/2", "8000::/1", "3fff::/20", "168.63.129.16"
  };

  /** Spring takes 10 for 0.0.0.10, and a negative length for that of a single address. */
  private static final Pattern NETWORK =
      Pattern.compile("([0-9]+(\\.[0-9]+){3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)(/[0-9]+)?");

  WebhookSettings {
    allowedNetworks = List.copyOf(allowedNetworks);
    retries = List.copyOf(retries);
    requirePositive("timeout", timeout);
    requirePositive("retention", retention);
    retries.forEach(pause -> requirePositive("retries", pause));
    for (String network : allowedNetworks) {
      if (!isNetwork(network)) {
        throw new IllegalArgumentException(
            "invalid nola.webhooks.allowed-networks: "
                + network
                + "; must be IP addresses or CIDR ranges such as 10.0.0.0/8, separated by commas");
      }
    }
  }

  private static boolean isNetwork(String text) {
    try {
      InetAddressFilter.of(text);
      return NETWORK.matcher(text).matches();
    } catch (IllegalArgumentException _) {
      return false;
    }
  }

  private static void requirePositive(String key, Duration value) {
    if (!value.isPositive()) {
      throw new IllegalArgumentException(
          "invalid nola.webhooks." + key + ": " + value + "; must be positive");
    }
  }

  /** Returns which addresses may be connected to. */
  InetAddressFilter addresses() {
    return InetAddressFilter.externalAddresses()
        .andNot(NOT_PUBLIC)
        .or(allowedNetworks.toArray(String[]::new));
  }
}
