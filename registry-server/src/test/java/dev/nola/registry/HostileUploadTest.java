package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.format.AdapterFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Uploads that mean no good, or went wrong: none leaves a row or a blob, nor half of one. */
class HostileUploadTest {
  private static TestRegistry registry = TestRegistry.shared();

  private String namespace = "";

  @BeforeAll
  static void start() throws Exception {
    registry =
        TestRegistry.start("server.tomcat.connection-timeout=1s", "nola.catalog.upload-timeout=3s");
  }

  @AfterAll
  static void stop() {
    registry.close();
  }

  @BeforeEach
  void createNamespace() throws Exception {
    namespace = registry.admin().namespace();
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    assertThat(registry.database().count("select count(*) from adapter")).isZero();
    assertThat(registry.database().count("select count(*) from version")).isZero();
    long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (!registry.blobFiles().isEmpty() && System.nanoTime() < end) {
      Thread.sleep(50); // the server may be busy ending the upload
    }
    assertThat(registry.blobFiles()).isEmpty();
  }

  @Test
  void everyInvalidVectorIsRefusedWithAReason() throws Exception {
    List<Path> vectors;
    try (Stream<Path> files = Files.list(Path.of("../format-spec/vectors/invalid"))) {
      vectors = files.sorted().toList();
    }
    assertThat(vectors).hasSizeGreaterThan(60);
    for (Path vector : vectors) {
      TestClient.Answer answer =
          registry.admin().publish(namespace + "/bad@1.0.0", Files.readAllBytes(vector));
      assertThat(answer.refusal()).as("%s", vector).isEqualTo("422 damaged-adapter");
      assertThat(answer.text("/detail")).as("%s", vector).isNotBlank();
    }
  }

  @Test
  void hundredMegabytesOfZerosAreRefusedByTheirLength() throws Exception {
    try (Socket socket = connect()) {
      send(socket, "Content-Length: " + (100 << 20) + "\r\n"); // and nothing of them yet
      assertThat(answer(socket)).contains(" 413 ").contains("urn:nola:problem:too-large");
    }
  }

  @Test
  void hundredMegabytesOfUnknownLengthAreCutOff() throws Exception {
    byte[] megabyte = new byte[1 << 20];
    try (Socket socket = connect()) {
      send(socket, "Transfer-Encoding: chunked\r\n");
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 100; i++) {
                  write(socket, "100000\r\n");
                  socket.getOutputStream().write(megabyte);
                  write(socket, "\r\n");
                }
                // The server has answered and closed by now, or does so on this.
                write(socket, "0\r\n\r\n");
                assertThat(answer(socket)).contains(" 413 ");
                throw new IOException("refused in time");
              })
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void bodyShorterThanItsLengthIsRefused() throws Exception {
    byte[] file = Samples.file(1);
    try (Socket socket = connect()) {
      send(socket, "Content-Length: " + (file.length + 1) + "\r\n");
      socket.getOutputStream().write(file);
      assertThat(answer(socket)).contains(" 408 ").contains("urn:nola:problem:");
    }
  }

  @Test
  void bodyLongerThanItsLengthIsNotReadFurther() throws Exception {
    byte[] file = Samples.file(1);
    try (Socket socket = connect()) {
      send(socket, "Content-Length: " + (file.length - 1) + "\r\n");
      socket.getOutputStream().write(file);
      assertThat(answer(socket)).contains(" 422 ").contains("damaged-adapter");
    }
  }

  @Test
  void tricklingBodyIsCutOff() throws Exception {
    byte[] file = Samples.file(1);
    try (Socket socket = connect()) {
      send(socket, "Content-Length: " + file.length + "\r\n");
      for (int i = 0; i < 8; i++) { // 4 seconds, never a second without a byte
        socket.getOutputStream().write(file, i, 1);
        Thread.sleep(500);
      }
      assertThat(answer(socket)).contains(" 408 ");
    }
  }

  @Test
  void bodyOfDisconnectedSenderLeavesNothing() throws Exception {
    byte[] file = Samples.file(1);
    try (Socket socket = connect()) {
      send(socket, "Content-Length: " + file.length + "\r\n");
      socket.getOutputStream().write(file, 0, file.length / 2);
      socket.setSoLinger(true, 0); // a reset, not an orderly end
    }
  }

  @Test
  void compressedBodyIsRefusedUnread() throws Exception {
    ByteArrayOutputStream bomb = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bomb)) {
      gzip.write(new byte[100 << 20]);
    }

    assertThat(
            registry
                .admin()
                .send(
                    "POST",
                    path(),
                    BodyPublishers.ofByteArray(bomb.toByteArray()),
                    "Content-Type",
                    AdapterFile.MEDIA_TYPE,
                    "Content-Encoding",
                    "gzip")
                .refusal())
        .isEqualTo("415 encoded");
  }

  @Test
  void otherMediaTypesAreRefused() throws Exception {
    assertThat(
            registry
                .admin()
                .send("POST", path(), BodyPublishers.ofString("{}"), "Content-Type", "text/plain")
                .status())
        .isEqualTo(415);
  }

  @Test
  void emptyBodyIsADamagedFile() throws Exception {
    assertThat(registry.admin().publish(namespace + "/bad@1.0.0", new byte[0]).refusal())
        .isEqualTo("422 damaged-adapter");
  }

  @Test
  void namesThatLookLikePathsAreNotTakenForOnes() throws Exception {
    for (String name : List.of("..%2F..%2Fetc", "%2e%2e", "a%00b", "a;b", "a%0d%0ab")) {
      assertThat(
              registry.admin().publish(namespace + "/" + name + "@1.0.0", Samples.file(1)).status())
          .as(name)
          .isBetween(400, 422);
    }
  }

  private String path() {
    return "/api/v1/adapters/" + namespace + "/bad/versions/1.0.0";
  }

  private static Socket connect() throws IOException {
    Socket socket = new Socket("127.0.0.1", registry.port());
    socket.setSoTimeout(30_000);
    return socket;
  }

  private void send(Socket socket, String headers) throws IOException {
    write(
        socket,
        "POST "
            + path()
            + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: "
            + AdapterFile.MEDIA_TYPE
            + "\r\nAuthorization: Bearer "
            + TestRegistry.ADMIN
            + "\r\n"
            + headers
            + "\r\n");
  }

  private static void write(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    socket.getOutputStream().flush();
  }

  private static String answer(Socket socket) throws IOException {
    InputStream in = socket.getInputStream();
    return new String(in.readAllBytes(), StandardCharsets.UTF_8);
  }
}
