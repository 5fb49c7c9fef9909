package dev.nola.command;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.TextTable;

/**
 * Rows of columns, each as wide as its widest cell. A cell of several lines continues below itself,
 * and never at the start of a line.
 */
public final class Table {
  private static final int GAP = 2;

  private final List<List<Text>> rows = new ArrayList<>(); // a cell of several lines has several

  /**
   * Starts a table.
   *
   * @param header the columns' titles; none for a table without a header
   */
  public Table(String... header) {
    if (header.length > 0) {
      row(header);
    }
  }

  /**
   * Adds a row.
   *
   * @param cells as many as there are columns
   * @return this table
   * @throws IllegalArgumentException if there are more or fewer cells than columns
   */
  public Table row(String... cells) {
    if (!rows.isEmpty() && cells.length != rows.getFirst().size()) {
      throw new IllegalArgumentException(
          "row has %d cells; the table has %d columns"
              .formatted(cells.length, rows.getFirst().size()));
    }
    List<List<String>> lines = Stream.of(cells).map(cell -> List.of(cell.split("\\R"))).toList();
    int height = lines.stream().mapToInt(List::size).max().orElse(0);
    for (int i = 0; i < height; i++) {
      List<Text> row = new ArrayList<>();
      for (List<String> cell : lines) {
        String indent = i > 0 && row.isEmpty() ? " ".repeat(GAP) : "";
        row.add(literal(i < cell.size() ? indent + cell.get(i) : ""));
      }
      rows.add(row);
    }
    return this;
  }

  /**
   * Prints the table.
   *
   * @param out receives a line a row
   */
  public void print(PrintWriter out) {
    if (rows.isEmpty()) {
      return;
    }
    Column[] columns = new Column[rows.getFirst().size()];
    for (int i = 0; i < columns.length; i++) {
      int column = i;
      int width =
          rows.stream().mapToInt(row -> row.get(column).getCJKAdjustedLength()).max().orElse(0);
      int indent = i == 0 ? 0 : GAP;
      columns[i] = new Column(Math.max(1, width) + indent, indent, Column.Overflow.TRUNCATE);
    }
    TextTable table = TextTable.forColumns(Help.defaultColorScheme(Ansi.OFF), columns);
    for (List<Text> row : rows) {
      table.addRowValues(row.toArray(Text[]::new));
    }
    out.print(table);
  }

  /** Takes a cell as it is: picocli would take {@code @|...|@} in it for a style. */
  private static Text literal(String cell) {
    Text text = Ansi.OFF.new Text(0);
    for (String piece : cell.split("(?<=@)(?=\\|)")) {
      text = text.concat(piece);
    }
    return text;
  }
}
