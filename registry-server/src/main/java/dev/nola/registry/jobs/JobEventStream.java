package dev.nola.registry.jobs;

import dev.nola.api.job.JobEvent;
import dev.nola.api.job.JobState;
import dev.nola.api.job.WaitingReason;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import dev.nola.text.Label;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Component;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

/** Sends the events of a job as server-sent events until the job has ended. */
@Component
public class JobEventStream {
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
  private final WaitingReasons waiting;
  private final QueueSignal signal;
  private final Clock clock;

  JobEventStream(
      Access access,
      JobRepository jobs,
      JobEvents events,
      WaitingReasons waiting,
      QueueSignal signal,
      Clock clock) {
    this.access = access;
    this.jobs = jobs;
    this.events = events;
    this.waiting = waiting;
    this.signal = signal;
    this.clock = clock;
  }

  /**
   * Starts to send events.
   *
   * @param caller of the request, who may see the job
   * @param job id of the job
   * @param lastEventId id of the last event that the client has; null for none
   * @param follow whether to wait for events that have not happened yet
   * @return the response, which ends after the job's end, when the client disconnects, when its
   *     token is revoked or expires, when it may no longer see the job, or when the server stops
   */
  public ResponseEntity<SseEmitter> open(
      Caller caller, UUID job, @Nullable Long lastEventId, boolean follow) {
    SseEmitter emitter = new SseEmitter(0L);
    AtomicBoolean closed = new AtomicBoolean();
    Stream stream = new Stream(caller, job, lastEventId == null ? 0 : lastEventId, follow);
    emitter.onCompletion(() -> closed.set(true));
    emitter.onError(_ -> closed.set(true));
    Thread.ofVirtual().name("job-events-" + job).start(() -> run(emitter, stream, closed));
    return ResponseEntity.ok()
        .contentType(MediaType.TEXT_EVENT_STREAM)
        .header(HttpHeaders.CACHE_CONTROL, "no-store")
        .header("X-Accel-Buffering", "no") // nginx would hold events back
        .body(emitter);
  }

  /**
   * A request for events.
   *
   * @param caller of the request
   * @param job id of the job
   * @param lastEventId id of the last event that the client has; 0 for none
   * @param follow whether to wait for events that have not happened yet
   */
  private record Stream(Caller caller, UUID job, long lastEventId, boolean follow) {}

  private void run(SseEmitter emitter, Stream stream, AtomicBoolean closed) {
    UUID job = stream.job();
    try {
      send(emitter, stream, closed);
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

  private void send(SseEmitter emitter, Stream stream, AtomicBoolean closed) throws IOException {
    UUID job = stream.job();
    emitter.send(SseEmitter.event().comment("")); // sends the headers, before any event
    long sentId = stream.lastEventId();
    long written = System.nanoTime();
    long checked = written;
    List<WaitingReason> sentReasons = List.of();
    while (!signal.isEnding() && !closed.get()) {
      // In this order: the event of an end that is seen here is among those that are read next.
      Optional<Job> found = jobs.find(job);
      boolean ended = found.map(Job::state).filter(JobState::isEnd).isPresent();
      if (System.nanoTime() - checked > RIGHTS_CHECK.toNanos()) {
        if (found.isEmpty() || !maySee(stream.caller(), found.get())) {
          return;
        }
        checked = System.nanoTime();
        List<WaitingReason> reasons = reasons(found.get());
        if (!reasons.isEmpty() && !reasons.equals(sentReasons)) {
          send(emitter, waitingEvent(sentId, reasons));
          written = System.nanoTime();
        }
        sentReasons = reasons;
      }
      List<JobEvent> fresh = events.after(job, sentId, EVENTS_AT_ONCE);
      for (JobEvent event : fresh) {
        send(emitter, event);
        sentId = event.id();
      }
      if (fresh.isEmpty() && (ended || !stream.follow())) {
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

  private static void send(SseEmitter emitter, JobEvent event) throws IOException {
    emitter.send(
        SseEmitter.event()
            .id(Long.toString(event.id()))
            .name(Label.of(event.event()))
            .data(event, MediaType.APPLICATION_JSON));
  }

  private List<WaitingReason> reasons(Job job) {
    List<WaitingReason> reasons = waiting.explain(job).details().waiting();
    return reasons == null ? List.of() : reasons;
  }

  private JobEvent waitingEvent(long lastId, List<WaitingReason> reasons) {
    String message = reasons.stream().map(WaitingReason::message).collect(Collectors.joining("; "));
    return new JobEvent(
        lastId,
        JobEvent.Kind.WAITING,
        clock.instant(),
        null,
        message,
        null,
        null,
        null,
        null,
        reasons);
  }
}
