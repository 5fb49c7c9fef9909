package dev.nola.trainer.worker;

import dev.nola.client.jobs.WorkerClient;
import dev.nola.threads.Uninterruptibles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;

/**
 * Sends the latest checkpoint of a training, one at a time; of those written meanwhile the last.
 */
final class CheckpointUpload implements AutoCloseable {
  private final WorkerClient client;
  private final HeldLease held;
  private final Path file;
  private final Semaphore written = new Semaphore(0);
  private final Thread thread;

  /**
   * Starts the thread that sends.
   *
   * @param file checkpoint file, which is replaced as a whole
   */
  CheckpointUpload(WorkerClient client, HeldLease held, Path file) {
    this.client = client;
    this.held = held;
    this.file = file;
    this.thread = Thread.ofVirtual().name("checkpoints").start(this::run);
  }

  /** Has the file sent, which was replaced. */
  void next() {
    written.release();
  }

  private void run() {
    try {
      while (true) {
        written.acquire();
        written.drainPermits();
        try {
          client.putCheckpoint(held.job(), held.fence(), file);
        } catch (IOException e) {
          if (WorkerClient.isLeaseLost(e)) {
            held.lost();
            return;
          }
          held.log("checkpoint not saved: " + e.getMessage());
        }
      }
    } catch (InterruptedException _) {
      // The training is over.
    }
  }

  /** Stops sending, and waits until nothing is being sent. */
  @Override
  public void close() {
    thread.interrupt();
    Uninterruptibles.await(thread::join);
  }
}
