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

/** A proxy that counts the bytes the server sends, and cuts or pauses the connection. */
final class CuttingProxy implements AutoCloseable {
  private final ServerSocket listener;
  private final int target;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Semaphore connections = new Semaphore(0);
  private final AtomicLong fromServer = new AtomicLong();
  private final AtomicLong left = new AtomicLong(Long.MAX_VALUE);
  private volatile boolean pauses;
  private final CountDownLatch resumed = new CountDownLatch(1);

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

  /** Cuts one connection after the given number of further bytes from the server. */
  void cutOnceAfter(long bytes) {
    left.set(bytes);
  }

  /** Pauses after the given number of further bytes from the server, until {@link #resume}. */
  void pauseAfter(long bytes) {
    pauses = true;
    left.set(bytes);
  }

  void resume() {
    left.set(Long.MAX_VALUE);
    resumed.countDown();
  }

  /** Waits for the next connection of a client. */
  void awaitConnection() throws InterruptedException {
    connections.acquire();
  }

  /** Returns the number of bytes from the server, including response headers. */
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
      sendBack(server, client);
    }
    return null;
  }

  private static Void forward(Socket client, Socket server) throws IOException {
    try (InputStream in = client.getInputStream()) {
      in.transferTo(server.getOutputStream());
      server.shutdownOutput();
    }
    return null;
  }

  private void sendBack(Socket server, Socket client) throws IOException, InterruptedException {
    byte[] buffer = new byte[4096];
    InputStream in = server.getInputStream();
    OutputStream out = client.getOutputStream();
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      long remaining = left.addAndGet(-n);
      fromServer.addAndGet(n);
      if (remaining < 0 && pauses) {
        resumed.await();
      } else if (remaining < 0) {
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
