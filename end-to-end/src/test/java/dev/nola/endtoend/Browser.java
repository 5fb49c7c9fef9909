package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.deque.html.axecore.results.Rule;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.ConsoleMessage;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.Response;
import com.microsoft.playwright.options.ColorScheme;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** Chromium, and pages in it that must neither fail, nor load anything from elsewhere. */
final class Browser implements AutoCloseable {
  private static final Set<String> GRAVE = Set.of("serious", "critical");

  /**
   * Sums how far content moved by itself since the page was opened, and names what moved. Chromium
   * hands over what it noticed before, or nothing, in which case the time-out answers.
   */
  private static final String SHIFT =
      """
      new Promise(done => {
        setTimeout(() => done({sum: 0, moved: ''}), 100);
        new PerformanceObserver(list => {
          const shifts = list.getEntries().filter(entry => !entry.hadRecentInput);
          const names = shifts.flatMap(shift => shift.sources)
              .map(source => source.node?.id || source.node?.nodeName);
          done({sum: shifts.reduce((sum, shift) => sum + shift.value, 0), moved: names.join(' ')});
        }).observe({type: 'layout-shift', buffered: true});
      })""";

  /** As large as Web Vitals call good. */
  private static final double MAX_SHIFT = 0.1;

  private static final Path PICTURES = Path.of("target", "pages");

  private final Playwright playwright;
  private final com.microsoft.playwright.Browser chromium;

  private Browser(Playwright playwright, com.microsoft.playwright.Browser chromium) {
    this.playwright = playwright;
    this.chromium = chromium;
  }

  /** Starts the machine's Chromium; skips the test if there is none. */
  static Browser start() {
    Path program =
        Stream.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
            .map(Path::of)
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(null);
    if (program == null) {
      System.out.println("skipped: no Chromium in /usr/bin; install Debian's package chromium");
    }
    Assumptions.assumeTrue(program != null, "no Chromium in /usr/bin");
    Playwright playwright =
        Playwright.create(
            new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
    return new Browser(
        playwright,
        playwright
            .chromium()
            .launch(
                new BrowserType.LaunchOptions()
                    .setExecutablePath(program)
                    .setArgs(List.of("--no-sandbox")))); // which root has not
  }

  /** Opens a window without a session, of a width in pixels. */
  Window open(Registry registry, int width, ColorScheme colours) {
    BrowserContext context =
        chromium.newContext(
            new com.microsoft.playwright.Browser.NewContextOptions()
                .setBaseURL(registry.url().toString())
                .setViewportSize(width, 900)
                .setColorScheme(colours));
    return new Window(context, registry.url().toString());
  }

  Window open(Registry registry) {
    return open(registry, 1280, ColorScheme.LIGHT);
  }

  @Override
  public void close() {
    chromium.close();
    playwright.close();
  }

  /** A window with its own session. */
  static final class Window implements AutoCloseable {
    private final BrowserContext context;
    private final Page page;
    private final List<String> failures = new ArrayList<>();

    private Window(BrowserContext context, String server) {
      this.context = context;
      this.page = context.newPage();
      page.setDefaultTimeout(20_000);
      page.onPageError(failures::add);
      page.onConsoleMessage(this::note);
      page.onRequest(
          request -> {
            if (!request.url().startsWith(server) && !request.url().startsWith("data:")) {
              failures.add("request to another host: " + request.url());
            }
          });
    }

    private void note(ConsoleMessage message) {
      // What Chromium says of a response that a test wants to fail.
      boolean wanted = message.text().startsWith("Failed to load resource");
      if (message.type().equals("error") && !wanted) {
        failures.add(message.text());
      }
    }

    Page page() {
      return page;
    }

    /** Opens a path and returns the status of its response. */
    int go(String path) {
      Response response = page.navigate(path);
      return response == null ? 0 : response.status();
    }

    void signIn(String token) {
      go("/sign-in");
      page.getByLabel("Token").fill(token);
      page.getByLabel("Token").press("Enter");
      page.getByText("Sign out").waitFor();
    }

    /**
     * Requires what holds for every page: accessible, no wider than the window, still, no errors.
     */
    void requireGood(String what) {
      List<Rule> findings =
          new AxeBuilder(page)
              .analyze().getViolations().stream()
                  .filter(rule -> GRAVE.contains(rule.getImpact()))
                  .toList();
      assertThat(findings)
          .as(what)
          .extracting(rule -> rule.getId() + ": " + rule.getNodes())
          .isEmpty();
      assertThat(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
          .as("%s: wider than the window", what)
          .isEqualTo(0);
      Map<?, ?> shift = (Map<?, ?>) page.evaluate(SHIFT);
      assertThat(((Number) shift.get("sum")).doubleValue())
          .as("%s: content moved by itself: %s", what, shift.get("moved"))
          .isLessThan(MAX_SHIFT);
      assertThat(failures).as(what).isEmpty();
    }

    /** Takes a picture for the documents, without the log of a job: it has paths of the machine. */
    void picture(String name) throws IOException {
      Files.createDirectories(PICTURES);
      page.evaluate("document.querySelectorAll('#log-title, .log').forEach(e => e.remove())");
      page.screenshot(
          new Page.ScreenshotOptions().setPath(PICTURES.resolve(name + ".png")).setFullPage(true));
    }

    @Override
    public void close() {
      context.close();
    }
  }
}
