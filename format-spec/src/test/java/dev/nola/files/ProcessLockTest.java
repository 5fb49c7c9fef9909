package dev.nola.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessLockTest {
  @TempDir private Path folder = Path.of("");

  @Test
  void oneThreadHasItAtATime() throws Exception {
    AtomicInteger holders = new AtomicInteger();
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      for (int i = 0; i < 8; i++) {
        running.add(
            threads.submit(
                () -> {
                  for (int n = 0; n < 200; n++) {
                    try (ProcessLock _ = ProcessLock.acquire(folder.resolve("lock"))) {
                      assertThat(holders.incrementAndGet()).isEqualTo(1);
                      holders.decrementAndGet();
                    }
                  }
                  return null;
                }));
      }
      for (Future<?> each : running) {
        each.get();
      }
    }
  }

  @Test
  void takenLockIsNotWaitedForByWhoOnlyTries() throws Exception {
    Path file = folder.resolve("lock");
    try (ProcessLock _ = ProcessLock.acquire(file)) {
      assertThat(ProcessLock.tryAcquire(file)).isNull();
      assertThat(ProcessLock.tryAcquire(folder.resolve("a/../lock"))).isNull();
    }
    try (ProcessLock free = ProcessLock.tryAcquire(file)) {
      assertThat(free).isNotNull();
      assertThat(ProcessLock.tryAcquire(file)).isNull();
    }
  }

  @Test
  void waitCanBeInterruptedAndLeavesTheLockFree() throws Exception {
    Path file = folder.resolve("lock");
    AtomicReference<Throwable> ended = new AtomicReference<>();
    try (ProcessLock _ = ProcessLock.acquire(file)) {
      Thread waiter =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (ProcessLock got = ProcessLock.acquire(file)) {
                      ended.set(new AssertionError("got " + got));
                    } catch (Throwable t) {
                      ended.set(t);
                    }
                  });
      waiter.interrupt();
      waiter.join();
    }
    assertThat(ended.get()).isInstanceOf(InterruptedException.class);
    try (ProcessLock free = ProcessLock.tryAcquire(file)) {
      assertThat(free).isNotNull();
    }
  }
}
