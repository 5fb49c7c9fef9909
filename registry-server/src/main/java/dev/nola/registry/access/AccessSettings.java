package dev.nola.registry.access;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.security.web.util.matcher.IpAddressMatcher;
import org.springframework.util.unit.DataSize;

/**
 * Settings of access and its limits. It has more than six components because each is a key.
 *
 * @param adminToken secret of a token for the account {@code admin}, made when the server starts;
 *     without it the first start makes one, in the file {@code admin-token} of the data directory
 * @param anonymousRead whether public adapters can be read without a token
 * @param requestsPerMinute of one account, with all its tokens
 * @param workerRequestsPerMinute of one account, with its tokens that have the scope worker
 * @param anonymousRequestsPerMinute of one address without a valid token
 * @param uploadPerDay bytes that one account may send in a day
 * @param namespacesPerAccount number of namespaces that one account may own
 * @param trustedProxies addresses, or networks in CIDR notation, of the proxies whose {@code
 *     X-Forwarded-For} is believed
 */
@ConfigurationProperties("nola.access")
record AccessSettings(
    @Nullable String adminToken,
    @DefaultValue("true") boolean anonymousRead,
    @DefaultValue("6000") long requestsPerMinute,
    @DefaultValue("120000") long workerRequestsPerMinute,
    @DefaultValue("1200") long anonymousRequestsPerMinute,
    @DefaultValue("10GB") DataSize uploadPerDay,
    @DefaultValue("20") long namespacesPerAccount,
    @DefaultValue({}) List<String> trustedProxies) {
  private static final int MIN_SECRET = 32;

  AccessSettings {
    if (adminToken != null && adminToken.isBlank()) {
      adminToken = null;
    }
    if (adminToken != null && !adminToken.matches("[A-Za-z0-9._~+/=-]{" + MIN_SECRET + ",256}")) {
      throw new IllegalArgumentException(
          "nola.access.admin-token has %d characters; it must have %d to 256, of A-Z a-z 0-9 . _ ~ + / = -"
              .formatted(adminToken.length(), MIN_SECRET));
    }
    requirePositive("requests-per-minute", requestsPerMinute);
    requirePositive("worker-requests-per-minute", workerRequestsPerMinute);
    requirePositive("anonymous-requests-per-minute", anonymousRequestsPerMinute);
    requirePositive("upload-per-day", uploadPerDay.toBytes());
    requirePositive("namespaces-per-account", namespacesPerAccount);
    trustedProxies = List.copyOf(trustedProxies);
    trustedProxies.forEach(AccessSettings::requireNetwork);
  }

  private static void requirePositive(String key, long value) {
    if (value < 1) {
      throw new IllegalArgumentException(
          "invalid nola.access." + key + ": " + value + "; must be positive");
    }
  }

  private static void requireNetwork(String network) {
    try {
      new IpAddressMatcher(network);
    } catch (IllegalArgumentException _) {
      throw new IllegalArgumentException(
          "invalid nola.access.trusted-proxies: "
              + network
              + "; must be IP addresses or CIDR ranges such as 10.0.0.0/8, separated by commas");
    }
  }

  @Override
  public String toString() {
    return "AccessSettings[anonymousRead=" + anonymousRead + "]"; // no secret in a log
  }
}
