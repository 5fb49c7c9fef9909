package dev.nola.cli;

import dev.nola.generator.Generator;
import java.util.Arrays;
import java.util.Iterator;

/** Lists the names of all generators, for completion. */
final class GeneratorNames implements Iterable<String> {
  @Override
  public Iterator<String> iterator() {
    return Arrays.stream(Generator.values()).map(Generator::label).iterator();
  }
}
