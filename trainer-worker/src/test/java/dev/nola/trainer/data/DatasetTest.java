package dev.nola.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.DType;
import dev.nola.format.DenseTensor;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import dev.nola.trainer.data.DataFiles.Layout;
import dev.nola.trainer.image.ImageSettings;
import dev.nola.trainer.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class DatasetTest {
  /** A tokenizer of words, separated by spaces. */
  private static final String WORDS =
      """
      {"version": "1.0", "truncation": %s, "padding": null, "added_tokens": [], "normalizer": null,
       "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": %s, "decoder": null,
       "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab":
         {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "name": 3, ":": 4, "Inn": 5, "||": 6, "an": 7, "inn": 8}}}
      """;

  /** A tokenizer of letters, in which ab is one token. */
  private static final String LETTERS =
      """
      {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
       "pre_tokenizer": null, "post_processor": null, "decoder": null,
       "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3}, "merges": ["a b"]}}
      """;

  private static final String AS_BERT =
      """
      {"type": "TemplateProcessing",
       "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                  {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
       "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
       "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]},
                          "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}}
      """;

  /** Truncation as in tokenizers saved after inference; training needs longer texts. */
  private static final String TRUNCATION =
      """
      {"max_length": 3, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
      """;

  @TempDir private Path folder;

  @BeforeEach
  void modelWithBos7AndEos8() throws IOException {
    model(WORDS.formatted(TRUNCATION, "null"), "{\"bos_token_id\": 7, \"eos_token_id\": [8, 2]}");
  }

  private void model(String tokenizer, String config) throws IOException {
    write("tokenizer.json", tokenizer);
    write("config.json", config);
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private DataFiles files(Layout layout, int maxTokens) {
    return new DataFiles(
        layout,
        folder.resolve("train"),
        new DataFiles.Validation.File(folder.resolve("validation")),
        new DataFiles.Tokens(maxTokens, Bos.CONFIG),
        DataFiles.Selection.ALL);
  }

  /** Reads files of these texts. */
  private Dataset read(Layout layout, int maxTokens, String train, String validation)
      throws IOException, InterruptedException {
    write("train", train);
    write("validation", validation);
    return DatasetReader.read(files(layout, maxTokens), folder);
  }

  /** Asserts that a training file is refused with its name and a problem. */
  private void assertRefused(Layout layout, String train, String sound, String problem) {
    assertThatThrownBy(() -> read(layout, 16, train, sound))
        .isInstanceOf(IOException.class)
        .hasMessage(folder.resolve("train") + ": " + problem);
  }

  private static int[] tokens(Example example) {
    return switch (example) {
      case Example.Completion completion -> completion.tokens();
      case Example.Classified classified -> classified.tokens();
      case Example.Features _, Example.Picture _ -> throw new AssertionError("has no tokens");
    };
  }

  private static int prompt(Example example) {
    return ((Example.Completion) example).prompt();
  }

  private static int label(Example example) {
    return switch (example) {
      case Example.Classified classified -> classified.label();
      case Example.Features features -> features.label();
      case Example.Picture picture -> picture.label();
      case Example.Completion _ -> throw new AssertionError("has no class");
    };
  }

  @Test
  void slotsAreThePromptAndTheSentenceIsTheCompletion() throws Exception {
    Dataset data =
        read(new Layout.E2e(), 16, "name : Inn||an inn\r\n\nname||inn", "name : Inn ||  an inn . ");
    assertThat(data.train())
        .extracting(DatasetTest::tokens)
        .containsExactly(new int[] {7, 3, 4, 5, 6, 7, 8, 8}, new int[] {7, 3, 6, 8, 8});
    assertThat(data.train()).extracting(DatasetTest::prompt).containsExactly(5, 3);
    assertThat(data.validation())
        .extracting(DatasetTest::tokens)
        .containsExactly(new int[] {7, 3, 4, 5, 6, 7, 8, 0, 8});
    assertThat(data.classes()).isEmpty();
    assertThat(data.skipped()).isZero();
  }

  @Test
  void commaSeparatedValues_mayHaveQuotesCommasAndLineFeeds() throws Exception {
    Layout layout = new Layout.LabelledCsv("text", "label");
    String train = "label,text,id\n0,\"name : \"\"Inn\"\", an\n\ninn\",1\r\n1,\"\"\"\",2\n";
    Dataset data = read(layout, 16, train, "text,label\ninn,1\n");

    assertThat(data.classes()).containsExactly("0", "1");
    assertThat(data.train()).extracting(DatasetTest::label).containsExactly(0, 1);
    assertThat(Columns.commaSeparated(Lines.read(folder.resolve("train"))).records())
        .extracting(Columns.Fields::values)
        .containsExactly(
            List.of("label", "text", "id"),
            List.of("0", "name : \"Inn\", an\n\ninn", "1"),
            List.of("1", "\"", "2"));
    assertRefused(
        layout, "text,label\n\"a,1\n", "text,label\na,1", "line 2: has a quote that is not closed");
    assertRefused(
        layout,
        "text,label\na,1,2",
        "text,label\na,1",
        "line 2: has 3 columns; must have 2 as line 1");
  }

  @Test
  void promptAndCompletionMayBeColumns() throws Exception {
    Dataset data =
        read(new Layout.PromptCsv("p", "c"), 16, "p,c\nname :, inn", "p,c\n\"name\",inn");

    assertThat(tokens(data.train().getFirst())).containsExactly(7, 3, 4, 8, 8);
    assertThat(prompt(data.train().getFirst())).isEqualTo(3);
  }

  @Test
  void plainTextIsCutIntoExamplesOfTheMaximumLength() throws Exception {
    model(LETTERS, "{\"bos_token_id\": 1, \"eos_token_id\": 2}");
    Dataset data = read(new Layout.PlainText(), 4, "aaaa\naa", "ac");

    assertThat(data.train().stream().map(example -> tokens(example)[0])).containsOnly(1);
    assertThat(data.train()).extracting(DatasetTest::prompt).containsOnly(1);
    assertThat(tokens(data.train().getFirst())).containsExactly(1, 0, 0, 0);
    assertThat(tokens(data.train().getLast())).endsWith(2);
    assertThat(tokens(data.validation().getFirst())).containsExactly(1, 0, 2, 2);
  }

  @Test
  void answersOfTheAssistantAreLearned_inTheFormatThatTheTokenizerKnows() throws Exception {
    String chat =
        """
        {"messages": [{"role": "user", "content": "name"}, {"role": "assistant", "content": "inn"},\
         {"role": "user", "content": "an"}, {"role": "assistant", "content": "an inn"}]}
        """;
    Layout.Chat layout = new Layout.Chat("messages");
    write("train", chat);
    assertThat(ChatFormat.CHATML.rows(Lines.read(folder.resolve("train")), layout))
        .containsExactly(
            new Row(1, "<|im_start|>user\nname<|im_end|>\n<|im_start|>assistant\n", "inn"),
            new Row(
                1,
                "<|im_start|>user\nname<|im_end|>\n<|im_start|>assistant\ninn<|im_end|>\n"
                    + "<|im_start|>user\nan<|im_end|>\n<|im_start|>assistant\n",
                "an inn"));
    Dataset plain = read(layout, 32, chat, chat);
    assertThat(plain.train()).hasSize(2);
    assertThat(tokens(plain.train().getFirst())).startsWith(7).endsWith(8, 8);
    String added =
        """
        {"id": %d, "content": "%s", "single_word": false, "lstrip": false, "rstrip": false,
         "normalized": false, "special": true}\
        """;
    model(
        WORDS
            .formatted("null", "null")
            .replace(
                "\"added_tokens\": []",
                "\"added_tokens\": [%s, %s]"
                    .formatted(
                        added.formatted(9, "<|im_start|>"), added.formatted(10, "<|im_end|>"))),
        "{\"bos_token_id\": 7, \"eos_token_id\": 8}");
    try (TextTokenizer tokenizer = TextTokenizer.load(folder, Bos.CONFIG)) {
      TextTokenizer.Prompt prompt = tokenizer.prompt("<|im_start|>user");
      assertThat(prompt.tokens()).startsWith(9);
      assertThat(prompt.ends()).containsExactlyInAnyOrder(8, 10);
      assertThat(tokenizer.prompt("name").tokens()).startsWith(7);
      assertThat(tokenizer.prompt("name").ends()).containsExactly(8);
    }
    Dataset known = read(layout, 32, chat, chat);
    assertThat(tokens(known.train().getFirst())).startsWith(9).endsWith(8, 10);
    assertRefused(
        layout,
        "{\"messages\": [{\"role\": \"user\", \"content\": \"name\"}]}",
        chat,
        "line 1: field \"messages\" has no message of the role assistant; must be a list of"
            + " messages with role and content");
    assertRefused(
        layout,
        "{\"messages\": [{\"role\": \"user\", \"content\": 3}]}",
        chat,
        "line 1: content of a message is NUMBER; must be text");
  }

  /** The prompts that the README states. */
  @ParameterizedTest
  @EnumSource(ChatFormat.class)
  void promptInTheFormatOfChats_hasTheTokensOfTraining(ChatFormat format) throws Exception {
    List<String> special =
        switch (format) {
          case CHATML -> List.of("<|im_start|>", "<|im_end|>");
          case LLAMA3 ->
              List.of(
                  "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>");
          case PLAIN -> List.of();
        };
    String text =
        switch (format) {
          case CHATML -> "<|im_start|>user\nname<|im_end|>\n<|im_start|>assistant\n";
          case LLAMA3 ->
              "<|start_header_id|>user<|end_header_id|>\n\nname<|eot_id|>"
                  + "<|start_header_id|>assistant<|end_header_id|>\n\n";
          case PLAIN -> "user: name\nassistant:";
        };
    String added =
        IntStream.range(0, special.size())
            .mapToObj(
                i ->
                    """
                    {"id": %d, "content": "%s", "single_word": false, "lstrip": false,
                     "rstrip": false, "normalized": false, "special": true}\
                    """
                        .formatted(9 + i, special.get(i)))
            .collect(Collectors.joining(","));
    model(
        WORDS
            .formatted("null", "null")
            .replace("\"added_tokens\": []", "\"added_tokens\": [%s]".formatted(added)),
        "{\"bos_token_id\": 7, \"eos_token_id\": 8}");
    String chat =
        """
        {"messages": [{"role": "user", "content": "name"}, {"role": "assistant", "content": "inn"}]}
        """;
    Example trained = read(new Layout.Chat("messages"), 32, chat, chat).train().getFirst();
    try (TextTokenizer tokenizer = TextTokenizer.load(folder, Bos.CONFIG)) {
      assertThat(ChatFormat.of(tokenizer)).isEqualTo(format);
      TextTokenizer.Prompt prompt = tokenizer.prompt(text);
      assertThat(prompt.tokens()).isEqualTo(Arrays.copyOf(tokens(trained), prompt(trained)));
      assertThat(prompt.ends()).contains(tokens(trained)[prompt(trained) + 1]);
    }
  }

  @Test
  void chatsReadAsPrompts_areRefusedWithTheFormat() {
    assertRefused(
        new Layout.PromptJsonl("prompt", "completion"),
        "{\"messages\": []}",
        "{\"messages\": []}",
        "line 1: field \"prompt\" is missing; must be text; messages need the format chat");
  }

  @Test
  void chatTemplateThatIsNotUsed_isWarnedOf() throws Exception {
    Layout layout = new Layout.Chat("messages");
    String chat = "{\"messages\": [{\"role\": \"assistant\", \"content\": \"inn\"}]}";
    assertThat(read(layout, 32, chat, chat).warnings()).isEmpty();
    String template = "{\"chat_template\": \"{{ '<|im_start|>' + messages[0].content }}\"}";
    for (String name : List.of("tokenizer_config.json", "chat_template.jinja")) {
      Path file = write(name, template);
      assertThat(read(layout, 32, chat, chat).warnings())
          .singleElement()
          .asString()
          .startsWith(
              "chat template of " + folder + " not used: chats are written as lines ROLE: ");
      assertThat(read(new Layout.E2e(), 16, "name||inn", "name||inn").warnings()).isEmpty();
      try (TextTokenizer tokenizer = TextTokenizer.load(folder, Bos.CONFIG)) {
        assertThat(ChatFormat.CHATML.unusedTemplate(folder)).isEmpty();
        assertThat(ChatFormat.LLAMA3.unusedTemplate(folder)).isPresent();
        assertThat(tokenizer.prompt("name").tokens()).startsWith(7);
        assertThat(tokenizer.prompt("name").ends()).containsExactlyInAnyOrder(8, 2);
      }
      Files.delete(file);
    }
  }

  /**
   * Config and tokenizer may differ: SmolLM2's config has a BOS that its tokenizer does not add.
   */
  @ParameterizedTest
  @CsvSource({
    "true,  TOKENIZER, 1", "true,  CONFIG, 1", "true,  NONE, ",
    "false, TOKENIZER, ", "false, CONFIG, 7", "false, NONE, "
  })
  void textBeginsAsItWasTrained(boolean tokenizerAdds, Bos bos, @Nullable Integer start)
      throws Exception {
    String template =
        """
        {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
         {"Sequence": {"id": "A", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}},
         {"Sequence": {"id": "B", "type_id": 1}}],
         "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]}}}
        """;
    model(
        WORDS.formatted("null", tokenizerAdds ? template : "null"),
        "{\"bos_token_id\": 7, \"eos_token_id\": 8}");
    try (TextTokenizer tokenizer = TextTokenizer.load(folder, bos)) {
      assertThat(tokenizer.textStart())
          .containsExactly(start == null ? new int[0] : new int[] {start});
    }
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "none, 1.0, NONE",
        "tokenizer, 1.0, TOKENIZER",
        "config, 1.0, CONFIG",
        "-, 1.0, CONFIG",
        "-, -, TOKENIZER"
      })
  void adapterSaysWhatItsTextsBeganWith(
      @Nullable String stated, @Nullable String trainer, Bos expected) {
    Map<String, String> provenance = new TreeMap<>();
    if (stated != null) {
      provenance.put("bos", stated);
    }
    if (trainer != null) {
      provenance.put("trainer", trainer);
    }
    Adapter adapter =
        Adapter.builder()
            .generator(Generator.SRHT)
            .metadata(Metadata.of("", "", "").withProvenance(provenance))
            .dense(new DenseTensor("b", DType.F32, List.of(1), MemorySegment.ofArray(new byte[4])))
            .build();
    assertThat(Bos.of(adapter)).isEqualTo(expected);
  }

  @Test
  void shareOfTheTrainingFileIsValidation_theSameEachTime() throws Exception {
    write("train", "name||inn\nname : ||an\nInn||inn\nan||inn\n".repeat(5));
    DataFiles files =
        new DataFiles(
            new Layout.E2e(),
            folder.resolve("train"),
            new DataFiles.Validation.Share(0.2),
            new DataFiles.Tokens(16, Bos.CONFIG),
            DataFiles.Selection.ALL);

    Dataset data = DatasetReader.read(files, folder);

    assertThat(data.train()).hasSize(16);
    assertThat(data.validation()).hasSize(4);
    assertThat(data.digests()).containsOnlyKeys("train");
    assertThat(DatasetReader.read(files, folder).validation())
        .extracting(DatasetTest::tokens)
        .containsExactlyElementsOf(data.validation().stream().map(DatasetTest::tokens).toList());
    write("train", "name||inn");
    assertThatThrownBy(() -> DatasetReader.read(files, folder))
        .hasMessageEndingWith("has 1 example; data.validationShare needs two or more");
  }

  @Test
  void specialTokensOfTheTokenizerGoBeforeThoseOfTheModel() throws Exception {
    model(WORDS.formatted("null", AS_BERT), "{\"bos_token_id\": 7, \"eos_token_id\": 8}");
    Dataset data = read(new Layout.E2e(), 16, "name||inn", "name||inn");
    assertThat(tokens(data.train().getFirst())).containsExactly(1, 3, 6, 8, 2);
    assertThat(prompt(data.train().getFirst())).isEqualTo(3);
  }

  @Test
  void tokenAcrossPromptAndCompletion_isLearned() throws Exception {
    model(LETTERS, "{\"bos_token_id\": 2, \"eos_token_id\": 2}");
    Layout layout = new Layout.PromptJsonl("p", "c");
    String line = "{\"p\": \"ca\", \"c\": \"bc\"}";
    Dataset data = read(layout, 16, line + "\n{\"c\": \"c\", \"p\": \"a\", \"x\": 1}", line);
    assertThat(data.train())
        .extracting(DatasetTest::tokens)
        .containsExactly(new int[] {2, 2, 3, 2, 2}, new int[] {2, 0, 2, 2});
    assertThat(data.train()).extracting(DatasetTest::prompt).containsExactly(2, 2);
  }

  @Test
  void modelWithoutBos_needsAPrompt() throws Exception {
    Layout layout = new Layout.PromptJsonl("p", "c");
    String sound = "{\"p\": \"a\", \"c\": \"c\"}";
    String empty = "{\"p\": \"\", \"c\": \"c\"}";
    model(LETTERS, "{\"bos_token_id\": null, \"eos_token_id\": 2}");
    assertRefused(
        layout,
        sound + "\n" + empty,
        sound,
        "line 2: needs a prompt: the model has no token to start with");
    model(LETTERS, "{\"bos_token_id\": 1, \"eos_token_id\": 2}");
    assertThat(prompt(read(layout, 16, empty, sound).train().getFirst())).isEqualTo(1);
    model(LETTERS, "{\"bos_token_id\": 1}");
    assertThatThrownBy(() -> read(layout, 16, sound, sound))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("config.json: invalid eos_token_id: ; must be a token");
  }

  @Test
  void completionsThatAreTooLongAreSkippedAndCounted() throws Exception {
    String lines = "name||inn\nname : Inn||inn\nname||an";
    Dataset data = read(new Layout.E2e(), 5, lines, lines);
    assertThat(data.train())
        .extracting(DatasetTest::tokens)
        .containsExactly(new int[] {7, 3, 6, 8, 8}, new int[] {7, 3, 6, 7, 8});
    assertThat(data.skipped()).isEqualTo(2);
    assertThatThrownBy(() -> read(new Layout.E2e(), 4, lines, lines))
        .isInstanceOf(IOException.class)
        .hasMessage(folder.resolve("train") + ": none of 3 examples has at most 4 tokens");
  }

  @Test
  void textsThatAreTooLongAreCutAndCounted() throws Exception {
    model(WORDS.formatted(TRUNCATION, AS_BERT), "{}");
    String lines = "label\ttext\nb\tan inn an\na\tan inn";
    Dataset data = read(new Layout.LabelledTsv("text", "label"), 4, lines, lines);
    assertThat(data.train())
        .extracting(DatasetTest::tokens)
        .containsExactly(new int[] {1, 7, 8, 2}, new int[] {1, 7, 8, 2});
    assertThat(data.cut()).isEqualTo(2);
  }

  @Test
  void classesAreSortedWhateverTheLayout() throws Exception {
    Dataset tsv =
        read(
            new Layout.LabelledTsv("sentence", "class"),
            16,
            "\uFEFFid\tclass\tsentence\n1\tz\tan\n2\ta\tinn\n3\tm\tan inn",
            "sentence\tclass\nan\tm");
    assertThat(tsv.classes()).containsExactly("a", "m", "z");
    assertThat(tsv.train()).extracting(DatasetTest::label).containsExactly(2, 0, 1);
    assertThat(tsv.validation()).extracting(DatasetTest::label).containsExactly(1);
    Dataset jsonl =
        read(
            new Layout.LabelledJsonl("t", "l"),
            16,
            "{\"t\": \"an\", \"l\": 7}\n{\"t\": \"inn\", \"l\": false}",
            "{\"t\": \"an\", \"l\": \"false\"}");
    assertThat(jsonl.classes()).containsExactly("7", "false");
    assertThat(jsonl.validation()).extracting(DatasetTest::label).containsExactly(1);
  }

  @Test
  void onlyTheFirstExamplesAreKeptButAllTheirClasses() throws Exception {
    write("train", "text\tlabel\nan\tb\ninn\ta\nan\tc");
    write("validation", "text\tlabel\nan\tb\ninn\ta");
    Dataset data =
        DatasetReader.read(
            new DataFiles(
                new Layout.LabelledTsv("text", "label"),
                folder.resolve("train"),
                folder.resolve("validation"),
                16,
                1,
                1),
            folder);
    assertThat(data.train()).extracting(DatasetTest::label).containsExactly(1);
    assertThat(data.validation()).hasSize(1);
    assertThat(data.classes()).containsExactly("a", "b", "c");
  }

  /** Reads 30 texts of three classes, and draws some of each. */
  private Dataset shots(int shots, long seed) throws Exception {
    StringBuilder lines = new StringBuilder("text\tlabel");
    for (int i = 0; i < 30; i++) {
      lines.append("\n").append("an ".repeat(1 + i)).append("\t").append("bca".charAt(i % 3));
    }
    write("train", lines.toString());
    write("validation", "text\tlabel\nan\tb");
    return DatasetReader.read(
        new DataFiles(
            new Layout.LabelledTsv("text", "label"),
            folder.resolve("train"),
            new DataFiles.Validation.File(folder.resolve("validation")),
            new DataFiles.Tokens(64, Bos.CONFIG),
            new DataFiles.Selection(Integer.MAX_VALUE, Integer.MAX_VALUE, shots, seed)),
        folder);
  }

  @Test
  void shotsAreDrawnOfEachClass_bySeed() throws Exception {
    List<Example> drawn = shots(4, 1).train();
    assertThat(drawn)
        .extracting(DatasetTest::label)
        .containsExactlyInAnyOrder(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2);
    assertThat(drawn)
        .extracting(example -> tokens(example).length)
        .as("in the file's order, each text once")
        .isSorted()
        .doesNotHaveDuplicates();
    assertThat(lengths(shots(4, 1))).isEqualTo(lengths(shots(4, 1)));
    assertThat(lengths(shots(4, 2))).isNotEqualTo(lengths(shots(4, 1)));
    assertThat(shots(10, 1).train()).hasSize(30);
    assertThatThrownBy(() -> shots(11, 1))
        .isInstanceOf(InvalidDataException.class)
        .hasMessage("class a has 10 training examples; must have at least 11 for data.shots");
  }

  private static List<Integer> lengths(Dataset data) {
    return data.train().stream().map(example -> tokens(example).length).toList();
  }

  private Dataset classes(String train, String validation, List<String> labels) throws Exception {
    write("train", "text\tlabel\n" + train);
    write("validation", "text\tlabel\n" + validation);
    return DatasetReader.read(files(new Layout.LabelledTsv("text", "label"), 16), folder, labels);
  }

  @Test
  void numbersAreClassesInTheirOrder() throws Exception {
    Dataset data = classes("an\t10\ninn\t2\nan\t-1", "an\t2", List.of());
    assertThat(data.classes()).containsExactly("-1", "2", "10");
    assertThat(data.train()).extracting(DatasetTest::label).containsExactly(2, 1, 0);
    assertThat(classes("an\t10\ninn\t2\nan\tx", "an\t2", List.of()).classes())
        .containsExactly("10", "2", "x");
  }

  @Test
  void namesThatWereGiven_haveTheirOrder() throws Exception {
    List<String> names = List.of("good", "bad", "mixed");
    Dataset named = classes("an\tbad\ninn\tgood", "an\tmixed", names);
    assertThat(named.classes()).isEqualTo(names);
    assertThat(named.train()).extracting(DatasetTest::label).containsExactly(1, 0);
    assertThat(named.validation()).extracting(DatasetTest::label).containsExactly(2);
    Dataset numbered = classes("an\t1\ninn\t0", "an\t2", names);
    assertThat(numbered.classes()).isEqualTo(names);
    assertThat(numbered.train()).extracting(DatasetTest::label).containsExactly(1, 0);
    assertThatThrownBy(() -> classes("an\t1\ninn\t3", "an\t2", names))
        .hasMessage(
            "%s: line 3: unknown class: \"3\"; must be one of data.labels, by its number from 0",
            folder.resolve("train"));
    assertThatThrownBy(() -> classes("an\tbad\ninn\tgood", "an\tugly", names))
        .hasMessage(
            "%s: line 2: unknown class: \"ugly\"; must be one of data.labels",
            folder.resolve("validation"));
  }

  @Test
  void damagedLinesAreNamed() {
    Layout e2e = new Layout.E2e();
    assertRefused(e2e, "a||b\nc|d", "a||b", "line 2: must be slots||sentence, neither empty");
    assertRefused(e2e, "a|| ", "a||b", "line 1: must be slots||sentence, neither empty");
    assertRefused(e2e, "\n \n", "a||b", "has no examples");
    Layout jsonl = new Layout.PromptJsonl("p", "c");
    String sound = "{\"p\": \"an\", \"c\": \"inn\"}";
    assertRefused(jsonl, "[1]", sound, "line 1: must be a JSON object");
    assertRefused(jsonl, "{\"p\": \"an\"}", sound, "line 1: field \"c\" is missing; must be text");
    assertRefused(
        jsonl, "{\"p\": 1, \"c\": \"a\"}", sound, "line 1: field \"p\" is NUMBER; must be text");
    assertThatThrownBy(() -> read(jsonl, 16, sound + "\n{\"p\": ", sound))
        .hasMessageStartingWith(folder.resolve("train") + ": line 2: invalid JSON: ");
    assertRefused(
        jsonl,
        "{\"p\": \"a\"",
        sound,
        "line 1: invalid JSON: Unexpected end-of-input: expected close marker for Object (column 10)");
    assertRefused(
        jsonl,
        sound + sound,
        sound,
        "line 1: invalid JSON: unexpected content after its end (column 24)");
    assertThatThrownBy(() -> read(jsonl, 16, "{\"p\": \"a\", \"p\": \"b\", \"c\": \"d\"}", sound))
        .hasMessageStartingWith(folder.resolve("train") + ": line 1: invalid JSON: ");
    Layout tsv = new Layout.LabelledTsv("text", "label");
    String table = "text\tlabel\nan\ta\ninn\tb";
    assertRefused(tsv, table + "\nan", table, "line 4: has 1 columns; must have 2 as line 1");
    assertRefused(tsv, table + "\nan\t ", table, "line 4: label is empty");
    assertRefused(tsv, table + "\n\tb", table, "line 4: text is empty");
    assertRefused(tsv, "text\tb\nan\ta", table, "line 1: has no column \"label\"; must name one");
    assertRefused(
        tsv,
        "text\tlabel\tlabel\nan\ta\ta",
        table,
        "line 1: has more than one column \"label\"; must name one");
    assertRefused(
        tsv,
        "text\tlabel\nan\ta",
        table,
        "all examples have class \"a\"; must have two or more classes");
    assertThatThrownBy(() -> read(tsv, 16, table, table + "\nan\tc"))
        .hasMessage(
            "%s: line 4: unknown class: \"c\"; must occur in %s"
                .formatted(folder.resolve("validation"), folder.resolve("train")));
  }

  @Test
  void invalidUtf8_isNamedWithItsLine() throws IOException {
    write("validation", "a||b");
    Files.write(folder.resolve("train"), "a||b\nc||é".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> DatasetReader.read(files(new Layout.E2e(), 16), folder))
        .hasMessage(folder.resolve("train") + ": line 2: not valid UTF-8");
  }

  @Test
  void textsThatExceedTheModel_areRefused() throws Exception {
    model(WORDS.formatted("null", "null"), "{\"eos_token_id\": 2, \"vocab_size\": 8}");
    assertRefused(
        new Layout.E2e(),
        "name||an\nname||inn",
        "name||an",
        "line 2: token 8; must be below 8, the vocab_size in config.json");
    model(WORDS.formatted("null", "null"), "{\"max_position_embeddings\": 15}");
    assertThatThrownBy(() -> read(new Layout.E2e(), 16, "a||b", "a||b"))
        .hasMessageContaining(
            "invalid data.maxTokens: 16; must be at most 15, by the max_position_embeddings of");
    model("{", "{}");
    assertThatThrownBy(() -> read(new Layout.E2e(), 16, "a||b", "a||b"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(folder.resolve("tokenizer.json") + ": invalid tokenizer: ");
    Files.delete(folder.resolve("tokenizer.json"));
    assertThatThrownBy(() -> read(new Layout.E2e(), 16, "a||b", "a||b"))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("tokenizer.json");
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
      gzip.write(bytes);
    }
    return compressed.toByteArray();
  }

  @Test
  void compressedFilesAreUncompressed() throws Exception {
    byte[] train = "name||inn\n".getBytes(StandardCharsets.UTF_8);
    Path compressed = folder.resolve("train.gz");
    Path validation = write("validation", "name||inn");
    DataFiles files = new DataFiles(new Layout.E2e(), compressed, validation, 16, 9, 9);
    Files.write(compressed, gzip(train));
    Dataset data = DatasetReader.read(files, folder);
    assertThat(tokens(data.train().getFirst())).isEqualTo(tokens(data.validation().getFirst()));
    assertThat(data.digests())
        .containsEntry("train", Sha256.hash(train))
        .containsEntry("validation", Sha256.hash(Files.readAllBytes(validation)))
        .hasSize(2);

    byte[] gzip = gzip(train);
    for (byte[] damaged : List.of(train, new byte[0], Arrays.copyOf(gzip, gzip.length - 9))) {
      Files.write(compressed, damaged);
      assertThatThrownBy(() -> DatasetReader.read(files, folder))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith(compressed + ": not a valid gzip file: ")
          .hasMessageNotContaining("null");
    }
  }

  @Test
  void interrupt_endsReading() throws IOException {
    write("train", "name||inn");
    write("validation", "name||inn");
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> DatasetReader.read(files(new Layout.E2e(), 16), folder))
        .isInstanceOf(InterruptedException.class);
    assertThat(Thread.interrupted()).isFalse();
  }

  private static byte[] idx(int[] sizes, int... elements) {
    ByteBuffer file = ByteBuffer.allocate(4 + 4 * sizes.length + elements.length);
    file.putInt(0x800 + sizes.length);
    for (int size : sizes) {
      file.putInt(size);
    }
    for (int element : elements) {
      file.put((byte) element);
    }
    return file.array();
  }

  private static final byte[] IMAGES = idx(new int[] {2, 1, 3}, 0, 51, 255, 1, 2, 3);
  private static final byte[] LABELS = idx(new int[] {2}, 2, 0);

  private Dataset images(byte[] train, byte[] trainLabels, byte[] validation, byte[] labels)
      throws IOException, InterruptedException {
    Files.write(folder.resolve("train"), train);
    Files.write(folder.resolve("validation"), validation);
    Files.write(folder.resolve("trainLabels"), trainLabels);
    Files.write(folder.resolve("labels"), labels);
    return idxData(null);
  }

  private Dataset idxData(@Nullable ImageSettings images) throws IOException, InterruptedException {
    return DatasetReader.read(
        files(new Layout.Idx(folder.resolve("trainLabels"), folder.resolve("labels"), images), 3),
        null);
  }

  private Raster picture(byte[] items) throws Exception {
    Files.write(folder.resolve("train"), items);
    Files.write(folder.resolve("validation"), items);
    Example example = idxData(ImageSettings.NONE).train().getFirst();
    return ((Example.Picture) example).source().decode();
  }

  @Test
  void imagesForAVisionModel_haveThreeChannels() throws Exception {
    Files.write(folder.resolve("trainLabels"), LABELS);
    Files.write(folder.resolve("labels"), LABELS);
    assertThat(picture(idx(new int[] {2, 1, 2}, 7, 8, 0, 0)))
        .usingRecursiveComparison()
        .isEqualTo(new Raster(new byte[] {7, 7, 7, 8, 8, 8}, 1, 2));
    assertThat(picture(idx(new int[] {2, 2, 1, 3}, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0)))
        .usingRecursiveComparison()
        .isEqualTo(new Raster(new byte[] {1, 2, 3, 4, 5, 6}, 2, 1));
    assertThatThrownBy(() -> picture(idx(new int[] {2, 1, 1, 2}, 1, 2, 3, 4)))
        .hasMessageEndingWith(
            "train: images have the dimensions [1, 1, 2]; must be height and width, or these and 3"
                + " channels");
    Files.write(folder.resolve("train"), idx(new int[] {2, 1, 2}, 1, 2, 3, 4));
    Files.write(folder.resolve("validation"), idx(new int[] {2, 2, 1}, 1, 2, 3, 4));
    assertThatThrownBy(() -> idxData(ImageSettings.NONE))
        .hasMessageEndingWith(
            "validation: images have the dimensions [2, 1]; must be [1, 2] as for training");
  }

  @Test
  void pixelsAreSharesOf255() throws Exception {
    Dataset data = images(IMAGES, LABELS, IMAGES, LABELS);
    assertThat(data.classes()).containsExactly("0", "1", "2");
    assertThat(data.train()).extracting(DatasetTest::label).containsExactly(2, 0);
    assertThat(((Example.Features) data.train().getFirst()).values()).containsExactly(0, 0.2f, 1);
    assertThat(data.digests())
        .containsEntry("trainLabels", Sha256.hash(LABELS))
        .containsOnlyKeys("train", "trainLabels", "validation", "validationLabels");
  }

  @Test
  void damagedImagesAreRefused() {
    record Case(
        byte[] train, byte[] trainLabels, byte[] validation, byte[] labels, String problem) {}
    for (Case damaged :
        List.of(
            new Case(LABELS, LABELS, IMAGES, LABELS, "train: begins with [0, 0, 8, 1]; must be"),
            new Case(IMAGES, IMAGES, IMAGES, LABELS, "trainLabels: begins with [0, 0, 8, 3]; must"),
            new Case(new byte[3], LABELS, IMAGES, LABELS, "train: begins with [0, 0, 0]; must be"),
            new Case(Arrays.copyOf(IMAGES, 9), LABELS, IMAGES, LABELS, "train: ends in its header"),
            new Case(
                Arrays.copyOf(IMAGES, IMAGES.length - 1),
                LABELS,
                IMAGES,
                LABELS,
                "train: ends in item 1; must have 2"),
            new Case(
                Arrays.copyOf(IMAGES, IMAGES.length + 1),
                LABELS,
                IMAGES,
                LABELS,
                "train: has content after its 2 items"),
            new Case(
                idx(new int[] {Integer.MAX_VALUE, 1, 1}),
                LABELS,
                IMAGES,
                LABELS,
                "train: ends in item 0; must have 2147483647"),
            new Case(
                idx(new int[] {1, 1 << 30, 1 << 30}),
                LABELS,
                IMAGES,
                LABELS,
                "train: declares 1 items; must be 1 or more, of 1 to 16777216 bytes"),
            new Case(
                idx(new int[] {-1, 1}), LABELS, IMAGES, LABELS, "train: declares -1 items; must"),
            new Case(
                IMAGES,
                idx(new int[] {1}, 2),
                IMAGES,
                LABELS,
                "trainLabels: has 1 labels; must be as many as images in "),
            new Case(
                IMAGES,
                LABELS,
                idx(new int[] {2, 1}, 1, 1),
                LABELS,
                "validation: images have 1 pixels; must be 3 as for training"),
            new Case(
                IMAGES,
                LABELS,
                IMAGES,
                idx(new int[] {2}, 0, 3),
                "labels: label 1 is 3; must be below 3, the number of classes"))) {
      assertThatThrownBy(
              () -> images(damaged.train, damaged.trainLabels, damaged.validation, damaged.labels))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith(folder + "/" + damaged.problem);
    }
  }
}
