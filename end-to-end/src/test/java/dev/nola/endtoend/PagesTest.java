package dev.nola.endtoend;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import dev.nola.api.AdapterChange;
import dev.nola.api.Scope;
import dev.nola.api.name.AdapterName;
import dev.nola.api.name.ObjectKind;
import dev.nola.client.Progress;
import dev.nola.client.registry.NolaClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The pages, as a visitor, a member and an admin see them in Chromium. */
class PagesTest {
  private static final String HOSTILE =
      "<script>document.title='taken'</script><img src=x onerror=x>";

  @TempDir private static Path folder = Path.of("");

  private static Browser browser;
  private static Registry registry;
  private static String namespace;
  private static String member;

  @BeforeAll
  static void publish() throws Exception {
    browser = Browser.start();
    registry = Registry.start("nola.access.anonymous-requests-per-minute=100000");
    namespace = Registry.freshName();
    member = registry.token(namespace, Scope.PUBLISH);
    try (NolaClient owner = registry.client(member, folder.resolve("cache"))) {
      owner.namespaces().create(namespace);
      List<String> names = List.of("mood", "hostile", "weather");
      for (String name : names) {
        owner
            .adapters()
            .publish(
                new AdapterName(namespace, name),
                "1.0.0",
                Samples.blocks(folder, names.indexOf(name)),
                Progress.NONE);
      }
      owner
          .adapters()
          .publish(
              new AdapterName(namespace, "weather"),
              "1.1.0",
              Samples.blocks(folder, names.size()),
              Progress.NONE);
      owner.aliases().set(new AdapterName(namespace, "mood"), "prod", "1.0.0");
      owner
          .adapters()
          .change(new AdapterName(namespace, "hostile"), new AdapterChange(HOSTILE, null));
    }
  }

  @AfterAll
  static void stop() throws Exception {
    if (registry != null) {
      registry.close();
    }
    if (browser != null) {
      browser.close();
    }
  }

  @Test
  @Tag("long")
  void everyPageIsAccessibleInEveryWidthAndColour() throws Exception {
    for (int width : List.of(360, 1600)) {
      for (ColorScheme colours : List.of(ColorScheme.LIGHT, ColorScheme.DARK)) {
        try (Browser.Window window = browser.open(registry, width, colours)) {
          for (String path : paths()) {
            assertThat(window.go(path)).as(path).isEqualTo(200);
            window.requireGood("%s at %d pixels, %s".formatted(path, width, colours));
          }
          assertThat(window.go("/" + namespace + "/absent/9.9.9")).isEqualTo(404);
          window.requireGood("a page that is not found");
        }
      }
    }
  }

  @Test
  void pagesOfAdminsAreAccessible() throws Exception {
    for (int width : List.of(360, 1600)) {
      try (Browser.Window window = browser.open(registry, width, ColorScheme.DARK)) {
        window.signIn(registry.token("pages-admin", Scope.ADMIN));
        for (String path :
            List.of(
                "/jobs",
                "/workers",
                "/admin",
                "/admin/keys",
                "/admin/accounts",
                "/admin/tokens",
                "/admin/verifications",
                "/admin/storage",
                "/admin/audit",
                "/ns/" + namespace)) {
          assertThat(window.go(path)).as(path).isEqualTo(200);
          window.requireGood("%s at %d pixels".formatted(path, width));
        }
        window.go("/admin/storage");
        window.picture("storage");
      }
    }
  }

  @Test
  void trainingIsWatchedToItsEnd() throws Exception {
    String trained = Registry.freshName();
    try (Registry busy = Registry.start()) {
      watch(busy, trained, busy.token(trained, Scope.PUBLISH));
    }
  }

  private static void watch(Registry busy, String trained, String token) throws Exception {
    try (NolaClient owner = busy.client(token, folder.resolve("cache"));
        Browser.Window window = browser.open(busy)) {
      owner.namespaces().create(trained);
      owner
          .objects()
          .upload(ObjectKind.DATASET, trained + "/thirds", Thirds.data(folder), "thirds");
      UUID job = owner.jobs().submit(Thirds.request(trained, "1.0.0", Thirds.job(1, 400, 50))).id();
      Page page = window.page();
      window.signIn(token);
      assertThat(window.go("/jobs/" + job)).isEqualTo(200);
      assertThat(page.locator("#state")).containsText("queued");
      try (WorkerProcess _ = WorkerProcess.start(busy, folder, "watched", 1)) {
        assertThat(page.locator("#state")).containsText("succeeded", within(Duration.ofMinutes(2)));
      }
      assertThat(page.locator("#events figcaption")).containsText("loss: now");
      assertThat(page.locator("#events .log")).containsText("succeeded");
      window.requireGood("a job");
      window.picture("job");
      assertThat(window.go("/" + trained + "/mood/1.0.0")).isEqualTo(200);
      assertThat(page.locator("#training ~ .chart path").first()).isVisible();
      window.requireGood("the version that a training made");
    }
  }

  private static LocatorAssertions.ContainsTextOptions within(Duration time) {
    return new LocatorAssertions.ContainsTextOptions().setTimeout(time.toMillis());
  }

  private static List<String> paths() {
    String mood = "/" + namespace + "/mood";
    return List.of(
        "/",
        "/?tag=demo&sort=name",
        "/?q=absent",
        "/sign-in",
        mood,
        mood + "/1.0.0",
        mood + "/1.0.0/layers",
        mood + "/aliases/prod",
        mood + "/compare?from=1.0.0&to=1.0.0",
        "/base/meta-llama/Llama-2-7b-hf",
        "/ns/" + namespace);
  }

  @Test
  void adapterShowsHowToUseItAndItsLayers() throws Exception {
    try (Browser.Window window = browser.open(registry)) {
      Page page = window.page();
      window.go("/" + namespace + "/mood");
      assertThat(page.locator("#snippet-cli"))
          .containsText("nola pull " + namespace + "/mood@1.0.0");
      assertThat(page.locator("#snippet-peft")).isHidden();
      page.getByText("PEFT", new Page.GetByTextOptions().setExact(true)).click();
      assertThat(page.locator("#snippet-peft")).isVisible();
      assertThat(page.locator("#snippet-peft"))
          .containsText("HF_ENDPOINT=" + registry.url() + "/hf");
      assertThat(page.locator(".map .cell")).hasCount(40);
      page.locator(".map .cell").first().focus();
      window.requireGood("an adapter");
      window.go("/" + namespace + "/mood");
      window.picture("adapter");
    }
  }

  @Test
  void versionsAreCompared_andAdaptersOfABaseModel() throws Exception {
    try (Browser.Window window = browser.open(registry)) {
      Page page = window.page();
      window.go("/" + namespace + "/weather/compare?from=1.0.0&to=1.1.0");
      assertThat(page.locator("table").last()).containsText("q_proj");
      window.requireGood("a comparison");
      window.picture("compare");
      window.go("/base/meta-llama/Llama-2-7b-hf");
      assertThat(page.locator("main")).containsText(namespace + "/weather");
      window.picture("base");
    }
  }

  @Test
  void searchFindsWhileOneTypes() throws Exception {
    try (Browser.Window window = browser.open(registry)) {
      Page page = window.page();
      window.go("/?namespace=" + namespace);
      assertThat(page.locator(".rows > li")).hasCount(3);
      page.getByRole(AriaRole.SEARCHBOX).pressSequentially("weat");
      page.getByRole(AriaRole.SEARCHBOX).pressSequentially("her");
      assertThat(page.locator(".rows > li")).hasCount(1);
      assertThat(page.locator(".rows .name")).hasText(namespace + "/weather");
      assertThat(page).hasURL(Pattern.compile(".*[?&]q=weather.*"));
      assertThat(page.getByRole(AriaRole.SEARCHBOX)).isFocused();
      page.goBack();
      assertThat(page.locator(".rows > li")).hasCount(3);
      window.requireGood("search");
      window.picture("search");
    }
  }

  @Test
  void facetsNarrowTheSearchByKeyboardAlone() throws Exception {
    try (Browser.Window window = browser.open(registry)) {
      Page page = window.page();
      window.go("/?namespace=" + namespace);
      page.keyboard().press("Tab");
      assertThat(page.getByText("Skip to content")).isFocused();
      page.keyboard().press("Enter");
      for (int i = 0; i < 20 && !focused(page).equals("demo"); i++) {
        page.keyboard().press("Tab");
      }
      assertThat(focused(page)).isEqualTo("demo");
      page.keyboard().press("Enter");
      assertThat(page.getByLabel("Remove the filter tag demo")).isVisible();
      assertThat(page.locator(".rows > li")).hasCount(3);
    }
  }

  private static String focused(Page page) {
    return String.valueOf(
        page.evaluate(
            "document.activeElement.firstElementChild"
                + " ? document.activeElement.firstElementChild.textContent : ''"));
  }

  @Test
  void hostileTextIsShownAsText() throws Exception {
    try (Browser.Window window = browser.open(registry)) {
      Page page = window.page();
      window.go("/?q=hostile");
      assertThat(page.locator(".about")).hasText(HOSTILE);
      assertThat(page).hasTitle("Adapters · Nola");
      window.requireGood("a hostile description");
    }
  }

  @Test
  void sessionLastsUntilSignOut() throws Exception {
    try (Browser.Window window = browser.open(registry)) {
      Page page = window.page();
      window.signIn(member);
      assertThat(page.locator("header .account")).containsText(namespace);
      assertThat(page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName("Admin")))
          .hasCount(0);
      assertThat(window.go("/admin")).isEqualTo(403);
      window.requireGood("a page for admins");
      page.getByText("Sign out").click();
      assertThat(page.getByText("Sign in")).isVisible();
      window.go("/jobs");
      assertThat(page).hasURL(Pattern.compile(".*/sign-in\\?next=%2Fjobs"));
    }
  }

  @Test
  void signInWithAWrongTokenSaysSo() throws Exception {
    try (Browser.Window window = browser.open(registry)) {
      Page page = window.page();
      window.go("/sign-in");
      page.getByLabel("Token").fill("nola_wrong");
      page.getByLabel("Token").press("Enter");
      assertThat(page.getByRole(AriaRole.ALERT))
          .hasText("invalid token: unknown, expired or revoked");
      window.requireGood("a refused sign-in");
    }
  }
}
