package dev.nola.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** The commands of other modules, which the launcher ./nola starts. */
final class LauncherCommands {
  private LauncherCommands() {}

  /** Returns all of them, in the order of {@code --help}, with a line about each. */
  static Map<String, String> all() {
    Map<String, String> commands = new LinkedHashMap<>();
    commands.put(
        "demo",
        "Train, publish, verify, merge and export an adapter, with a registry and two workers.");
    commands.put("serve", "Run a registry: it catalogs, stores and verifies adapters.");
    commands.put("blobs", "Copy the blobs of a registry to a bucket.");
    commands.put("train", "Train an adapter as described by a job file.");
    commands.put("evaluate", "Measure an adapter on a file of examples.");
    commands.put("nearest", "Classify a job's validation examples by nearest neighbors.");
    commands.put("predict", "Predict the class of texts, or continue them.");
    commands.put("generate", "Continue a text by greedy decoding.");
    commands.put("choose", "Answer multiple-choice questions by log-likelihood.");
    commands.put("targets", "List the tensors of a base model that can be adapted.");
    commands.put(
        "rank-coverage", "Measure how much of the space of weight updates NOLA and PRANC cover.");
    commands.put(
        "worker", "Take jobs from a registry and run them; worker list shows all workers.");
    commands.put(
        "import-onnx",
        "Write the weights of a BERT encoder in an ONNX file as a Hugging Face folder.");
    commands.put(
        "import-wordnet", "Write WordNet's definitions of nouns and their kinds as TSV files.");
    commands.put("import-webnlg", "Write WebNLG's triples and texts as prompts and references.");
    commands.put("import-dart", "Write DART's triples and texts as prompts and references.");
    commands.put(
        "import-e2e", "Write the E2E challenge's slots and sentences as prompts and references.");
    return commands;
  }
}
