package dev.nola.trainer;

import static dev.nola.trainer.Outcome.nola;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class ImportTextsCommandTest {
  private static final String WEBNLG =
      """
      <?xml version="1.0" ?>
      <benchmark>
        <entries>
          <entry category="Airport" eid="Id1" size="2">
            <originaltripleset>
              <otriple>Kemi_Airport | location | Kemi</otriple>
            </originaltripleset>
            <modifiedtripleset>
              <mtriple>Kemi_Airport | city served | "Kemi, Finland"</mtriple>
              <mtriple>Kemi_Airport | runway length | 2500.0</mtriple>
            </modifiedtripleset>
            <lex comment="good" lid="Id1">Kemi Airport serves Kemi
              &amp; has a runway of 2.5 km.</lex>
            <lex comment="" lang="en" lid="Id2">The runway at Kemi, Finland, is 2500 m long.</lex>
            <lex comment="good" lang="ru" lid="Id3">Не английский.</lex>
            <lex comment="bad" lid="Id4">Nonsense.</lex>
          </entry>
        </entries>
      </benchmark>
      """;

  @TempDir private Path folder;

  private String examples() throws IOException {
    return Files.readString(folder.resolve("out/examples.jsonl"));
  }

  private String references() throws IOException {
    return Files.readString(folder.resolve("out/references.jsonl"));
  }

  private Outcome run(String command, Path source) {
    return nola(command, source, "-o", folder.resolve("out"));
  }

  @Test
  void webNlg_keepsGoodEnglishTexts() throws IOException {
    Path xml = Files.createDirectories(folder.resolve("test/2triples")).resolve("Airport.xml");
    Files.writeString(xml, WEBNLG);
    Files.writeString(folder.resolve("test/readme.txt"), "not XML");
    Outcome run = run("import-webnlg", folder.resolve("test"));
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .isEqualTo("wrote %s: 1 prompt, 2 texts%n".formatted(folder.resolve("out")));
    String prompt =
        "Kemi_Airport : city served : \\\"Kemi, Finland\\\" | Kemi_Airport : runway length : 2500.0 ||";
    assertThat(examples().lines())
        .containsExactly(
            "{\"prompt\":\"%s\",\"completion\":\" Kemi Airport serves Kemi & has a runway of 2.5 km.\"}"
                .formatted(prompt),
            "{\"prompt\":\"%s\",\"completion\":\" The runway at Kemi, Finland, is 2500 m long.\"}"
                .formatted(prompt));
    assertThat(references())
        .startsWith("{\"prompt\":\"%s\",\"references\":[\"Kemi Airport serves".formatted(prompt))
        .endsWith("\"],\"category\":\"Airport\"}\n");
  }

  @Test
  void dart_mergesEqualTriplesAndLowersPredicates() throws IOException {
    Path json =
        Files.writeString(
            folder.resolve("dart.json"),
            """
            [{"tripleset": [["Mars Hill", "JOINED", "1973"], ["Mars Hill", "TEAM", "Lions"]],
              "subtree_was_extended": false,
              "annotations": [{"source": "x", "text": "The Lions of Mars Hill joined in 1973."}]},
             {"tripleset": [["A", "B", "C"]], "annotations": [{"text": "A has B C."}]},
             {"tripleset": [["Mars Hill", "JOINED", "1973"], ["Mars Hill", "TEAM", "Lions"]],
              "annotations": [{"text": "Mars Hill, the Lions, joined in 1973."}]}]
            """);
    JsonNode report = nola("import-dart", json, "-o", folder.resolve("out"), "--json").json();
    assertThat(report.get("prompts").asInt()).isEqualTo(2);
    assertThat(report.get("references").asInt()).isEqualTo(3);
    assertThat(references().lines())
        .containsExactly(
            "{\"prompt\":\"Mars Hill : joined : 1973 | Mars Hill : team : Lions ||\",\"references\":"
                + "[\"The Lions of Mars Hill joined in 1973.\",\"Mars Hill, the Lions, joined in 1973.\"]}",
            "{\"prompt\":\"A : b : C ||\",\"references\":[\"A has B C.\"]}");
  }

  @Test
  void e2e_hasThePromptsOfTraining() throws IOException {
    Path text =
        Files.writeString(
            folder.resolve("e2e.txt"),
            """
            name : Mill | food : Thai||The Mill serves Thai food .
            name : Bibimbap||Bibimbap is a place .
            name : Mill | food : Thai||Thai food is at the Mill .
            """);
    assertThat(run("import-e2e", text).exitCode()).isZero();
    assertThat(examples().lines().findFirst())
        .hasValue(
            "{\"prompt\":\"name : Mill | food : Thai ||\",\"completion\":\" The Mill serves Thai food .\"}");
    assertThat(references().lines())
        .hasSize(2)
        .first()
        .asString()
        .endsWith("[\"The Mill serves Thai food .\",\"Thai food is at the Mill .\"]}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "import-webnlg|<a>|invalid XML: XML document structures must start and end within the same",
        "import-webnlg|<!DOCTYPE a><a/>|invalid XML: DOCTYPE is disallowed",
        "import-webnlg|<a/>|not a WebNLG file: has 0 elements entries; must have one",
        "import-webnlg|<b><entries/></b>|has no texts",
        "import-webnlg|<b><entries><entry eid=\"7\" category=\"C\"/></entries></b>"
            + "|entry 7 of category C has no mtriple",
        "import-webnlg|<b><entries><entry eid=\"7\" category=\"C\"><modifiedtripleset>"
            + "<mtriple>a</mtriple></modifiedtripleset></entry></entries></b>"
            + "|has the mtriple \"a\"; must be subject",
        "import-dart|{|invalid JSON: ",
        "import-dart|{}|not a DART file: must be a list of objects",
        "import-dart|[{}]|object 1 has no tripleset",
        "import-dart|[{\"tripleset\": [[\"a\", \"b\", \"c\"]]}]|object 1 has no annotations",
        "import-dart|[{\"tripleset\": [[\"a\", \"b\"]]}]|has the triple [\"a\",\"b\"]; must be",
        "import-e2e|words|line 1: must be slots",
      })
  void invalidFile_isRefused(String command, String content, String rule) throws IOException {
    Outcome run = run(command, Files.writeString(folder.resolve("file.xml"), content));
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("file.xml: ", rule);
    assertThat(folder.resolve("out")).doesNotExist();
  }
}
