package dev.nola.trainer;

import dev.nola.command.Output;
import dev.nola.trainer.data.TextTokenizer;
import java.io.PrintWriter;
import java.util.Arrays;

/** Prints the text of tokens as they come; nothing with {@code --json}. */
final class StreamedText {
  /** What a tokenizer makes of bytes that are not a whole character yet. */
  private static final char INCOMPLETE = '\uFFFD';

  private final TextTokenizer tokenizer;
  private final PrintWriter out;
  private final boolean isSilent;
  private int[] tokens = {};
  private String printed = "";

  StreamedText(TextTokenizer tokenizer, Output output) {
    this.tokenizer = tokenizer;
    this.out = output.console().printableOut();
    this.isSilent = output.isJson();
  }

  /** Prints what a token adds, once it is a whole character. */
  void add(int token) {
    tokens = Arrays.copyOf(tokens, tokens.length + 1);
    tokens[tokens.length - 1] = token;
    String text = tokenizer.text(tokens);
    if (text.indexOf(INCOMPLETE) < 0) {
      print(text);
    }
  }

  private void print(String text) {
    if (!isSilent && text.startsWith(printed)) {
      out.print(text.substring(printed.length()));
      out.flush();
      printed = text;
    }
  }

  /** Prints what is left, and ends the line. */
  void finish() {
    String text = tokenizer.text(tokens);
    if (!text.startsWith(printed)) { // later tokens have changed the text of earlier ones
      out.println();
      printed = "";
    }
    print(text);
    out.println();
  }
}
