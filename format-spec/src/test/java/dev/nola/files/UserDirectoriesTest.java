package dev.nola.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UserDirectoriesTest {
  private static final Path HOME = Path.of(System.getProperty("user.home"));

  @Test
  void nolaVariableComesBeforeXdgVariableAndThatBeforeHome() {
    assertThat(UserDirectories.cache(Map.of("NOLA_CACHE", "/a", "XDG_CACHE_HOME", "/b")))
        .isEqualTo(Path.of("/a"));
    assertThat(UserDirectories.cache(Map.of("XDG_CACHE_HOME", "/b"))).isEqualTo(Path.of("/b/nola"));
    assertThat(UserDirectories.cache(Map.of())).isEqualTo(HOME.resolve(".cache/nola"));
    assertThat(UserDirectories.config(Map.of("NOLA_CONFIG", "/a", "XDG_CONFIG_HOME", "/b")))
        .isEqualTo(Path.of("/a"));
    assertThat(UserDirectories.config(Map.of("XDG_CONFIG_HOME", "/b")))
        .isEqualTo(Path.of("/b/nola"));
    assertThat(UserDirectories.config(Map.of())).isEqualTo(HOME.resolve(".config/nola"));
  }

  @Test
  void emptyAndRelativeXdgVariablesAreIgnored() {
    assertThat(UserDirectories.cache(Map.of("NOLA_CACHE", "", "XDG_CACHE_HOME", "")))
        .isEqualTo(HOME.resolve(".cache/nola"));
    assertThat(UserDirectories.cache(Map.of("XDG_CACHE_HOME", "b")))
        .isEqualTo(HOME.resolve(".cache/nola"));
  }

  @Test
  void unknownHome_isRefusedInsteadOfAFolderInTheWorkingDirectory() {
    String known = System.setProperty("user.home", "?"); // of a user without an entry in passwd
    try {
      assertThat(UserDirectories.home(Map.of())).isEmpty();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> UserDirectories.cache(Map.of()))
          .withMessageContaining("set HOME or NOLA_CACHE");
      assertThat(UserDirectories.cache(Map.of("HOME", "/h"))).isEqualTo(Path.of("/h/.cache/nola"));
    } finally {
      System.setProperty("user.home", known);
    }
  }
}
