package dev.nola.client.lock;

import dev.nola.client.lock.LockReport.Check;
import dev.nola.client.lock.LockReport.Outcome;
import dev.nola.client.lock.LockReport.Result;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/**
 * Writes the result of checking a lock file as JUnit does: a suite an adapter, a case a check. A
 * check for which the registry did not answer or refused the token is an error, not a failure.
 */
public final class JUnitReport {
  private JUnitReport() {}

  /**
   * Writes a report.
   *
   * @param report the result of a check
   * @param path the file to write
   * @throws IOException if the file cannot be written
   */
  public static void write(LockReport report, Path path) throws IOException {
    try (Writer out = Files.newBufferedWriter(path)) {
      XMLStreamWriter xml = XMLOutputFactory.newInstance().createXMLStreamWriter(out);
      xml.writeStartDocument("UTF-8", "1.0");
      xml.writeStartElement("testsuites");
      xml.writeAttribute("name", "nola verify --lock");
      for (Result result : report.results()) {
        xml.writeStartElement("testsuite");
        xml.writeAttribute("name", result.entry().source());
        xml.writeAttribute("tests", Integer.toString(result.checks().size()));
        xml.writeAttribute("failures", count(result, Outcome.FAILED));
        xml.writeAttribute("errors", count(result, Outcome.ERROR));
        xml.writeAttribute("skipped", count(result, Outcome.SKIPPED));
        xml.writeAttribute(
            "time", seconds(result.checks().stream().mapToDouble(Check::seconds).sum()));
        for (Check check : result.checks()) {
          xml.writeStartElement("testcase");
          xml.writeAttribute("classname", result.entry().source());
          xml.writeAttribute("name", check.name());
          xml.writeAttribute("time", seconds(check.seconds()));
          String reason = check.reason();
          if (reason != null) {
            xml.writeStartElement(
                switch (check.outcome()) {
                  case ERROR -> "error";
                  case SKIPPED -> "skipped";
                  case FAILED, PASSED -> "failure";
                });
            xml.writeAttribute("message", printable(reason.lines().findFirst().orElse("")));
            xml.writeCharacters(printable(reason));
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

  private static String count(Result result, Outcome outcome) {
    return Long.toString(
        result.checks().stream().filter(check -> check.outcome() == outcome).count());
  }

  private static String seconds(double time) {
    return String.format(Locale.ROOT, "%.3f", time);
  }

  /** Without the characters that XML cannot carry, which a hostile file's names may have. */
  private static String printable(String text) {
    return text.replaceAll(
        "[^\\t\\n\\r\\x20-\\x{D7FF}\\x{E000}-\\x{FFFD}\\x{10000}-\\x{10FFFF}]", "�");
  }
}
