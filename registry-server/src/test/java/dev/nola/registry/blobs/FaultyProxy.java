package dev.nola.registry.blobs;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Passes HTTP requests on to a server, each on a connection of its own, and spoils some. */
public final class FaultyProxy implements AutoCloseable {
  private static final Pattern LENGTH = Pattern.compile("(?im)^content-length: *(\\d+)$");
  private static final Pattern CONNECTION = Pattern.compile("(?im)^(connection|expect):.*\r\n");

  /** What happens to a request. */
  public enum Fault {
    /** Is answered with status 500, and not passed on. */
    ERROR,
    /** Is answered with status 500 after the server has done what it asks for. */
    LATE_ERROR,
    /** Is passed on when the faults end. */
    HELD,
    /** Is not answered, nor passed on. */
    SILENCE,
    /** Is not passed on, and its connection reset. */
    RESET,
    /** Is passed on by half, and its connection cut. */
    CUT_REQUEST,
    /** Half of the answer's body is passed on, and the connection cut. */
    CUT_ANSWER,
    /** Its answer is not passed on, and its connection cut. */
    LOST_ANSWER,
    /** A byte of the answer's body is changed. */
    FLIPPED_BYTE,
    /** A byte of the request's body is changed. */
    FLIPPED_UPLOAD
  }

  /** A fault of requests whose first line matches, for a number of times. */
  private static final class Plan {
    private final Fault fault;
    private final Pattern requests;
    private int times;

    Plan(Fault fault, Pattern requests, int times) {
      this.fault = fault;
      this.requests = requests;
      this.times = times;
    }
  }

  private final URI server;
  private final ServerSocket socket = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
  private final List<Plan> plans = new ArrayList<>();
  private final List<String> requests = new CopyOnWriteArrayList<>();

  /** Starts a proxy of a server. */
  public FaultyProxy(URI server) throws IOException {
    this.server = server;
    Thread.ofVirtual().start(this::accept);
  }

  /** Returns the address of the proxy. */
  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + socket.getLocalPort());
  }

  /** Plans a fault of requests whose first line has a match, such as {@code PUT .*sha256}. */
  public void plan(Fault fault, String requests, int times) {
    synchronized (plans) {
      plans.add(new Plan(fault, Pattern.compile(requests), times));
    }
  }

  /** Ends all faults. */
  public void recover() {
    synchronized (plans) {
      plans.clear();
      plans.notifyAll();
    }
  }

  /** Returns the first lines of all requests that came and match. */
  public List<String> requests(String pattern) {
    return requests.stream().filter(Pattern.compile(pattern).asPredicate()).toList();
  }

  private void accept() {
    while (!socket.isClosed()) {
      try {
        Socket client = socket.accept();
        Thread.ofVirtual().start(() -> serve(client));
      } catch (IOException e) {
        if (!socket.isClosed()) {
          throw new AssertionError(e);
        }
      }
    }
  }

  private void serve(Socket client) {
    try (client;
        Socket upstream = new Socket(server.getHost(), server.getPort())) {
      String head = head(client.getInputStream());
      if (!head.isEmpty()) {
        requests.add(head.substring(0, head.indexOf('\r')));
        serve(head, client, upstream);
      }
    } catch (IOException _) {
      // One of both has disconnected, as they may: the tests examine the outcome.
    }
  }

  private void serve(String head, Socket client, Socket upstream) throws IOException {
    OutputStream answer = client.getOutputStream();
    Fault fault = fault(head.substring(0, head.indexOf('\r')));
    if (fault == Fault.HELD) {
      awaitRecovery();
    }
    if (fault == Fault.SILENCE) {
      client.getInputStream().transferTo(OutputStream.nullOutputStream());
      return;
    }
    if (fault == Fault.RESET) {
      client.setSoLinger(true, 0); // so that its end is a reset
      return;
    }
    if (head.toLowerCase(Locale.ROOT).contains("expect: 100-continue")) {
      write(answer, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    Matcher length = LENGTH.matcher(head);
    int size = length.find() ? Integer.parseInt(length.group(1)) : 0;
    byte[] body = client.getInputStream().readNBytes(size);
    if (fault == Fault.ERROR) {
      write(answer, "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      return;
    }
    if (fault == Fault.FLIPPED_UPLOAD) {
      body[size / 2] ^= 1;
    }
    OutputStream to = upstream.getOutputStream();
    write(
        to,
        CONNECTION.matcher(head).replaceAll("").replaceFirst("\r\n", "\r\nConnection: close\r\n"));
    to.write(body, 0, fault == Fault.CUT_REQUEST ? size / 2 : size);
    to.flush();
    if (fault == Fault.CUT_REQUEST) {
      return;
    }
    InputStream from = upstream.getInputStream();
    String answered = head(from);
    byte[] bytes = from.readAllBytes();
    switch (fault) {
      case LOST_ANSWER -> {}
      case LATE_ERROR ->
          write(answer, "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      case CUT_ANSWER -> {
        write(answer, answered);
        answer.write(bytes, 0, bytes.length / 2);
      }
      case FLIPPED_BYTE -> {
        write(answer, answered);
        bytes[bytes.length / 2] ^= 1;
        answer.write(bytes);
      }
      case null, default -> {
        write(answer, answered);
        answer.write(bytes);
      }
    }
    answer.flush();
  }

  private void awaitRecovery() throws InterruptedIOException {
    synchronized (plans) {
      try {
        while (!plans.isEmpty()) {
          plans.wait();
        }
      } catch (InterruptedException e) {
        throw new InterruptedIOException(e.getMessage());
      }
    }
  }

  private @Nullable Fault fault(String request) {
    synchronized (plans) {
      for (Plan plan : plans) {
        if (plan.times > 0 && plan.requests.matcher(request).find()) {
          plan.times--;
          return plan.fault;
        }
      }
      return null;
    }
  }

  /** Reads up to the empty line; empty if the connection ends before. */
  private static String head(InputStream in) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    int matched = 0;
    while (matched < 4) {
      int next = in.read();
      if (next < 0) {
        return "";
      }
      head.write(next);
      matched = next == "\r\n\r\n".charAt(matched) ? matched + 1 : next == '\r' ? 1 : 0;
    }
    return head.toString(StandardCharsets.ISO_8859_1);
  }

  private static void write(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.ISO_8859_1));
    out.flush();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
