package dev.nola.registry.jobs;

import dev.nola.api.job.JobEvent;
import dev.nola.api.job.JobState;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

/** Sends the events of a job as server-sent events until the job has ended. */
@Component
class JobEventStream {
  private static final Logger LOG = LoggerFactory.getLogger(JobEventStream.class);
  private static final int EVENTS_AT_ONCE = 500;

  /** Between two queries for new events. */
  private static final Duration POLL_INTERVAL = Duration.ofMillis(300);

  /** Interval of comments in an idle stream, so that no proxy closes it. */
  private static final Duration KEEP_ALIVE = Duration.ofSeconds(10);

  /** Interval at which the rights of the client are checked again. */
  private static final Duration RIGHTS_CHECK = Duration.ofSeconds(1);

  private final Access access;
  private final JobRepository jobs;
  private final JobEvents events;
  private final QueueSignal signal;

  JobEventStream(Access access, JobRepository jobs, JobEvents events, QueueSignal signal) {
    this.access = access;
    this.jobs = jobs;
    this.events = events;
    this.signal = signal;
  }

  /**
   * Starts to send events.
   *
   * @param caller of the request, who may see the job
   * @param job id of the job
   * @param lastEventId id of the last event that the client has; 0 for none
   * @return the response, which ends after the job's end, when the client disconnects, when its
   *     token is revoked or expires, when it may no longer see the job, or when the server stops
   */
  SseEmitter follow(Caller caller, UUID job, long lastEventId) {
    SseEmitter emitter = new SseEmitter(0L);
    AtomicBoolean closed = new AtomicBoolean();
    emitter.onCompletion(() -> closed.set(true));
    emitter.onError(_ -> closed.set(true));
    Thread.ofVirtual()
        .name("job-events-" + job)
        .start(() -> run(emitter, caller, job, lastEventId, closed));
    return emitter;
  }

  private void run(
      SseEmitter emitter, Caller caller, UUID job, long lastEventId, AtomicBoolean closed) {
    try {
      send(emitter, caller, job, lastEventId, closed);
      emitter.complete();
    } catch (IOException e) {
      LOG.debug("client disconnected from the events of job {}", job, e);
    } catch (RuntimeException e) {
      if (!closed.get()) {
        // The client reconnects with the id of its last event.
        LOG.error("events of job {} cannot be sent", job, e);
        emitter.complete();
      }
    }
  }

  private boolean maySee(Caller caller, Job job) {
    return access.isStillValid(caller) && access.seesPrivate(caller, job.details().namespace());
  }

  private void send(
      SseEmitter emitter, Caller caller, UUID job, long lastEventId, AtomicBoolean closed)
      throws IOException {
    emitter.send(SseEmitter.event().comment("")); // sends the headers, before any event
    long sentId = lastEventId;
    long written = System.nanoTime();
    long checked = written;
    while (!signal.isEnding() && !closed.get()) {
      // In this order: the event of an end that is seen here is among those that are read next.
      Optional<Job> found = jobs.find(job);
      boolean ended = found.map(Job::state).filter(JobState::isEnd).isPresent();
      if (System.nanoTime() - checked > RIGHTS_CHECK.toNanos()) {
        if (found.isEmpty() || !maySee(caller, found.get())) {
          return;
        }
        checked = System.nanoTime();
      }
      List<JobEvent> fresh = events.after(job, sentId, EVENTS_AT_ONCE);
      for (JobEvent event : fresh) {
        emitter.send(
            SseEmitter.event()
                .id(Long.toString(event.id()))
                .name(event.event().name().toLowerCase(Locale.ROOT))
                .data(event, MediaType.APPLICATION_JSON));
        sentId = event.id();
      }
      if (fresh.isEmpty() && ended) {
        return;
      }
      if (fresh.isEmpty() && System.nanoTime() - written <= KEEP_ALIVE.toNanos()) {
        signal.pause(POLL_INTERVAL);
        continue;
      }
      if (fresh.isEmpty()) {
        emitter.send(SseEmitter.event().comment(""));
      }
      written = System.nanoTime();
    }
  }
}
