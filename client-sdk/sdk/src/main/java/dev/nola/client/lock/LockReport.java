package dev.nola.client.lock;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;
import org.jspecify.annotations.Nullable;

/**
 * What came of checking a lock file.
 *
 * @param results one an adapter, in the order of the lock file
 */
public record LockReport(List<Result> results) {
  /** Copies the list. */
  public LockReport {
    results = List.copyOf(results);
  }

  /**
   * What came of an adapter.
   *
   * @param checks in the order in which they were made; after one that failed, those that need it
   *     are missing
   */
  public record Result(LockFile.Entry entry, List<Check> checks) {
    /** Copies the list. */
    public Result {
      checks = List.copyOf(checks);
    }

    /** Whether every check passed. */
    public boolean passed() {
      return checks.stream().allMatch(Check::passed);
    }
  }

  /**
   * One check.
   *
   * @param name what was checked
   * @param failure why it failed, or null if it passed
   */
  public record Check(String name, @Nullable String failure) {
    static Check passed(String name) {
      return new Check(name, null);
    }

    static Check failed(String name, String failure) {
      return new Check(name, failure);
    }

    /** Whether it passed. */
    public boolean passed() {
      return failure == null;
    }
  }

  /** Whether every check of every adapter passed. */
  public boolean passed() {
    return results.stream().allMatch(Result::passed);
  }

  /**
   * Writes the report as JUnit does: a suite an adapter, a case a check.
   *
   * @param path the file to write
   */
  public void writeJUnit(Path path) throws IOException {
    try (Writer out = Files.newBufferedWriter(path)) {
      XMLStreamWriter xml = XMLOutputFactory.newInstance().createXMLStreamWriter(out);
      xml.writeStartDocument("UTF-8", "1.0");
      xml.writeStartElement("testsuites");
      xml.writeAttribute("name", "nola verify --lock");
      for (Result result : results) {
        xml.writeStartElement("testsuite");
        xml.writeAttribute("name", result.entry.source());
        xml.writeAttribute("tests", Integer.toString(result.checks.size()));
        long failures = result.checks.stream().filter(check -> !check.passed()).count();
        xml.writeAttribute("failures", Long.toString(failures));
        xml.writeAttribute("errors", "0");
        xml.writeAttribute("skipped", "0");
        for (Check check : result.checks) {
          xml.writeStartElement("testcase");
          xml.writeAttribute("classname", result.entry.source());
          xml.writeAttribute("name", check.name);
          String failure = check.failure;
          if (failure != null) {
            xml.writeStartElement("failure");
            xml.writeAttribute("message", printable(failure.lines().findFirst().orElse("")));
            xml.writeCharacters(printable(failure));
            xml.writeEndElement();
          }
          xml.writeEndElement();
        }
        xml.writeEndElement();
      }
      xml.writeEndElement();
      xml.writeEndDocument();
      xml.close();
    } catch (XMLStreamException e) {
      throw new IOException("the report cannot be written: " + e.getMessage(), e);
    }
  }

  /** Without the characters that XML cannot carry, which a hostile file's names may have. */
  private static String printable(String text) {
    return text.replaceAll(
        "[^\\t\\n\\r\\x20-\\x{D7FF}\\x{E000}-\\x{FFFD}\\x{10000}-\\x{10FFFF}]", "�");
  }

  /**
   * Returns the report as Markdown.
   *
   * @return the text
   */
  public String toMarkdown() {
    StringBuilder text = new StringBuilder("### nola verify --lock\n\n");
    text.append("| adapter | digest | checks | result |\n|---|---|--:|---|\n");
    for (Result result : results) {
      long passed = result.checks.stream().filter(Check::passed).count();
      text.append(
          "| %s | `%.19s…` | %d of %d | %s |\n"
              .formatted(
                  code(result.entry.source()),
                  result.entry.digest(),
                  passed,
                  result.checks.size(),
                  result.passed() ? "verified" : "**failed**"));
    }
    for (Result result : results) {
      for (Check check : result.checks) {
        String failure = check.failure;
        if (failure != null) {
          text.append("\n**%s, %s**\n\n".formatted(code(result.entry.source()), check.name));
          failure.lines().forEach(line -> text.append("    ").append(line).append('\n'));
        }
      }
    }
    return text.toString();
  }

  /** As code, so that nothing in it is taken for Markdown. */
  private static String code(String text) {
    return "`" + text.replaceAll("[`|\\p{Cntrl}]", "?") + "`";
  }
}
