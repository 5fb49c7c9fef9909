package dev.nola.registry.pages;

import dev.nola.registry.catalog.NewVersions.NewVersion;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/** Writes RSS 2.0. */
final class RssFeed {
  private final XMLStreamWriter xml;

  private RssFeed(XMLStreamWriter xml) {
    this.xml = xml;
  }

  /**
   * Writes the new versions of a namespace.
   *
   * @param namespace its name
   * @param versions latest first
   * @param server address of this server, without a slash at the end
   * @return the document in UTF-8
   */
  static byte[] of(String namespace, List<NewVersion> versions, String server) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      XMLStreamWriter xml =
          XMLOutputFactory.newDefaultFactory()
              .createXMLStreamWriter(bytes, StandardCharsets.UTF_8.name());
      new RssFeed(xml).write(namespace, versions, server);
      xml.close();
    } catch (XMLStreamException e) {
      throw new IllegalStateException("feed cannot be written to memory", e);
    }
    return bytes.toByteArray();
  }

  private void write(String namespace, List<NewVersion> versions, String server)
      throws XMLStreamException {
    xml.writeStartDocument(StandardCharsets.UTF_8.name(), "1.0");
    xml.writeStartElement("rss");
    xml.writeAttribute("version", "2.0");
    xml.writeStartElement("channel");
    element("title", "New versions of " + namespace);
    element("link", server + "/ns/" + namespace);
    element("description", "Versions of public adapters that " + namespace + " published");
    for (NewVersion version : versions) {
      String page = server + "/" + version.adapter() + "/" + version.version();
      xml.writeStartElement("item");
      element("title", version.adapter() + " " + version.version());
      element("link", page);
      element("guid", page);
      element(
          "pubDate",
          DateTimeFormatter.RFC_1123_DATE_TIME.format(
              version.publishedAt().atOffset(ZoneOffset.UTC)));
      element("description", escaped(version.description()));
      xml.writeEndElement();
    }
    xml.writeEndElement();
    xml.writeEndElement();
    xml.writeEndDocument();
  }

  private void element(String name, String text) throws XMLStreamException {
    xml.writeStartElement(name);
    xml.writeCharacters(
        text.replaceAll(
            "[^\\t\\n\\r\\x20-\\x{D7FF}\\x{E000}-\\x{FFFD}\\x{10000}-\\x{10FFFF}]", "\uFFFD"));
    xml.writeEndElement();
  }

  /** Readers show a description as HTML: so markup in a stranger's text is escaped once more. */
  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
