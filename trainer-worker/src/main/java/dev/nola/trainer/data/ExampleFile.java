package dev.nola.trainer.data;

import java.util.List;

/**
 * The examples of one file.
 *
 * @param examples the examples, at least one
 * @param skipped number of examples that were too long
 */
public record ExampleFile(List<Example> examples, int skipped) {}
