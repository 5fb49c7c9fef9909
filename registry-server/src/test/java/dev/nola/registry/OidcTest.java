package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import dev.nola.registry.TestClient.Answer;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sign-in of people, and publication by programs, with the tokens of OpenID providers. */
class OidcTest {
  private static final String AUDIENCE = "https://nola.example";
  private static final String START = "/oauth2/sign-in/oidc";

  private static TestIssuers issuers;
  private static TestRegistry registry;

  @BeforeAll
  static void start() throws Exception {
    issuers = new TestIssuers();
    issuers.setAway("late", true);
    List<String> settings =
        new ArrayList<>(
            List.of(
                "nola.oidc.issuer=" + issuers.url("main"),
                "nola.oidc.name=Example",
                "nola.oidc.client-id=" + TestIssuers.CLIENT,
                "nola.oidc.client-secret=" + TestIssuers.SECRET,
                "nola.oidc.admin-group=ops",
                "nola.oidc.groups=ml=oidc-ml:owner,readers=oidc-ml:member,data=oidc-data:member"));
    List<String> programs = List.of("ci", "rotating", "limited", "late");
    for (int i = 0; i < programs.size(); i++) {
      String key = "nola.oidc.publishers[" + i + "].";
      settings.add(key + "issuer=" + issuers.url(programs.get(i)));
      settings.add(key + "audience=" + AUDIENCE);
      settings.add(key + "claims=repository=acme/mood,workflow=release.yml,ref=refs/heads/main");
      settings.add(key + "account=robot-" + programs.get(i));
      settings.add(key + "namespaces=oidc-" + programs.get(i));
    }
    registry = TestRegistry.start(settings.toArray(String[]::new));
  }

  @AfterAll
  static void stop() {
    registry.close();
    issuers.close();
  }

  private static String session(HttpResponse<String> answer) {
    return answer.headers().allValues("Set-Cookie").stream()
        .filter(cookie -> cookie.startsWith("nola-session="))
        .findFirst()
        .orElse("");
  }

  private static String begin(PageClient browser, String next) throws Exception {
    HttpResponse<String> answer = browser.get(START + next);
    assertThat(answer.statusCode()).isEqualTo(302);
    return answer.headers().firstValue("Location").orElseThrow();
  }

  private static HttpResponse<String> finish(PageClient browser, URI callback) throws Exception {
    return browser.get(callback.getRawPath() + "?" + callback.getRawQuery());
  }

  private static HttpResponse<String> signIn(PageClient browser, JWTClaimsSet.Builder person)
      throws Exception {
    return finish(browser, issuers.authorize(begin(browser, "?next=/jobs"), person));
  }

  private static JWTClaimsSet.Builder program(String issuer) {
    return issuers
        .claims(issuer, "repo:acme/mood:ref:refs/heads/main", AUDIENCE)
        .claim("repository", "acme/mood")
        .claim("workflow", "release.yml")
        .claim("ref", "refs/heads/main");
  }

  private static TestClient client(String token) {
    return registry.anonymous().with(token);
  }

  private static int use(String token) throws Exception {
    return client(token).get("/api/v1/tokens/current").status();
  }

  private static String roles(String account) throws Exception {
    try (var connection = registry.database().connect();
        var statement =
            connection.prepareStatement(
                "select coalesce(string_agg(n.name || ' ' || m.role, ', ' order by n.name), '')"
                    + " from membership m join namespace n on n.id = m.namespace_id"
                    + " where m.account = ?")) {
      statement.setString(1, account);
      try (var rows = statement.executeQuery()) {
        rows.next();
        return rows.getString(1);
      }
    }
  }

  @Test
  void personSignsIn_andArrivesWherePlanned() throws Exception {
    PageClient browser = new PageClient(registry);
    assertThat(browser.get("/sign-in?next=/jobs").body())
        .contains("Sign in with Example", START + "?next=/jobs");
    HttpResponse<String> started = browser.get(START + "?next=/jobs?state=queued%26limit=5");
    String location = started.headers().firstValue("Location").orElseThrow();
    assertThat(location)
        .startsWith(issuers.url("main") + "/authorize?")
        .contains("code_challenge_method=S256", "nonce=", "scope=openid");
    assertThat(started.headers().firstValue("Set-Cookie").orElseThrow())
        .startsWith("nola-oidc=")
        .contains("Path=/oauth2/callback", "Max-Age=600", "HttpOnly", "SameSite=Lax");

    HttpResponse<String> answer =
        finish(browser, issuers.authorize(location, issuers.person("ann", "ml")));

    assertThat(answer.statusCode()).isEqualTo(200); // not a redirect: the cookie is Strict
    assertThat(answer.body()).contains("content=\"0; url=/jobs?state=queued&amp;limit=5\"");
    assertThat(session(answer)).contains("SameSite=Strict", "HttpOnly");
    assertThat(browser.get("/").body()).contains("ann");
    assertThat(roles("ann")).isEqualTo("oidc-ml OWNER");
    Answer tokens = registry.admin().get("/api/v1/tokens?account=ann");
    assertThat(Instant.parse(tokens.text("/0/expiresAt")))
        .isBetween(Instant.now().plusSeconds(7 * 3600), Instant.now().plusSeconds(9 * 3600));
    assertThat(tokens.json().toString()).contains(issuers.url("main") + " id-of-ann");
  }

  @Test
  void signInLeadsToNoOtherSite() throws Exception {
    PageClient browser = new PageClient(registry);
    String location = begin(browser, "?next=//evil.example/%22%3E");
    assertThat(finish(browser, issuers.authorize(location, issuers.person("nick", "ml"))).body())
        .contains("url=/\"")
        .doesNotContain("evil");
  }

  @Test
  void groupsGovernTheirNamespaces_andNoOthers() throws Exception {
    PageClient browser = new PageClient(registry);
    signIn(browser, issuers.person("gus", "readers"));
    assertThat(roles("gus")).isEqualTo("oidc-ml MEMBER");
    String own = registry.admin().namespace();
    registry.admin().put("/api/v1/namespaces/" + own + "/members/gus", Map.of("role", "member"));

    signIn(browser, issuers.person("gus", "ml", "readers", "data"));
    assertThat(roles("gus")).isEqualTo("%s MEMBER, oidc-data MEMBER, oidc-ml OWNER".formatted(own));
    signIn(browser, issuers.person("gus", "data"));
    assertThat(roles("gus")).isEqualTo("%s MEMBER, oidc-data MEMBER".formatted(own));
    HttpResponse<String> refused =
        signIn(new PageClient(registry), issuers.person("gus", "elsewhere"));
    assertThat(refused.statusCode()).isEqualTo(403);
    assertThat(refused.body()).contains("lost its groups that may use this registry");
    assertThat(session(refused)).isEmpty();
    assertThat(roles("gus")).isEqualTo(own + " MEMBER");
    assertThat(registry.admin().get("/api/v1/audit").json().toString())
        .contains("member.remove", "gus OWNER", "token.external");
  }

  @Test
  void strangerToAllGroupsGetsNoAccount() throws Exception {
    HttpResponse<String> refused = signIn(new PageClient(registry), issuers.person("eve"));
    assertThat(refused.statusCode()).isEqualTo(403);
    assertThat(refused.body()).contains("ask its admin to add you");
    assertThat(registry.admin().get("/api/v1/tokens?account=eve").text("/0/id")).isEmpty();
  }

  @Test
  void adminGroupMakesAdmins() throws Exception {
    String admin = issuers.sign("main", issuers.person("olga", "ops"));
    assertThat(client(admin).get("/api/v1/audit").status()).isEqualTo(200);
    String other = issuers.sign("main", issuers.person("otto", "ml"));
    assertThat(client(other).get("/api/v1/audit").status()).isEqualTo(403);
  }

  @Test
  void revocationOfItsTokenEndsTheSession() throws Exception {
    PageClient browser = new PageClient(registry);
    signIn(browser, issuers.person("rita", "ml"));
    assertThat(browser.get("/jobs").statusCode()).isNotEqualTo(302);
    String id = registry.admin().get("/api/v1/tokens?account=rita").text("/0/id");
    assertThat(registry.admin().delete("/api/v1/tokens/" + id).status()).isEqualTo(204);
    assertThat(browser.get("/jobs").statusCode()).isEqualTo(302);
  }

  @Test
  void accountIsItsSubjects_whateverItsName() throws Exception {
    registry.admin().account("holder", "read");
    String thief = issuers.sign("main", issuers.person("holder", "ml"));
    assertThat(client(thief).get("/api/v1/tokens/current").text("/detail"))
        .startsWith("account taken: holder existed before your first sign-in");
    assertThat(use(issuers.sign("main", issuers.person("robot-ci", "ml")))).isEqualTo(403);
    assertThat(
            client(issuers.sign("main", issuers.person("workers", "ml")))
                .get("/api/v1/tokens/current")
                .text("/detail"))
        .contains("workers", "at your OpenID provider");

    assertThat(use(issuers.sign("main", issuers.person("paula", "ml")))).isEqualTo(200);
    JWTClaimsSet.Builder reused = issuers.person("paula", "ml").subject("id-of-another-paula");
    assertThat(use(issuers.sign("main", reused))).isEqualTo(403);
    JWTClaimsSet.Builder renamed = issuers.person("paula-b", "ml").subject("id-of-paula");
    assertThat(client(issuers.sign("main", renamed)).get("/api/v1/tokens/current").text("/account"))
        .isEqualTo("paula");
  }

  @Test
  void existingAccountIsLinked_ifTheSettingAllowsIt() throws Exception {
    try (TestRegistry linking =
        TestRegistry.start(
            "nola.oidc.issuer=" + issuers.url("main"),
            "nola.oidc.audience=" + TestIssuers.CLIENT,
            "nola.oidc.link-existing=true")) {
      linking.admin().account("holder", "read");
      String holder = issuers.sign("main", issuers.person("holder"));
      assertThat(linking.anonymous().with(holder).get("/api/v1/tokens/current").text("/account"))
          .isEqualTo("holder");
    }
  }

  @Test
  void jwtIsATokenOfTheApi_untilItIsRevoked() throws Exception {
    TestClient mia = client(issuers.sign("main", issuers.person("mia", "ml")));
    assertThat(mia.publishPrivate("oidc-ml/mood@1.0.0", Samples.file(1)).status()).isEqualTo(201);
    assertThat(mia.get("/api/v1/adapters/oidc-ml/mood").status()).isEqualTo(200);
    assertThat(registry.anonymous().get("/api/v1/adapters/oidc-ml/mood").status()).isEqualTo(404);
    String other = registry.admin().namespace();
    assertThat(mia.publish(other + "/mood@1.0.0", Samples.file(1)).status()).isEqualTo(404);

    String id = mia.get("/api/v1/tokens/current").text("/id");
    registry.admin().delete("/api/v1/tokens/" + id);
    assertThat(mia.get("/api/v1/tokens/current").status()).isEqualTo(401);
    assertThat(mia.get("/api/v1/tokens/current").status()).isEqualTo(401);
  }

  @Test
  void programPublishesWhereItMay() throws Exception {
    TestClient program = client(issuers.sign("ci", program("ci")));
    assertThat(program.publish("oidc-ci/mood@1.0.0", Samples.file(1)).status()).isEqualTo(201);
    assertThat(program.get("/api/v1/tokens/current").json().toString())
        .contains("robot-ci", "[\"publish\"]", "[\"oidc-ci\"]");
    registry.admin().put("/api/v1/namespaces/oidc-other");
    registry
        .admin()
        .put("/api/v1/namespaces/oidc-other/members/robot-ci", Map.of("role", "member"));
    assertThat(program.publish("oidc-other/mood@1.0.0", Samples.file(1)).status()).isEqualTo(404);
  }

  @Test
  void programsAccountKeepsAHigherRole() throws Exception {
    assertThat(use(issuers.sign("rotating", program("rotating").subject("first")))).isEqualTo(200);
    registry
        .admin()
        .put("/api/v1/namespaces/oidc-rotating/members/robot-rotating", Map.of("role", "owner"));
    assertThat(use(issuers.sign("rotating", program("rotating").subject("second")))).isEqualTo(200);
    assertThat(roles("robot-rotating")).isEqualTo("oidc-rotating OWNER");
  }

  @ParameterizedTest
  @CsvSource({
    "repository, acme/other",
    "repository, acme/mood2",
    "workflow, test.yml",
    "ref, refs/heads/feature",
    "aud, https://elsewhere.example",
    "iss, https://issuer.example",
    "exp, past",
    "exp, ",
    "nbf, future"
  })
  void programWithAnotherClaimIsRefused(String claim, String value) throws Exception {
    JWTClaimsSet.Builder claims = program("ci");
    switch (String.valueOf(value)) {
      case "past" -> claims.expirationTime(Date.from(Instant.now().minusSeconds(1)));
      case "null" -> claims.expirationTime(null);
      case "future" -> claims.notBeforeTime(Date.from(Instant.now().plusSeconds(120)));
      default -> claims.claim(claim, value);
    }
    Answer answer = client(issuers.sign("ci", claims)).get("/api/v1/tokens/current");
    assertThat(answer.status()).isEqualTo(401);
    assertThat(answer.text("/detail")).isEqualTo("invalid token: unknown, expired or revoked");
  }

  @Test
  void personForAnotherAudienceIsRefused() throws Exception {
    JWTClaimsSet.Builder claims = issuers.person("ada", "ml").audience("another-client");
    assertThat(use(issuers.sign("main", claims))).isEqualTo(401);
  }

  @Test
  void forgedTokensAreRefused() throws Exception {
    assertThat(use(issuers.sign("ci", program("ci")))).isEqualTo(200);
    assertThat(use(new PlainJWT(program("ci").build()).serialize())).isEqualTo(401);
    RSAKey key = issuers.key("ci");
    SignedJWT symmetric =
        new SignedJWT(
            new JWSHeader.Builder(JWSAlgorithm.HS256).keyID(key.getKeyID()).build(),
            program("ci").build());
    symmetric.sign(new MACSigner(key.toRSAPublicKey().getEncoded()));
    assertThat(use(symmetric.serialize())).isEqualTo(401);
    RSAKey own = new RSAKey.Builder(TestIssuers.newKey()).keyID(key.getKeyID()).build();
    assertThat(use(TestIssuers.sign(own, program("ci")))).isEqualTo(401);
    assertThat(use(issuers.sign("main", program("ci")))).isEqualTo(401);
    assertThat(use(issuers.sign("main", program("main")))).isEqualTo(401); // not an issuer of CI
  }

  @Test
  void rotatedKeysAreFetched() throws Exception {
    assertThat(use(issuers.sign("rotating", program("rotating")))).isEqualTo(200);
    issuers.rotate("rotating");
    assertThat(use(issuers.sign("rotating", program("rotating")))).isEqualTo(200);
  }

  @Test
  void unknownKeysDoNotFetchWithoutEnd() throws Exception {
    String valid = issuers.sign("limited", program("limited"));
    RSAKey unknown = TestIssuers.newKey();
    for (int i = 0; i < 5; i++) {
      assertThat(use(TestIssuers.sign(unknown, program("limited")))).isEqualTo(401);
    }
    assertThat(issuers.fetches("limited")).isLessThanOrEqualTo(2);
    assertThat(use(valid)).isEqualTo(200);
  }

  @Test
  void issuerThatIsAwayIsAskedAgain() throws Exception {
    String token = issuers.sign("late", program("late"));
    Answer answer = client(token).get("/api/v1/tokens/current");
    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.header("Retry-After")).isEqualTo("10");
    assertThat(registry.admin().get("/api/v1/tokens/current").status()).isEqualTo(200);
    issuers.setAway("late", false);
    assertThat(use(token)).isEqualTo(200);
  }

  @Test
  void failedSignInsSayWhatToDo() throws Exception {
    PageClient browser = new PageClient(registry);
    String location = begin(browser, "");
    URI callback = issuers.authorize(location, issuers.person("fay", "ml"));
    HttpResponse<String> lost = finish(new PageClient(registry), callback);
    assertThat(lost.statusCode()).isEqualTo(401);
    assertThat(lost.body()).contains("began in another browser; start it again");
    HttpResponse<String> refused =
        browser.get("/oauth2/callback?error=access_denied&state=" + state(location));
    assertThat(refused.statusCode()).isEqualTo(403);
    assertThat(refused.body()).contains("refused the sign-in");

    location = begin(browser, "");
    issuers.authorize(location, issuers.person("fay", "ml"));
    HttpResponse<String> wrongCode =
        browser.get("/oauth2/callback?code=guessed&state=" + state(location));
    assertThat(wrongCode.statusCode()).isEqualTo(401);
    assertThat(wrongCode.body()).contains("its log has the reason");
  }

  @Test
  void answerToAnotherSignInIsRefused() throws Exception {
    PageClient attacker = new PageClient(registry);
    URI callback = issuers.authorize(begin(attacker, ""), issuers.person("mallory", "ml"));
    PageClient victim = new PageClient(registry);
    begin(victim, "");
    HttpResponse<String> answer = finish(victim, callback);
    assertThat(answer.statusCode()).isEqualTo(401);
    assertThat(session(answer)).isEmpty();
  }

  @Test
  void idTokenOfAnotherSignInIsRefused() throws Exception {
    PageClient browser = new PageClient(registry);
    String location = begin(browser, "").replaceFirst("nonce=[^&]+", "nonce=another");
    HttpResponse<String> answer =
        finish(browser, issuers.authorize(location, issuers.person("nora", "ml")));
    assertThat(answer.statusCode()).isEqualTo(401);
    assertThat(session(answer)).isEmpty();
  }

  @Test
  void idTokenForAnotherClientIsRefused() throws Exception {
    HttpResponse<String> answer =
        signIn(new PageClient(registry), issuers.person("abel", "ml").audience("another-client"));
    assertThat(answer.statusCode()).isEqualTo(401);
    assertThat(session(answer)).isEmpty();
  }

  private static String state(String location) {
    return location.replaceFirst(".*[?&]state=([^&]+).*", "$1");
  }

  @ParameterizedTest
  @CsvSource({
    "nola.oidc.issuer=http://issuer.example, must be a URL of https",
    "nola.oidc.client-id=x, nola.oidc.issuer missing",
    "nola.oidc.issuer=https://issuer.example, nola.oidc.audience missing",
    "nola.oidc.publishers[0].issuer=https://ci.example, nola.oidc.publishers.audience missing",
    "nola.oidc.publishers[0].isuer=https://ci.example, unknown setting"
  })
  void invalidSettingsAreRefused(String setting, String problem) {
    assertThatThrownBy(() -> TestRegistry.start(setting)).hasStackTraceContaining(problem);
  }
}
