package dev.nola.client.merge;

import dev.nola.gpu.CudaException;
import dev.nola.threads.Uninterruptibles;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** Threads that work off tasks in the order given, and stop at the first that fails. */
final class Workers implements AutoCloseable {
  private final ExecutorService threads;

  Workers(int count) {
    threads =
        Executors.newFixedThreadPool(
            count, Thread.ofPlatform().daemon().name("nola-merge-", 0).factory());
  }

  /** The results of all tasks, in any order. */
  <T> List<T> all(List<? extends Callable<T>> tasks)
      throws IOException, MergeRefusedException, InterruptedException {
    ExecutorCompletionService<T> completions = new ExecutorCompletionService<>(threads);
    tasks.forEach(completions::submit);
    List<T> results = new ArrayList<>(tasks.size());
    for (int i = 0; i < tasks.size(); i++) {
      try {
        results.add(completions.take().get());
      } catch (ExecutionException e) {
        switch (e.getCause()) {
          case IOException io -> throw io;
          case MergeRefusedException refused -> throw refused;
          case CudaException gpu -> throw gpu;
          case Error error -> throw error;
          case null, default -> throw new IllegalStateException("merging failed", e);
        }
      }
    }
    return results;
  }

  /** Drops tasks not begun, interrupts those that are, and waits until none reads or writes. */
  @Override
  public void close() {
    threads.shutdownNow();
    // The memory that they write to is freed next.
    Uninterruptibles.await(() -> threads.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS));
  }
}
