package dev.nola.trainer.worker;

import java.util.concurrent.atomic.LongAdder;

/** Counts what comes of jobs; all slots of a worker share one. */
final class JobTally {
  private final LongAdder done = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder returned = new LongAdder();

  void addResults(long count, boolean accepted) {
    (accepted ? done : failed).add(count);
  }

  void addFailure(boolean isReturned) {
    (isReturned ? returned : failed).increment();
  }

  JobCounts counts() {
    return new JobCounts(done.sum(), failed.sum(), returned.sum());
  }
}
