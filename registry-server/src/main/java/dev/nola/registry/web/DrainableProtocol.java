package dev.nola.registry.web;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CountDownLatch;
import org.apache.coyote.http11.Http11NioProtocol;
import org.apache.tomcat.util.net.NioEndpoint;

/**
 * HTTP/1.1 of Tomcat, whose port can be closed while requests are read.
 *
 * <p>Tomcat's own way, {@code closeServerSocketGraceful}, ends the thread that accepts connections
 * first: it drops the connection that arrives next, and when the port is closed, the kernel resets
 * those that nobody accepted.
 */
public final class DrainableProtocol extends Http11NioProtocol {
  /** Called by Tomcat, by the name of the class. */
  public DrainableProtocol() {
    super(new Endpoint());
  }

  /**
   * Refuses new connections; those that were accepted are served as before.
   *
   * @throws IOException if the socket cannot be closed
   */
  void closePort() throws IOException {
    ((Endpoint) getEndpoint()).closePort();
  }

  private static final class Endpoint extends NioEndpoint {
    private final CountDownLatch ending = new CountDownLatch(1);
    private volatile boolean isPortClosed;

    void closePort() throws IOException {
      isPortClosed = true;
      doCloseServerSocket();
    }

    /**
     * Once the port is closed, waits until Tomcat ends or pauses the thread that calls this, and
     * then returns a channel for it to throw away: after an exception it would try again.
     */
    @Override
    protected SocketChannel serverSocketAccept() throws Exception {
      if (!isPortClosed) {
        try {
          return super.serverSocketAccept();
        } catch (ClosedChannelException e) {
          if (!isPortClosed) {
            throw e;
          }
        }
      }
      ending.await();
      return SocketChannel.open();
    }

    /** Called when Tomcat ends or pauses that thread. */
    @Override
    protected void unlockAccept() {
      if (isPortClosed) {
        ending.countDown();
      } else {
        super.unlockAccept();
      }
    }
  }
}
