package dev.nola.registry;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.web.util.UriComponentsBuilder;
import tools.jackson.databind.json.JsonMapper;

/** OpenID providers on loopback, one for each first part of a path, with a key of each. */
final class TestIssuers implements AutoCloseable {
  static final String CLIENT = "nola-client";
  static final String SECRET = "client-secret";

  private final HttpServer server;
  private final Map<String, RSAKey> keys = new ConcurrentHashMap<>();
  private final Map<String, Integer> fetches = new ConcurrentHashMap<>();
  private final Map<String, Boolean> away = new ConcurrentHashMap<>();
  private final Map<String, Begun> codes = new ConcurrentHashMap<>();

  /** What a code of the authorization endpoint stands for. */
  private record Begun(String challenge, String redirectUri, JWTClaimsSet.Builder claims) {}

  TestIssuers() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::respond);
    server.start();
  }

  String url(String issuer) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/" + issuer;
  }

  RSAKey key(String issuer) {
    return keys.computeIfAbsent(issuer, _ -> newKey());
  }

  /** Replaces the key of an issuer. */
  void rotate(String issuer) {
    keys.put(issuer, newKey());
  }

  void setAway(String issuer, boolean isAway) {
    away.put(issuer, isAway);
  }

  /** How often an issuer's keys were fetched. */
  int fetches(String issuer) {
    return fetches.getOrDefault(issuer, 0);
  }

  static RSAKey newKey() {
    try {
      return new RSAKeyGenerator(2048)
          .keyUse(KeyUse.SIGNATURE)
          .keyIDFromThumbprint(true)
          .generate();
    } catch (JOSEException e) {
      throw new AssertionError(e);
    }
  }

  /** Claims of a token of an issuer, valid for an hour. */
  JWTClaimsSet.Builder claims(String issuer, String subject, String audience) {
    Instant now = Instant.now();
    return new JWTClaimsSet.Builder()
        .issuer(url(issuer))
        .subject(subject)
        .audience(audience)
        .issueTime(Date.from(now))
        .expirationTime(Date.from(now.plusSeconds(3600)));
  }

  /** Claims of a person at the issuer {@code main}. */
  JWTClaimsSet.Builder person(String name, String... groups) {
    return claims("main", "id-of-" + name, CLIENT)
        .claim("preferred_username", name)
        .claim("groups", List.of(groups));
  }

  String sign(String issuer, JWTClaimsSet.Builder claims) {
    return sign(key(issuer), claims);
  }

  static String sign(RSAKey key, JWTClaimsSet.Builder claims) {
    try {
      SignedJWT token =
          new SignedJWT(
              new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(key.getKeyID()).build(),
              claims.build());
      token.sign(new RSASSASigner(key));
      return token.serialize();
    } catch (JOSEException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Signs a person in, as the page of the authorization endpoint would.
   *
   * @param location to which the registry redirected the browser
   * @return to which the browser is sent back
   */
  URI authorize(String location, JWTClaimsSet.Builder person) {
    Map<String, String> query =
        UriComponentsBuilder.fromUriString(location)
            .build(true)
            .getQueryParams()
            .toSingleValueMap();
    String redirectUri = decode(query.get("redirect_uri"));
    String code = "code-" + codes.size();
    codes.put(
        code,
        new Begun(
            query.get("code_challenge"),
            redirectUri,
            person.claim("nonce", decode(query.get("nonce")))));
    return URI.create(redirectUri + "?code=" + code + "&state=" + query.get("state"));
  }

  private void respond(HttpExchange exchange) throws IOException {
    String[] path = exchange.getRequestURI().getPath().split("/", 3);
    String issuer = path[1];
    if (away.getOrDefault(issuer, false)) {
      send(exchange, 503, "{}");
      return;
    }
    switch (path[2]) {
      case ".well-known/openid-configuration" ->
          send(
              exchange,
              200,
              JsonMapper.shared()
                  .writeValueAsString(
                      Map.of(
                          "issuer", url(issuer),
                          "authorization_endpoint", url(issuer) + "/authorize",
                          "token_endpoint", url(issuer) + "/token",
                          "jwks_uri", url(issuer) + "/keys")));
      case "keys" -> {
        fetches.merge(issuer, 1, Integer::sum);
        send(exchange, 200, new JWKSet(key(issuer)).toString());
      }
      case "token" -> token(exchange, issuer);
      default -> send(exchange, 404, "{}");
    }
  }

  private void token(HttpExchange exchange, String issuer) throws IOException {
    String form = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    Map<String, String> fields =
        UriComponentsBuilder.fromUriString("?" + form)
            .build(true)
            .getQueryParams()
            .toSingleValueMap();
    Begun begun = codes.remove(String.valueOf(fields.get("code")));
    String client =
        "Basic "
            + Base64.getEncoder()
                .encodeToString((CLIENT + ":" + SECRET).getBytes(StandardCharsets.UTF_8));
    if (begun == null
        || !client.equals(exchange.getRequestHeaders().getFirst("Authorization"))
        || !begun.redirectUri.equals(decode(fields.get("redirect_uri")))
        || !begun.challenge.equals(challenge(String.valueOf(fields.get("code_verifier"))))) {
      send(exchange, 400, "{\"error\": \"invalid_grant\"}");
      return;
    }
    send(
        exchange,
        200,
        JsonMapper.shared()
            .writeValueAsString(
                Map.of(
                    "access_token",
                    "provider-access-token",
                    "token_type",
                    "Bearer",
                    "expires_in",
                    60,
                    "id_token",
                    sign(issuer, begun.claims))));
  }

  private static String challenge(String verifier) {
    try {
      return Base64.getUrlEncoder()
          .withoutPadding()
          .encodeToString(
              MessageDigest.getInstance("SHA-256")
                  .digest(verifier.getBytes(StandardCharsets.US_ASCII)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private static String decode(String value) {
    return URLDecoder.decode(value, StandardCharsets.UTF_8);
  }

  private static void send(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
