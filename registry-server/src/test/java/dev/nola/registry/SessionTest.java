package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.HttpCookie;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Sessions of people at the pages. */
class SessionTest {
  private static final TestRegistry REGISTRY = TestRegistry.shared();

  private static String session(PageClient client) {
    return client.cookies().getCookieStore().getCookies().stream()
        .filter(cookie -> cookie.getName().equals("nola-session"))
        .map(HttpCookie::getValue)
        .findFirst()
        .orElse("");
  }

  @Test
  void cookieIsForThisSiteAlone_andHasNoToken() throws Exception {
    TestClient reader = REGISTRY.admin().account("session-reader", "read");
    PageClient client = new PageClient(REGISTRY);
    HttpResponse<String> answer = client.post("/sign-in", Map.of("token", reader.token()));
    List<String> cookies = answer.headers().allValues("Set-Cookie");
    assertThat(cookies)
        .anySatisfy(
            cookie ->
                assertThat(cookie)
                    .startsWith("nola-session=")
                    .contains("HttpOnly", "SameSite=Strict")
                    .doesNotContain(reader.token()));
    assertThat(client.get("/").body()).contains("session-reader");
    assertThat(
            REGISTRY
                .database()
                .count(
                    "select count(*) from spring_session_attributes"
                        + " where position('%s'::bytea in attribute_bytes) > 0"
                            .formatted(reader.token())))
        .isZero();
  }

  @Test
  void revocationOfTheTokenEndsTheSession() throws Exception {
    TestClient reader = REGISTRY.admin().account("session-revoked", "read");
    PageClient client = PageClient.of(REGISTRY, reader.token());
    assertThat(client.get("/jobs").statusCode()).isNotEqualTo(302);
    REGISTRY.admin().delete("/api/v1/tokens/" + reader.get("/api/v1/tokens/current").text("/id"));
    HttpResponse<String> answer = client.get("/jobs");
    assertThat(answer.statusCode()).isEqualTo(302);
    assertThat(answer.headers().firstValue("Location")).hasValue("/sign-in?next=%2Fjobs");
  }

  @Test
  void signInOpensANewSession_andSignOutEndsIt() throws Exception {
    TestClient reader = REGISTRY.admin().account("session-twice", "read");
    PageClient client = PageClient.of(REGISTRY, reader.token());
    String first = session(client);
    client.post("/sign-in", Map.of("token", reader.token()));
    assertThat(session(client)).isNotEmpty().isNotEqualTo(first);
    client.post("/sign-out", Map.of());
    assertThat(client.get("/").body()).doesNotContain("session-twice");
  }

  @Test
  void formsOfOtherSitesAreRefused() throws Exception {
    TestClient reader = REGISTRY.admin().account("session-forged", "read");
    PageClient client = PageClient.of(REGISTRY, reader.token());
    HttpResponse<String> answer = client.postForged("/sign-out", Map.of(), "forged");
    assertThat(answer.statusCode()).isEqualTo(403);
    assertThat(answer.body()).contains("comes from another site");
    assertThat(client.get("/").body()).contains("session-forged");
  }

  @Test
  void signInLeadsToNoOtherSite() throws Exception {
    TestClient reader = REGISTRY.admin().account("session-next", "read");
    for (String next : List.of("//evil.example", "https://evil.example", "/\\evil.example", "")) {
      HttpResponse<String> answer =
          new PageClient(REGISTRY).post("/sign-in", Map.of("token", reader.token(), "next", next));
      assertThat(answer.headers().firstValue("Location")).as(next).hasValue("/");
    }
    HttpResponse<String> answer =
        new PageClient(REGISTRY)
            .post("/sign-in", Map.of("token", reader.token(), "next", "/jobs?state=queued"));
    assertThat(answer.headers().firstValue("Location")).hasValue("/jobs?state=queued");
  }

  @Test
  void bearerTokenIsForTheApiAlone() throws Exception {
    assertThat(REGISTRY.admin().get("/admin", "Accept", "text/html").status()).isEqualTo(302);
  }

  /** Other tabs send the cookies that they got before. */
  @Test
  void pagesChangeNoCookies() throws Exception {
    PageClient visitor = new PageClient(REGISTRY);
    PageClient member = PageClient.of(REGISTRY, REGISTRY.admin().token());
    for (PageClient client : List.of(visitor, member)) {
      client.get("/sign-in");
      for (String path : List.of("/sign-in", "/", "/admin", "/absent")) {
        assertThat(client.get(path).headers().allValues("Set-Cookie")).as(path).isEmpty();
      }
    }
  }

  @Test
  void programsGetProblemsAndPeoplePages() throws Exception {
    PageClient client = new PageClient(REGISTRY);
    HttpResponse<String> page = client.get("/absent/absent");
    assertThat(page.statusCode()).isEqualTo(404);
    assertThat(page.headers().firstValue("Content-Type")).hasValue("text/html;charset=UTF-8");
    assertThat(page.body()).contains(page.headers().firstValue("X-Request-Id").orElseThrow());
    HttpResponse<String> undecodable = client.get("/?q=%00");
    assertThat(undecodable.statusCode()).isEqualTo(400);
    assertThat(undecodable.body()).contains("</html>", "the query cannot be decoded");
    assertThat(client.get("/base").statusCode()).isEqualTo(404);
    assertThat(client.get("/api/v1/absent").headers().firstValue("Content-Type"))
        .hasValue(TestClient.PROBLEM);
    assertThat(REGISTRY.anonymous().get("/absent").header("Content-Type"))
        .isEqualTo(TestClient.PROBLEM);
  }
}
