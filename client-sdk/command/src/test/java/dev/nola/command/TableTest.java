package dev.nola.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class TableTest {
  private static String print(Table table) {
    StringWriter text = new StringWriter();
    table.print(new PrintWriter(text, true));
    return text.toString();
  }

  @Test
  void columns_areAsWideAsTheirWidestCell() {
    assertThat(print(new Table("NAME", "SIZE").row("a", "30.4 KB").row("longer", "1 B")))
        .isEqualToNormalizingNewlines("NAME    SIZE\na       30.4 KB\nlonger  1 B\n");
  }

  @Test
  void cells_areLiteralText() {
    assertThat(print(new Table().row("@|bold x|@", "%s %n")))
        .isEqualToNormalizingNewlines("@|bold x|@  %s %n\n");
  }

  @Test
  void cellOfSeveralLines_continuesBelowItself() {
    assertThat(print(new Table().row("description", "nice\nyanked  no\r\nend").row("size", "1 B")))
        .isEqualToNormalizingNewlines(
            "description  nice\n             yanked  no\n             end\nsize         1 B\n");
    assertThat(print(new Table("NAME").row("a\nNAME")))
        .isEqualToNormalizingNewlines("NAME\na\n  NAME\n");
  }

  @Test
  void emptyTable_printsNothing() {
    assertThat(print(new Table())).isEmpty();
  }

  @Test
  void rowOfAnotherLength_isRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Table("A", "B").row("x"))
        .withMessage("row has 1 cells; the table has 2 columns");
  }
}
