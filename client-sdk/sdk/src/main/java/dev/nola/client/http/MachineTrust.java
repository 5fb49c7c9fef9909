package dev.nola.client.http;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.NoSuchAlgorithmException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Trusts the certificate authorities of the JDK and, if they do not suffice, those of the system
 * and of the file that {@code SSL_CERT_FILE} names: companies install theirs there. The stores are
 * read when they are first needed.
 */
final class MachineTrust extends X509ExtendedTrustManager {
  /** Debian and Alpine, Fedora, SUSE, OpenSSL on other systems. */
  private static final List<Path> SYSTEM_FILES =
      List.of(
          Path.of("/etc/ssl/certs/ca-certificates.crt"),
          Path.of("/etc/pki/tls/certs/ca-bundle.crt"),
          Path.of("/etc/ssl/ca-bundle.pem"),
          Path.of("/etc/ssl/cert.pem"));

  /** The stores of macOS and Windows; other systems have none of these types. */
  private static final List<String> SYSTEM_STORES =
      List.of("KeychainStore", "KeychainStore-ROOT", "Windows-ROOT");

  private static final String VARIABLE = "SSL_CERT_FILE";

  private final Map<String, String> environment;
  private @Nullable X509ExtendedTrustManager jdk;
  private @Nullable X509ExtendedTrustManager machine;

  /**
   * Creates the trust manager.
   *
   * @param environment the process's variables
   */
  MachineTrust(Map<String, String> environment) {
    this.environment = environment;
  }

  @FunctionalInterface
  private interface Check {
    void run(X509ExtendedTrustManager manager) throws CertificateException;
  }

  private void check(Check check) throws CertificateException {
    try {
      check.run(jdk());
    } catch (CertificateException refused) {
      try {
        check.run(machine());
      } catch (CertificateException alsoRefused) {
        refused.addSuppressed(alsoRefused);
        throw alsoRefused instanceof UnreadableStoreException ? alsoRefused : refused;
      }
    }
  }

  /** Thrown if the file that the environment names cannot be read. */
  private static final class UnreadableStoreException extends CertificateException {
    UnreadableStoreException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private synchronized X509ExtendedTrustManager jdk() throws CertificateException {
    X509ExtendedTrustManager manager = jdk;
    if (manager == null) {
      manager = manager(null);
      jdk = manager;
    }
    return manager;
  }

  private synchronized X509ExtendedTrustManager machine() throws CertificateException {
    X509ExtendedTrustManager manager = machine;
    if (manager == null) {
      manager = manager(machineStore());
      machine = manager;
    }
    return manager;
  }

  private static X509ExtendedTrustManager manager(@Nullable KeyStore store)
      throws CertificateException {
    try {
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      return Stream.of(factory.getTrustManagers())
          .filter(X509ExtendedTrustManager.class::isInstance)
          .map(X509ExtendedTrustManager.class::cast)
          .findFirst()
          .orElseThrow(() -> new CertificateException("this Java checks no certificates"));
    } catch (GeneralSecurityException e) {
      throw new CertificateException("the trusted certificates cannot be read: " + e, e);
    }
  }

  private KeyStore machineStore() throws CertificateException {
    try {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      Optional<Path> system = SYSTEM_FILES.stream().filter(Files::isReadable).findFirst();
      if (system.isPresent()) {
        try {
          add(store, system.get());
        } catch (IOException | CertificateException _) {
          // A broken store of the system must not hide the user's own.
        }
      }
      for (String type : SYSTEM_STORES) {
        addStore(store, type);
      }
      String file = environment.getOrDefault(VARIABLE, "");
      if (!file.isEmpty()) {
        try {
          if (add(store, Path.of(file)) == 0) {
            throw new CertificateException("it has no certificates");
          }
        } catch (IOException | CertificateException | InvalidPathException e) {
          throw new UnreadableStoreException(
              "%s cannot be read: %s; must be a file of certificates in PEM format"
                  .formatted(VARIABLE, file),
              e);
        }
      }
      return store;
    } catch (IOException | KeyStoreException | NoSuchAlgorithmException e) {
      throw new CertificateException("the trusted certificates cannot be read: " + e, e);
    }
  }

  /** Returns how many certificates the file has. */
  private static int add(KeyStore store, Path file)
      throws IOException, CertificateException, KeyStoreException {
    try (InputStream in = Files.newInputStream(file)) {
      Collection<? extends Certificate> certificates =
          CertificateFactory.getInstance("X.509").generateCertificates(in);
      for (Certificate certificate : certificates) {
        store.setCertificateEntry(Integer.toString(store.size()), certificate);
      }
      return certificates.size();
    }
  }

  private static void addStore(KeyStore store, String type) throws KeyStoreException {
    try {
      KeyStore system = KeyStore.getInstance(type);
      system.load(null, null);
      for (String alias : Collections.list(system.aliases())) {
        if (system.isCertificateEntry(alias)) {
          store.setCertificateEntry(type + " " + alias, system.getCertificate(alias));
        }
      }
    } catch (GeneralSecurityException | IOException _) {
      // This system has no such store.
    }
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    check(manager -> manager.checkServerTrusted(chain, authType, engine));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    check(manager -> manager.checkServerTrusted(chain, authType, socket));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    check(manager -> manager.checkServerTrusted(chain, authType));
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    throw notAServer();
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    throw notAServer();
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    throw notAServer();
  }

  private static CertificateException notAServer() {
    return new CertificateException("clients do not check the certificates of clients");
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return new X509Certificate[0]; // servers send it to clients
  }
}
