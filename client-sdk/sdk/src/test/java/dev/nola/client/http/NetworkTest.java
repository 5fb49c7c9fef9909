package dev.nola.client.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkTest {
  @TempDir private Path folder = Path.of("");

  @ParameterizedTest
  @CsvSource({
    "https://a.example, HTTPS_PROXY=http://p:1, http://p:1 from HTTPS_PROXY",
    "https://a.example, https_proxy=http://p:1 HTTPS_PROXY=http://q:1, http://p:1 from https_proxy",
    "http://a.example, HTTPS_PROXY=http://p:1, direct",
    "http://a.example, HTTP_PROXY=http://p:1, http://p:1 from HTTP_PROXY",
    "http://a.example, http_proxy=p:1, http://p:1 from http_proxy",
    "http://a.example, http_proxy=p, http://p:80 from http_proxy",
    "http://a.example, ALL_PROXY=http://p:1, http://p:1 from ALL_PROXY",
    "http://a.example, http_proxy=http://ann:secret@p:1, http://p:1 from http_proxy",
    "http://localhost, ALL_PROXY=http://p:1, direct",
    "http://a.localhost, ALL_PROXY=http://p:1, direct",
    "http://127.0.0.2:8080, ALL_PROXY=http://p:1, direct",
    "http://[::1]:8080, ALL_PROXY=http://p:1, direct",
    "https://a.example, HTTPS_PROXY=http://p:1 NO_PROXY=*, direct",
    "https://a.example, HTTPS_PROXY=http://p:1 NO_PROXY=b.example;A.Example, direct",
    "https://a.example, HTTPS_PROXY=http://p:1 no_proxy=example, direct",
    "https://a.example, HTTPS_PROXY=http://p:1 no_proxy=.example, direct",
    "https://a.example, HTTPS_PROXY=http://p:1 no_proxy=*.example, direct",
    "https://a.example, HTTPS_PROXY=http://p:1 no_proxy=ample, http://p:1 from HTTPS_PROXY",
    "https://a.example, HTTPS_PROXY=http://p:1 no_proxy= NO_PROXY=a.example, direct",
    "https://a.example, https_proxy= HTTPS_PROXY=http://p:1, http://p:1 from HTTPS_PROXY",
    "https://a.example, HTTPS_PROXY=http://p:1 no_proxy=a.example:443, direct",
    "https://a.example, HTTPS_PROXY=http://p:1 no_proxy=a.example:8443, http://p:1 from"
        + " HTTPS_PROXY",
    "https://10.1.2.3, HTTPS_PROXY=http://p:1 no_proxy=10.0.0.0/8, direct",
    "https://11.1.2.3, HTTPS_PROXY=http://p:1 no_proxy=10.0.0.0/8, http://p:1 from HTTPS_PROXY",
    "https://[fd00::5], HTTPS_PROXY=http://p:1 no_proxy=fd00::/8, direct",
  })
  void proxyIsTheOneOfTheEnvironment(URI target, String variables, String proxy) {
    assertThat(
            new EnvironmentProxies(environment(variables))
                .find(target)
                .map(EnvironmentProxies.HttpProxy::toString)
                .orElse("direct"))
        .isEqualTo(proxy);
  }

  private static Map<String, String> environment(String variables) {
    Map<String, String> environment = new HashMap<>();
    for (String variable : variables.split(" ")) {
      String[] parts = variable.split("=", 2);
      environment.put(parts[0], parts[1].replace(';', ','));
    }
    return environment;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"socks5://ann:secret@p:1", "http://ann:secret@p:65536", "http://ann:secret@p:0"})
  void proxyOfAnotherKindIsRefusedWithoutItsPassword(String url) {
    EnvironmentProxies proxies = new EnvironmentProxies(Map.of("HTTPS_PROXY", url));

    assertThatIllegalArgumentException()
        .isThrownBy(() -> proxies.find(URI.create("https://a.example")))
        .withMessageStartingWith("invalid proxy in HTTPS_PROXY; must be http://HOST:PORT")
        .withMessageNotContaining("secret");
  }

  @Test
  void registryWithPrivateAuthority_isReachedThroughAProxyThatAsksForAPassword() throws Exception {
    Path certificate = folder.resolve("ca.pem");
    HttpsServer server = server("registry.example", certificate);
    URI registry = URI.create("https://registry.example");
    try (TunnelProxy proxy = new TunnelProxy(server.getAddress().getPort(), "ann:s cret")) {
      String url = "http://ann:s%20cret@127.0.0.1:" + proxy.port();
      assertThatThrownBy(() -> get(registry, Map.of("HTTPS_PROXY", url)))
          .isInstanceOf(SSLHandshakeException.class);
      assertThat(get(registry, Map.of("HTTPS_PROXY", url, "SSL_CERT_FILE", certificate.toString())))
          .isEqualTo("hello");
      assertThat(proxy.requests).contains("CONNECT registry.example:443 HTTP/1.1");

      Path empty = Files.createFile(folder.resolve("empty.pem"));
      for (String file : List.of("/no/such.pem", empty.toString())) {
        assertThatThrownBy(() -> get(registry, Map.of("HTTPS_PROXY", url, "SSL_CERT_FILE", file)))
            .hasMessageContaining("SSL_CERT_FILE cannot be read: " + file);
      }
    } finally {
      server.stop(0);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "407, the proxy requires a login: name it as http://USER:PASSWORD@HOST:PORT; only the scheme"
        + " Basic is supported",
    "403, the proxy may have answered for it"
  })
  void refusalOfAProxy_namesTheProxy(int status, String remedy) throws Exception {
    URI registry = URI.create("https://a.example");
    Network network = new Network(Map.of("HTTPS_PROXY", "http://p:1"));

    assertThat(
            new NolaProtocol(registry, null, null, Duration.ofSeconds(1))
                .refusal(
                    Call.get("/x"),
                    new Answer(
                        status,
                        HttpHeaders.of(Map.of(), (_, _) -> true),
                        new Body(),
                        registry,
                        true),
                    network.route(registry)))
        .hasMessage(
            "https://a.example through the proxy http://p:1 from HTTPS_PROXY answered GET /x with"
                + " status %d; %s",
            status, remedy);
  }

  private static String get(URI registry, Map<String, String> environment)
      throws IOException, InterruptedException {
    try (HttpClient client = new Network(environment).client(registry, Duration.ofSeconds(10))) {
      return client.send(HttpRequest.newBuilder(registry).build(), BodyHandlers.ofString()).body();
    }
  }

  private HttpsServer server(String host, Path certificate) throws Exception {
    Path store = folder.resolve("store.p12");
    keytool(
        "-genkeypair",
        "-alias",
        "a",
        "-keyalg",
        "EC",
        "-dname",
        "CN=" + host,
        "-ext",
        "san=dns:" + host,
        "-keystore",
        store.toString());
    keytool(
        "-exportcert",
        "-rfc",
        "-alias",
        "a",
        "-file",
        certificate.toString(),
        "-keystore",
        store.toString());
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, "password".toCharArray());
    }
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(keys, "password".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(factory.getKeyManagers(), null, null);
    HttpsServer server =
        HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(context));
    server.createContext(
        "/",
        exchange -> {
          byte[] body = "hello".getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    return server;
  }

  private static void keytool(String... args) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(args));
    command.addAll(List.of("-storepass", "password", "-storetype", "PKCS12"));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
  }

  /** Connects to one port, whatever host is asked for. */
  private static final class TunnelProxy implements AutoCloseable {
    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
    private final int target;
    private final String authorization;

    TunnelProxy(int target, String credentials) throws IOException {
      this.target = target;
      this.authorization =
          "Proxy-Authorization: Basic "
              + Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
      Thread.ofVirtual().start(this::accept);
    }

    int port() {
      return listener.getLocalPort();
    }

    private void accept() {
      while (!listener.isClosed()) {
        try {
          Socket client = listener.accept();
          Thread.ofVirtual().start(() -> serve(client));
        } catch (IOException _) {
          return;
        }
      }
    }

    private void serve(Socket client) {
      try (client;
          BufferedReader in =
              new BufferedReader(
                  new InputStreamReader(client.getInputStream(), StandardCharsets.ISO_8859_1), 1)) {
        while (!tunnels(client, in)) {
          // asks for the password
        }
      } catch (IOException _) {
        // closed
      }
    }

    private boolean tunnels(Socket client, BufferedReader in) throws IOException {
      List<String> lines = new ArrayList<>();
      for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
        lines.add(line);
      }
      if (lines.isEmpty()) {
        return true;
      }
      requests.addAll(lines);
      if (!lines.contains(authorization)) {
        client
            .getOutputStream()
            .write(
                "HTTP/1.1 407 Proxy\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 0\r\n\r\n"
                    .getBytes(StandardCharsets.ISO_8859_1));
        return false;
      }
      try (Socket server = new Socket(InetAddress.getLoopbackAddress(), target)) {
        client
            .getOutputStream()
            .write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
        Thread.ofVirtual().start(() -> copy(server, client));
        copy(client, server);
      }
      return true;
    }

    private static void copy(Socket source, Socket sink) {
      try {
        source.getInputStream().transferTo(sink.getOutputStream());
        sink.shutdownOutput();
      } catch (IOException _) {
        // closed
      }
    }

    @Override
    public void close() throws IOException {
      listener.close();
    }
  }
}
