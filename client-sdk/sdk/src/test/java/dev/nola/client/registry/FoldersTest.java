package dev.nola.client.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FoldersTest {
  private static final Path HOME = Path.of(System.getProperty("user.home"));

  @Test
  void ownVariableComesBeforeTheDesktopsAndThatBeforeHome() {
    assertThat(Folders.cache(Map.of("NOLA_CACHE", "/a", "XDG_CACHE_HOME", "/b")))
        .isEqualTo(Path.of("/a"));
    assertThat(Folders.cache(Map.of("XDG_CACHE_HOME", "/b"))).isEqualTo(Path.of("/b/nola"));
    assertThat(Folders.cache(Map.of())).isEqualTo(HOME.resolve(".cache/nola"));
    assertThat(Folders.config(Map.of("NOLA_CONFIG", "/a", "XDG_CONFIG_HOME", "/b")))
        .isEqualTo(Path.of("/a"));
    assertThat(Folders.config(Map.of("XDG_CONFIG_HOME", "/b"))).isEqualTo(Path.of("/b/nola"));
    assertThat(Folders.config(Map.of())).isEqualTo(HOME.resolve(".config/nola"));
  }

  @Test
  void emptyAndRelativeVariablesOfTheDesktopAreNone() {
    assertThat(Folders.cache(Map.of("NOLA_CACHE", "", "XDG_CACHE_HOME", "")))
        .isEqualTo(HOME.resolve(".cache/nola"));
    assertThat(Folders.cache(Map.of("XDG_CACHE_HOME", "b"))).isEqualTo(HOME.resolve(".cache/nola"));
  }
}
