package dev.nola.registry;

import dev.nola.registry.data.StartFailure;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.springframework.boot.web.server.PortInUseException;
import org.springframework.core.env.Environment;

/**
 * The port that the server listens on.
 *
 * @param address of this machine
 * @param number of the port; 0 for any free one, -1 for none
 */
record ListenPort(String address, int number) {
  private static final int DEFAULT = 8080;

  /**
   * Reads the settings.
   *
   * @param environment has {@code server.address} and {@code server.port}
   * @return the port
   */
  static ListenPort of(Environment environment) {
    return new ListenPort(
        environment.getProperty("server.address", "0.0.0.0"),
        environment.getProperty("server.port", Integer.class, DEFAULT));
  }

  /**
   * Requires that the server can listen on it.
   *
   * @throws PortInUseException if another process listens on it
   * @throws StartFailure if the address is not one of this machine, or the port is not permitted
   */
  void requireFree() {
    if (number < 0) {
      return;
    }
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true); // as Tomcat does
      socket.bind(new InetSocketAddress(address, number));
    } catch (BindException e) {
      if (String.valueOf(e.getMessage()).contains("in use")) {
        throw new PortInUseException(number, e);
      }
      throw cannotListen(e);
    } catch (IOException | IllegalArgumentException e) {
      throw cannotListen(e);
    }
  }

  private StartFailure cannotListen(Exception failure) {
    return new StartFailure(
        "cannot listen on %s, port %d: %s".formatted(address, number, failure.getMessage()),
        "Set --address to an address of this machine, and --port to a port that this user may use.",
        failure);
  }

  /** Returns port and address in words. */
  @Override
  public String toString() {
    return switch (Integer.signum(number)) {
      case -1 -> "none";
      case 0 -> "a free one";
      default -> "%d on %s".formatted(number, address);
    };
  }
}
