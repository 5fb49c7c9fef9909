package dev.nola.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.LimitExceededException;
import dev.nola.format.LimitExceededException.Limit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class FailuresTest {
  @Test
  void heapOfTheRemedy_sufficesWithEveryCollector() {
    long required = 1_129_595_424;

    String message =
        Failures.refused(new LimitExceededException(Limit.MEMORY, required, "x"), "x").reason();

    Matcher heap = Pattern.compile("NOLA_JAVA_OPTS=-Xmx(\\d+)m$").matcher(message);
    assertThat(heap.find()).isTrue();
    // ParallelGC states 8/9 of the heap; the budget is 3/4 of what Java states.
    long budget = (Long.parseLong(heap.group(1)) << 20) / 9 * 8 / 4 * 3;
    assertThat(budget).isBetween(required, required + required / 8);
  }
}
