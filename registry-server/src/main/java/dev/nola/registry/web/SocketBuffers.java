package dev.nola.registry.web;

import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.springframework.boot.tomcat.ConfigurableTomcatWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.stereotype.Component;

/** Sizes Tomcat's buffers so that the file of a typical adapter leaves in one system call. */
@Component
class SocketBuffers implements WebServerFactoryCustomizer<ConfigurableTomcatWebServerFactory> {
  /**
   * Bytes that a connection writes at a time. Tomcat's default, 8 KiB, takes four writes for the
   * file of a LLaMA-2-7B adapter. All of {@code server.tomcat.max-connections} may hold such a
   * buffer.
   */
  private static final int WRITE = 32 << 10;

  private static final String SIZE = "socket.appWriteBufSize";

  @Override
  public void customize(ConfigurableTomcatWebServerFactory factory) {
    factory.addConnectorCustomizers(
        connector -> {
          if (!(connector.getProtocolHandler() instanceof AbstractHttp11Protocol<?> http)
              || !http.setProperty(SIZE, Integer.toString(WRITE))) {
            throw new IllegalStateException("connector has no property " + SIZE);
          }
        });
  }
}
