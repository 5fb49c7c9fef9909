package dev.nola.trainer.data;

import dev.nola.trainer.data.ReferenceTexts.Triple;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.jspecify.annotations.Nullable;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;
import org.xml.sax.helpers.DefaultHandler;

/** Reads the XML files of WebNLG: entries with triples and their verbalisations. */
final class WebNlg {
  private static final Pattern BAR = Pattern.compile("\\s*\\|\\s*");
  private static final int PARTS = 3;

  /** Values of {@code comment} and {@code lang}; later releases leave out one or the other. */
  private static final Set<String> GOOD = Set.of("good", "");

  private static final Set<String> ENGLISH = Set.of("en", "");

  private WebNlg() {}

  /**
   * Reads a file, or all XML files of a folder in the order of their paths.
   *
   * @throws IOException if one cannot be read, or is not a WebNLG file
   */
  static void read(Path source, ReferenceTexts.Collector texts) throws IOException {
    List<Path> files = List.of(source);
    if (Files.isDirectory(source)) {
      try (Stream<Path> all = Files.walk(source)) {
        files =
            all.filter(file -> DataFiles.extension(file).equals("xml") && Files.isRegularFile(file))
                .sorted()
                .toList();
      }
    }
    for (Path file : files) {
      for (Element entry : children(root(file), "entry")) {
        read(file, entry, texts);
      }
    }
  }

  private static Element root(Path file) throws IOException {
    try (DataFile in = DataFile.open(file)) {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newDefaultInstance();
      // Entities could read other files, or grow without limit.
      factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
      DocumentBuilder builder = factory.newDocumentBuilder();
      builder.setErrorHandler(new DefaultHandler()); // the default one prints
      Element root = builder.parse(in).getDocumentElement();
      List<Element> entries = children(root, "entries");
      if (entries.size() != 1) {
        throw new InvalidDataException(
            "%s: not a WebNLG file: has %d elements entries; must have one"
                .formatted(file, entries.size()));
      }
      return entries.getFirst();
    } catch (SAXException e) {
      throw new InvalidDataException("%s: invalid XML: %s".formatted(file, e.getMessage()), e);
    } catch (ParserConfigurationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void read(Path file, Element entry, ReferenceTexts.Collector texts)
      throws IOException {
    List<Triple> triples = new ArrayList<>();
    for (Element set : children(entry, "modifiedtripleset")) {
      for (Element triple : children(set, "mtriple")) {
        triples.add(triple(file, entry, triple.getTextContent()));
      }
    }
    if (triples.isEmpty()) {
      throw invalid(file, entry, "has no mtriple");
    }
    for (Element text : children(entry, "lex")) {
      if (GOOD.contains(text.getAttribute("comment"))
          && ENGLISH.contains(text.getAttribute("lang"))) {
        if (text.getElementsByTagName("*").getLength() > 0 || text.getTextContent().isBlank()) {
          throw invalid(file, entry, "has a lex that is not text");
        }
        texts.add(triples, text.getTextContent(), category(entry));
      }
    }
  }

  private static Triple triple(Path file, Element entry, String text) throws IOException {
    String[] parts = BAR.split(text.strip(), -1);
    if (parts.length != PARTS) {
      throw invalid(
          file,
          entry,
          "has the mtriple \"%s\"; must be subject | predicate | object".formatted(text));
    }
    return new Triple(parts[0], parts[1], parts[2]);
  }

  private static @Nullable String category(Element entry) {
    return entry.hasAttribute("category") ? entry.getAttribute("category") : null;
  }

  private static IOException invalid(Path file, Element entry, String rule) {
    return new InvalidDataException(
        "%s: entry %s of category %s %s"
            .formatted(file, entry.getAttribute("eid"), entry.getAttribute("category"), rule));
  }

  private static List<Element> children(Element parent, String name) {
    NodeList nodes = parent.getChildNodes();
    return IntStream.range(0, nodes.getLength())
        .mapToObj(nodes::item)
        .filter(Element.class::isInstance)
        .map(Element.class::cast)
        .filter(element -> element.getTagName().equals(name))
        .toList();
  }
}
