package dev.nola.registry.access;

import jakarta.servlet.http.HttpServletRequest;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.springframework.security.web.util.matcher.IpAddressMatcher;
import org.springframework.stereotype.Component;

/**
 * Finds the address that a request comes from. {@code X-Forwarded-For} is believed only as far as
 * the proxies that the settings name have written it: each of them appends the address that it was
 * contacted from, so the rightmost address that is no such proxy is the caller's, and everything to
 * its left is the caller's own word.
 */
@Component
class ClientAddresses {
  private static final String FORWARDED_FOR = "X-Forwarded-For";
  private static final int NETWORK_BYTES = 8;

  private final List<IpAddressMatcher> trustedProxies;

  ClientAddresses(AccessSettings settings) {
    trustedProxies = settings.trustedProxies().stream().map(IpAddressMatcher::new).toList();
  }

  /**
   * Returns the address whose requests are counted together.
   *
   * @param request of the caller, or of a proxy on its behalf
   * @return an IPv4 address, or the first half of an IPv6 address, since whoever has one has all of
   *     that half
   */
  String find(HttpServletRequest request) {
    String address = request.getRemoteAddr();
    List<String> forwarded = forwarded(request);
    while (!forwarded.isEmpty() && isTrusted(address)) {
      Optional<String> previous = literal(forwarded.removeLast());
      if (previous.isEmpty()) {
        break; // not an address: the proxy that passed it on is what can be counted
      }
      address = previous.get();
    }
    return network(address);
  }

  private static List<String> forwarded(HttpServletRequest request) {
    List<String> addresses = new ArrayList<>();
    for (String header : Collections.list(request.getHeaders(FORWARDED_FOR))) {
      addresses.addAll(Arrays.asList(header.split(",")));
    }
    return addresses;
  }

  private boolean isTrusted(String address) {
    return literal(address)
        .filter(found -> trustedProxies.stream().anyMatch(proxy -> proxy.matches(found)))
        .isPresent();
  }

  /** Never looks up a name: the text may be the caller's. */
  private static Optional<String> literal(String text) {
    try {
      return Optional.of(InetAddress.ofLiteral(text.strip()).getHostAddress());
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static String network(String address) {
    try {
      return InetAddress.ofLiteral(address) instanceof Inet6Address six
          ? HexFormat.of().formatHex(six.getAddress(), 0, NETWORK_BYTES)
          : address;
    } catch (IllegalArgumentException _) {
      return address;
    }
  }
}
