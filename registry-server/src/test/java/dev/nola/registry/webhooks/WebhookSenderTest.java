package dev.nola.registry.webhooks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.registry.WebhookReceiver;
import dev.nola.registry.webhooks.WebhookSender.Outcome;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a sender connects to, and how much of a response it bears. */
class WebhookSenderTest {
  private static final WebhookSecret SECRET = WebhookSecret.derive(new byte[32], new UUID(0, 1));

  private WebhookReceiver receiver;

  @BeforeEach
  void start() throws IOException {
    receiver = WebhookReceiver.start();
  }

  @AfterEach
  void stop() {
    receiver.close();
  }

  /** Resolves every name to the same addresses, as the attacker's name server may. */
  private record Fixed(InetAddress... addresses) implements DnsResolver {
    @Override
    public InetAddress[] resolve(String host) {
      return addresses;
    }

    @Override
    public String resolveCanonicalHostname(String host) throws UnknownHostException {
      throw new UnknownHostException(host);
    }
  }

  private static Outcome send(String url, DnsResolver resolver, String... allowed)
      throws IOException {
    WebhookSettings settings =
        new WebhookSettings(
            true, List.of(allowed), Duration.ofSeconds(2), List.of(), Duration.ofDays(1));
    try (WebhookSender sender = new WebhookSender(settings, resolver, Clock.systemUTC())) {
      return sender.send(new WebhookSender.Message(new UUID(0, 2), URI.create(url), "{}"), SECRET);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1",
        "127.8.8.8",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "[::]",
        "2130706433",
        "127.1"
      })
  void loopback_isNotReachedUnlessAllowed(String host) throws Exception {
    Outcome outcome =
        send("http://" + host + ":" + receiver.port() + "/", SystemDefaultDnsResolver.INSTANCE);

    assertThat(outcome.error()).matches("address of .* not allowed; .*|host not found: .*");
    assertThat(receiver.poll()).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "::ffff:169.254.169.254",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "64:ff9b::a01:203",
        "64:ff9b:1::a01:203",
        "::7f00:1",
        "2002:a01:203::",
        "2001:0:a01:203::",
        "::ffff:0:a00:1",
        "0:0:0:1::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "8000::1",
        "168.63.129.16"
      })
  void nameThatResolvesToAnInternalAddress_isNotConnectedTo(String address) throws Exception {
    Outcome outcome =
        send("http://receiver.example:" + receiver.port() + "/", new Fixed(address(address)));

    assertThat(outcome.error())
        .isEqualTo(
            "address of receiver.example not allowed; it must be public, or in"
                + " nola.webhooks.allowed-networks");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"10.0.0.0/33", "receiver.example", "", "::1/129", "10.0.0.0/-1", "10", "10.0.0"})
  void networkThatIsNone_isRefused(String network) {
    assertThatThrownBy(() -> send("http://a.example/", new Fixed(), network))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("invalid nola.webhooks.allowed-networks: " + network + ";");
  }

  @Test
  void publicAddresses_areAllowed() {
    WebhookSettings settings =
        new WebhookSettings(
            false, List.of("fd00::1/128"), Duration.ofSeconds(2), List.of(), Duration.ofDays(1));

    assertThat(List.of("8.8.8.8", "168.63.129.17", "2606:4700::1111", "3ffe::1", "fd00::1"))
        .allMatch(literal -> settings.addresses().matches(address(literal)));
  }

  private static InetAddress address(String literal) {
    return InetAddress.ofLiteral(literal);
  }

  /** The second answer of a name server that rebinds comes too late: the first is connected to. */
  @Test
  void checkedAddress_isTheOneThatIsConnectedTo() throws Exception {
    DnsResolver rebinding =
        new DnsResolver() {
          private int asked;

          @Override
          public InetAddress[] resolve(String host) {
            return new InetAddress[] {address(asked++ == 0 ? "127.0.0.1" : "127.0.0.2")};
          }

          @Override
          public String resolveCanonicalHostname(String host) {
            return host;
          }
        };

    Outcome outcome =
        send("http://receiver.example:" + receiver.port() + "/x", rebinding, "127.0.0.1");

    assertThat(outcome).isEqualTo(new Outcome(204, null));
    WebhookReceiver.Received received = receiver.poll();
    assertThat(received).isNotNull();
    assertThat(received.header("Host")).isEqualTo("receiver.example:" + receiver.port());
    Fixed second = new Fixed(address("127.0.0.2"), address("127.0.0.1"));
    assertThat(send("http://a.example:" + receiver.port(), second, "127.0.0.1").status())
        .isEqualTo(204);
    assertThat(send("http://a.example:" + receiver.port(), second, "127.0.0.3").status()).isNull();
  }

  @Test
  void redirect_isAFailure() throws Exception {
    for (int status : new int[] {301, 302, 303, 307, 308}) {
      receiver.answer(status);

      Outcome outcome = send(receiver.url(), SystemDefaultDnsResolver.INSTANCE, "127.0.0.1");

      assertThat(outcome).isEqualTo(new Outcome(status, "receiver answered with status " + status));
      assertThat(receiver.poll()).isNotNull();
      assertThat(receiver.poll()).isNull();
    }
  }

  @Test
  void closedPortAndUnknownName_haveReasons() throws Exception {
    receiver.close();

    assertThat(send(receiver.url(), SystemDefaultDnsResolver.INSTANCE, "127.0.0.1").error())
        .isEqualTo("no connection: refused, unreachable or closed");
    DnsResolver none =
        new DnsResolver() {
          @Override
          public InetAddress[] resolve(String host) throws UnknownHostException {
            throw new UnknownHostException(host);
          }

          @Override
          public String resolveCanonicalHostname(String host) {
            return host;
          }
        };
    assertThat(send("https://absent.example/", none).error())
        .isEqualTo("host not found: absent.example");
  }

  /** More than the buffers of a connection hold. */
  private static final long UNREAD_BYTES = 64L << 20;

  /** Bytes that endless receivers have sent. */
  private final AtomicLong sent = new AtomicLong();

  /** A receiver that sends bytes for as long as they are read. */
  private Outcome sendToEndless(String head, String repeated) throws Exception {
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread server =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try (Socket socket = listener.accept()) {
                      socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
                      byte[] more = repeated.getBytes(StandardCharsets.US_ASCII);
                      while (true) {
                        socket.getOutputStream().write(more);
                        sent.addAndGet(more.length);
                      }
                    } catch (IOException _) {
                      // the sender has closed the connection, which is what it should do
                    }
                  });
      Outcome outcome =
          send(
              "http://127.0.0.1:" + listener.getLocalPort() + "/",
              SystemDefaultDnsResolver.INSTANCE,
              "127.0.0.1");
      server.join();
      return outcome;
    }
  }

  @Test
  void endlessResponse_isNotRead() throws Exception {
    assertThat(sendToEndless("HTTP/1.1 200 OK\r\n\r\n", "x".repeat(10_000)))
        .isEqualTo(new Outcome(200, null));
    assertThat(
            sendToEndless(
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "x".repeat(10_000)))
        .isEqualTo(new Outcome(200, null));
    assertThat(
            sendToEndless(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                "2710\r\n" + "x".repeat(10_000) + "\r\n"))
        .isEqualTo(new Outcome(200, null));
    assertThat(sendToEndless("HTTP/1.1 200 OK\r\nA: ", "x".repeat(10_000)).error())
        .isEqualTo("response is not valid HTTP");
    assertThat(sendToEndless("HTTP/1.1 200 OK\r\n", "A: b\r\n").error())
        .isEqualTo("response is not valid HTTP");
    assertThat(sendToEndless("nonsense", "\r\n").error()).isEqualTo("response is not valid HTTP");
    assertThat(sent).hasValueLessThan(UNREAD_BYTES);
  }

  /** A receiver that answers once, and closes the connection. */
  private static Outcome sendToOne(String response) throws Exception {
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread server =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try (Socket socket = listener.accept()) {
                      socket.getInputStream().read(new byte[10_000]);
                      socket.getOutputStream().write(response.getBytes(StandardCharsets.US_ASCII));
                      socket.shutdownOutput();
                      socket.getInputStream().readAllBytes(); // until the sender closes it
                    } catch (IOException _) {
                      // the sender closes the connection before it has read the body
                    }
                  });
      Outcome outcome =
          send(
              "http://127.0.0.1:" + listener.getLocalPort() + "/",
              SystemDefaultDnsResolver.INSTANCE,
              "127.0.0.1");
      server.join();
      return outcome;
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 100\r\n\r\ncut",
        "Transfer-Encoding: chunked\r\n\r\nnot hexadecimal\r\n",
        "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
      })
  void bodyThatIsCutOrMalformed_doesNotChangeTheOutcome(String rest) throws Exception {
    assertThat(sendToOne("HTTP/1.1 200 OK\r\n" + rest)).isEqualTo(new Outcome(200, null));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"HTTP/1.1 000 x", "HTTP/1.1 -200 x", "HTTP/1.1 abc OK", "HTTP/9.9 200 OK", "SMTP"})
  void responseThatIsNotHttp_isAFailedAttempt(String line) throws Exception {
    Outcome outcome = sendToOne(line + "\r\nContent-Length: 0\r\n\r\n");

    assertThat(outcome.status()).isNull();
    assertThat(outcome.error()).contains("valid HTTP");
  }

  @Test
  void slowResponse_endsAfterTheTimeout() throws Exception {
    assertThat(sendToEndless("", "HTTP/1.1 100 Continue\r\n\r\n").error())
        .isEqualTo("no response within 2 seconds");
  }
}
