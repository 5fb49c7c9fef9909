package dev.nola.demo;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How much is done.
 *
 * @param steps of each training, of batches of 32
 * @param validation glosses that a training is measured on
 * @param test glosses that the merged model is measured on
 */
record Plan(int steps, int validation, int test) {
  /** Minutes: long enough that the methods differ. */
  static final Plan FULL = new Plan(120, 300, 1_000);

  /** Seconds: enough to see that all works. */
  static final Plan QUICK = new Plan(12, 64, 200);

  static final int MAX_TOKENS = 48;
  static final int RANK = 4;
  private static final int COEFFICIENTS = 128;
  private static final int BITS = 4;

  /** What is compared, each at the best of the learning rates that RESULTS.md has tried. */
  enum Contender {
    HEAD("linear head", "-head", 0.04),
    LORA("LoRA, r = " + RANK, "-lora", 0.008),
    NOLA("NOLA, r = " + RANK + ", k = l = " + COEFFICIENTS + ", " + BITS + " bits", "", 0.04);

    /** What people call it. */
    final String label;

    /** Of the adapter's name. */
    final String suffix;

    private final double learningRate;

    Contender(String label, String suffix, double learningRate) {
      this.label = label;
      this.suffix = suffix;
      this.learningRate = learningRate;
    }

    private Map<String, Object> method() {
      return switch (this) {
        case HEAD -> Map.of("name", "head");
        case LORA -> Map.of("name", "lora", "targets", "qv", "rank", RANK);
        case NOLA ->
            Map.of(
                "name",
                "nola",
                "targets",
                "qv",
                "rank",
                RANK,
                "k",
                COEFFICIENTS,
                "l",
                COEFFICIENTS,
                "bits",
                BITS);
      };
    }
  }

  /** The training, as a job file has it. */
  Map<String, Object> job(Contender contender) {
    Map<String, Object> job = new LinkedHashMap<>();
    job.put("model", Map.of("baseName", "sentence-transformers/all-MiniLM-L6-v2"));
    job.put("task", "classification");
    job.put("seed", 1);
    job.put(
        "data",
        Map.of(
            "format", "tsv",
            "train", "train.tsv",
            "validation", "validation.tsv",
            "maxTokens", MAX_TOKENS,
            "validationExamples", validation));
    job.put("method", contender.method());
    job.put(
        "optimizer",
        Map.of(
            "learningRate",
            contender.learningRate,
            "schedule",
            "linear",
            "warmup",
            Math.min(10, steps / 4)));
    job.put("run", Map.of("batch", 32, "threads", 1, "steps", steps));
    job.put(
        "metadata",
        Map.of(
            "description",
            "Which of WordNet's 26 kinds of noun a gloss defines: " + contender.label,
            "license",
            "Apache-2.0",
            "tags",
            java.util.List.of("wordnet", "demo")));
    return job;
  }
}
