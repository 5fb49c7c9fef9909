package dev.nola.registry.webhooks;

import java.time.Duration;
import java.util.List;
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
  /** Networks of IPv6 that stand for IPv4 addresses, beside those that Spring knows. */
  private static final String[] TRANSLATED = {"::/96", "64:ff9b:1::/48"};

  WebhookSettings {
    allowedNetworks = List.copyOf(allowedNetworks);
    retries = List.copyOf(retries);
    requirePositive("timeout", timeout);
    requirePositive("retention", retention);
    retries.forEach(pause -> requirePositive("retries", pause));
    for (String network : allowedNetworks) {
      try {
        InetAddressFilter.of(network);
      } catch (IllegalArgumentException _) {
        throw new IllegalArgumentException(
            "invalid nola.webhooks.allowed-networks: "
                + network
                + "; must be IP addresses or CIDR ranges such as 10.0.0.0/8, separated by commas");
      }
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
        .andNot(TRANSLATED)
        .or(allowedNetworks.toArray(String[]::new));
  }
}
