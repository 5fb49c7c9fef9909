package dev.nola.registry.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class FairTurnsTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private final FairTurns turns = new FairTurns(1);
  private final List<String> order = Collections.synchronizedList(new ArrayList<>());
  private final List<Thread> threads = new ArrayList<>();

  private void queue(String account, String work) throws InterruptedException {
    Thread thread =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    if (turns.acquire(account, LONG)) {
                      order.add(work);
                      turns.release();
                    }
                  } catch (InterruptedException _) {
                    order.add(work + " interrupted");
                  }
                });
    threads.add(thread);
    while (thread.getState() != Thread.State.TIMED_WAITING) {
      Thread.sleep(1);
    }
  }

  private void join() throws InterruptedException {
    for (Thread thread : threads) {
      thread.join();
    }
  }

  @Test
  void accountsTakeTurns_howeverMuchWorkOneHas() throws Exception {
    assertThat(turns.acquire("ann", LONG)).isTrue();
    for (int i = 1; i <= 4; i++) {
      queue("ann", "ann " + i);
    }
    queue("bob", "bob 1");
    queue("eve", "eve 1");
    queue("bob", "bob 2");

    turns.release();

    join();
    assertThat(order)
        .containsExactly("ann 1", "bob 1", "eve 1", "ann 2", "bob 2", "ann 3", "ann 4");
    assertThat(turns.acquire("ann", Duration.ZERO)).isTrue();
  }

  @Test
  void waiterThatGivesUpOrIsInterrupted_takesNoTurn() throws Exception {
    assertThat(turns.acquire("ann", LONG)).isTrue();
    queue("ann", "ann 1");
    queue("ann", "ann 2");
    assertThat(turns.acquire("bob", Duration.ofMillis(10))).isFalse();
    threads.getFirst().interrupt();
    threads.getFirst().join();

    turns.release();

    join();
    assertThat(order).containsExactly("ann 1 interrupted", "ann 2");
    assertThat(turns.acquire("bob", Duration.ZERO)).isTrue();
    assertThat(turns.acquire("ann", Duration.ZERO)).isFalse();
  }
}
