package dev.nola.registry.blobs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * A server of the S3 protocol: s3proxy in this JVM, with objects in memory, or another that the
 * system property {@code nola.s3.endpoint} names. The classes of s3proxy are apart from those of
 * the tests: with its XML among them, Spring would offer XML.
 */
public final class S3Server {
  private static final Path JARS = Path.of("target", "s3proxy");

  private final URI endpoint;
  private final S3Client client;

  private S3Server(URI endpoint) {
    this.endpoint = endpoint;
    this.client =
        S3Client.builder()
            .endpointOverride(endpoint)
            .region(Region.US_EAST_1)
            .forcePathStyle(true)
            .build();
  }

  /** The server of this JVM; ended with it. */
  private static final class Shared {
    static final S3Server SERVER = start();
  }

  /**
   * Returns the server that all tests share, each with buckets of its own.
   *
   * @return the server
   */
  public static S3Server shared() {
    return Shared.SERVER;
  }

  /** Finds or starts the server, and sets its credentials for all clients of the JVM. */
  private static S3Server start() {
    System.setProperty("aws.accessKeyId", "test");
    System.setProperty("aws.secretAccessKey", "secret-of-the-tests");
    String other = System.getProperty("nola.s3.endpoint");
    return new S3Server(other == null ? startProxy() : URI.create(other));
  }

  private static URI startProxy() {
    try {
      ClassLoader loader = new URLClassLoader(jars(), S3Server.class.getClassLoader());
      Class<?> proxy = loader.loadClass("org.gaul.s3proxy.S3Proxy");
      Class<?> store = loader.loadClass("org.gaul.s3proxy.blobstore.BlobStore");
      Class<?> authentication = loader.loadClass("org.gaul.s3proxy.auth.AuthenticationType");
      Object builder = proxy.getMethod("builder").invoke(null);
      invoke(builder, "endpoint", URI.class, URI.create("http://127.0.0.1:0"));
      invoke(
          builder,
          "blobStore",
          store,
          loader
              .loadClass("org.gaul.s3proxy.nio2blob.TransientNio2BlobStore")
              .getConstructor()
              .newInstance());
      builder
          .getClass()
          .getMethod("awsAuthentication", authentication, String.class, String.class)
          .invoke(
              builder, authentication.getField("AWS_V4").get(null), "test", "secret-of-the-tests");
      Object server = builder.getClass().getMethod("build").invoke(builder);
      proxy.getMethod("start").invoke(server);
      Object port = proxy.getMethod("getPort").invoke(server);
      return URI.create("http://127.0.0.1:" + port);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private static void invoke(Object target, String name, Class<?> type, Object argument)
      throws ReflectiveOperationException {
    Method method = target.getClass().getMethod(name, type);
    method.invoke(target, argument);
  }

  private static URL[] jars() {
    try (Stream<Path> files = Files.list(JARS)) {
      List<Path> jars = files.toList();
      URL[] urls = new URL[jars.size()];
      for (int i = 0; i < urls.length; i++) {
        urls[i] = jars.get(i).toUri().toURL();
      }
      return urls;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Returns the address of the server.
   *
   * @return URL without a path
   */
  public URI endpoint() {
    return endpoint;
  }

  /**
   * Returns a client of the server, for what tests do to its objects.
   *
   * @return the client; not to be closed
   */
  public S3Client client() {
    return client;
  }

  /**
   * Creates an empty bucket.
   *
   * @return its name, which is new
   */
  public String bucket() {
    String name = "nola-" + UUID.randomUUID();
    client.createBucket(request -> request.bucket(name));
    return name;
  }
}
