package dev.nola.trainer.data;

import dev.nola.client.JsonProblem;
import dev.nola.trainer.data.DataFiles.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Writes chats as a model expects them: in the format whose marker its tokenizer knows. */
enum ChatFormat {
  /** SmolLM, Qwen and many others. */
  CHATML("as ChatML", "<|im_start|>", "", "<|im_start|>%s\n", "<|im_end|>", "\n"),
  /** Llama 3. */
  LLAMA3(
      "as Llama 3's",
      "<|start_header_id|>",
      "<|begin_of_text|>",
      "<|start_header_id|>%s<|end_header_id|>\n\n",
      "<|eot_id|>",
      ""),
  /** Models that were trained on no chats; their text starts and ends as any other. */
  PLAIN("as lines ROLE: CONTENT", "", "", "%s:", "", "\n");

  private static final String ASSISTANT = "assistant";

  private final String form;
  private final String marker;
  private final String begin;
  private final String role;
  private final String end;
  private final String separator;

  /**
   * Creates a format.
   *
   * @param form how chats are written, for messages
   * @param marker text that begins a message; empty for none
   * @param begin text that begins a chat
   * @param role pattern of the role that begins a message
   * @param end text that ends a message
   * @param separator text between messages
   */
  ChatFormat(String form, String marker, String begin, String role, String end, String separator) {
    this.form = form;
    this.marker = marker;
    this.begin = begin;
    this.role = role;
    this.end = end;
    this.separator = separator;
  }

  /** Returns the format of a model. */
  static ChatFormat of(TextTokenizer tokenizer) {
    for (ChatFormat format : List.of(CHATML, LLAMA3)) {
      if (tokenizer.isToken(format.marker)) {
        return format;
      }
    }
    return PLAIN;
  }

  /** Returns the format of a text to be continued: the model's, if the text is a chat in it. */
  static ChatFormat ofPrompt(TextTokenizer tokenizer, String text) {
    ChatFormat format = of(tokenizer);
    return text.startsWith(format.marker) ? format : PLAIN;
  }

  /**
   * Says that chats are not written by the chat template of a model.
   *
   * @param model folder of the model
   * @return a sentence for the user; empty without a template or with one of this format
   */
  Optional<String> unusedTemplate(Path model) throws IOException {
    String template = template(model);
    return template.isEmpty() || this != PLAIN && template.contains(marker)
        ? Optional.empty()
        : Optional.of(
            "chat template of %s not used: chats are written %s, as trainer-worker/README.md says"
                .formatted(model, form));
  }

  private static String template(Path model) throws IOException {
    Path file = model.resolve("chat_template.jinja");
    if (Files.exists(file)) {
      return Files.readString(file);
    }
    Path config = model.resolve("tokenizer_config.json");
    if (!Files.exists(config)) {
      return "";
    }
    try {
      JsonNode template =
          JsonMapper.shared().readTree(Files.readAllBytes(config)).path("chat_template");
      return template.isMissingNode() || template.isNull() ? "" : template.toString();
    } catch (JacksonException e) {
      throw new InvalidDataException(config + ": invalid JSON: " + JsonProblem.of(e), e);
    }
  }

  /** Returns the tokens that a chat begins with. */
  int[] begin(TextTokenizer tokenizer) {
    return this == PLAIN ? tokenizer.textStart() : tokenizer.tokens(begin);
  }

  /** Returns the tokens that an answer ends with. */
  int[] end(TextTokenizer tokenizer) throws IOException {
    return this == PLAIN ? tokenizer.textEnd() : tokenizer.tokens(end);
  }

  /** Returns each answer of the assistant, with all messages before it as its prompt. */
  List<Row> rows(Lines file, Layout.Chat layout) throws IOException {
    List<Row> rows = new ArrayList<>();
    for (Lines.Line line : file.lines()) {
      JsonNode messages = Row.object(file.path(), line).path(layout.messages());
      StringBuilder chat = new StringBuilder();
      int answers = 0;
      for (JsonNode message : messages) {
        String speaker = text(file.path(), line, message, "role");
        String content = text(file.path(), line, message, "content");
        chat.append(role.formatted(speaker));
        String space = this == PLAIN ? " " : "";
        if (speaker.equals(ASSISTANT)) {
          rows.add(new Row(line.number(), chat.toString(), space + content));
          answers++;
        }
        chat.append(space).append(content).append(end).append(separator);
      }
      if (answers == 0) {
        throw Lines.invalid(
            file.path(),
            line.number(),
            "field \"%s\" has no message of the role assistant; must be a list of messages with role and content"
                .formatted(layout.messages()));
      }
    }
    return rows;
  }

  private static String text(Path path, Lines.Line line, JsonNode message, String name)
      throws IOException {
    JsonNode value = message.path(name);
    if (!value.isString()) {
      throw Lines.invalid(
          path,
          line.number(),
          "%s of a message is %s; must be text"
              .formatted(name, value.isMissingNode() ? "missing" : value.getNodeType()));
    }
    return value.asString();
  }
}
