package dev.nola.client.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.nola.api.Page;
import dev.nola.client.RegistryException;
import dev.nola.client.RegistryException.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;

class AllPagesTest {
  private static RegistryException refused(AllPages.Source<Integer> source) {
    RegistryException refused =
        catchThrowableOfType(RegistryException.class, () -> AllPages.read("items", 100, source));
    assertThat(refused.kind()).isEqualTo(Kind.BROKEN);
    return refused;
  }

  @Test
  void pagesAreReadToTheEnd() throws Exception {
    assertThat(
            AllPages.read(
                "items",
                3,
                cursor ->
                    cursor == null
                        ? new Page<>(List.of(1, 2), "a")
                        : cursor.equals("a")
                            ? new Page<>(List.of(3), "b")
                            : new Page<Integer>(List.of(), null)))
        .containsExactly(1, 2, 3);
  }

  @Test
  void endlessEmptyPages_areBroken() {
    assertThat(refused(cursor -> new Page<>(List.of(), cursor + "x")))
        .hasMessage("endless list of items: the registry sent an empty page that is not the last");
  }

  @Test
  void repeatedCursor_isBroken() {
    assertThat(refused(cursor -> new Page<>(List.of(1), "a".equals(cursor) ? "b" : "a")))
        .hasMessage("endless list of items: the registry sent a cursor twice");
  }

  @Test
  void endlessItems_areBroken() {
    assertThat(refused(cursor -> new Page<>(List.of(1, 2, 3), cursor + "x")))
        .hasMessage("too many items: the registry lists more than 100");
  }
}
