package dev.nola.endtoend;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;

/** Stands between client and server, counts what the server sends, and cuts or stops it. */
final class CuttingProxy implements AutoCloseable {
  private final ServerSocket listener;
  private final int target;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Semaphore connections = new Semaphore(0);
  private final AtomicLong fromServer = new AtomicLong();
  private final AtomicLong left = new AtomicLong(Long.MAX_VALUE);
  private volatile boolean stops;
  private final CountDownLatch goOn = new CountDownLatch(1);

  private CuttingProxy(ServerSocket listener, int target) {
    this.listener = listener;
    this.target = target;
  }

  static CuttingProxy to(int port) throws IOException {
    CuttingProxy proxy =
        new CuttingProxy(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), port);
    proxy.threads.submit(proxy::accept);
    return proxy;
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + listener.getLocalPort());
  }

  /** Cuts one connection, once so many bytes more have come from the server. */
  void cutOnceAfter(long bytes) {
    left.set(bytes);
  }

  /** Passes nothing on, once so many bytes more have come from the server, until it may go on. */
  void stopAfter(long bytes) {
    stops = true;
    left.set(bytes);
  }

  void goOn() {
    left.set(Long.MAX_VALUE);
    goOn.countDown();
  }

  /** Waits until a client has connected, each time another one. */
  void awaitConnection() throws InterruptedException {
    connections.acquire();
  }

  /** Bytes from the server, heads of answers included. */
  long fromServer() {
    return fromServer.get();
  }

  private Void accept() throws IOException {
    while (true) {
      Socket client = listener.accept();
      connections.release();
      threads.submit(() -> connect(client));
    }
  }

  private Void connect(Socket client) throws Exception {
    try (client;
        Socket server = new Socket(InetAddress.getLoopbackAddress(), target)) {
      threads.submit(() -> forward(client, server));
      back(server, client);
    }
    return null;
  }

  private static Void forward(Socket from, Socket to) throws IOException {
    try (InputStream in = from.getInputStream()) {
      in.transferTo(to.getOutputStream());
      to.shutdownOutput();
    }
    return null;
  }

  private void back(Socket from, Socket to) throws IOException, InterruptedException {
    byte[] buffer = new byte[4096];
    InputStream in = from.getInputStream();
    OutputStream out = to.getOutputStream();
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      long rest = left.addAndGet(-n);
      fromServer.addAndGet(n);
      if (rest < 0 && stops) {
        goOn.await();
      } else if (rest < 0) {
        left.set(Long.MAX_VALUE);
        return; // which closes both sockets
      }
      out.write(buffer, 0, n);
      out.flush();
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
    threads.shutdownNow();
  }
}
