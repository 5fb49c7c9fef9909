package dev.nola.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Events of jobs, and the heartbeats that report them. */
class JobEventsTest extends JobTest {
  @Test
  void eventsAreReplayedFollowedAndResumedUntilTheEnd() throws Exception {
    String id = submit("1.0.0");
    long fence = takeAs("w").at("/fence").asLong();
    report(id, fence, List.of("begun\nwith two lines"), List.of(), Map.of("done", 1, "total", 4));
    try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
      CountDownLatch begun = new CountDownLatch(1);
      Future<List<Event>> following =
          executor.submit(() -> follow(id, null, _ -> begun.countDown()));
      assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
      report(
          id,
          fence,
          List.of(),
          List.of(Map.of("name", "loss", "step", 2, "value", 0.5)),
          Map.of("done", 2, "total", 4, "loss", 0.5));
      put(id, "result", fence, Samples.file(1));

      List<Event> events = following.get();

      assertThat(events)
          .extracting(Event::kind)
          .containsExactly("state", "state", "log", "progress", "metric", "progress", "state");
      assertThat(events).extracting(Event::id).isSorted().doesNotHaveDuplicates();
      assertThat(events.get(1).data().at("/state").asString()).isEqualTo("running");
      assertThat(events.get(2).data().at("/message").asString()).isEqualTo("begun\nwith two lines");
      assertThat(events.get(4).data().at("/value").asDouble()).isEqualTo(0.5);
      assertThat(events.get(5).data().at("/progress/done").asInt()).isEqualTo(2);
      assertThat(events.getLast().data().at("/state").asString()).isEqualTo("succeeded");
      assertThat(follow(id, events.get(3).id())).isEqualTo(events.subList(4, 7));
      assertThat(follow(id, events.getLast().id())).isEmpty();
    }
    assertThat(ann.get(JOBS + "/" + id).json().at("/progress/loss").asDouble()).isEqualTo(0.5);
    assertThat(admin.account("bob", "publish").get(JOBS + "/" + id + "/events").refusal())
        .isEqualTo("404 not-found");
  }

  @Test
  void heartbeatIsLimited() throws Exception {
    String id = submit("1.0.0");
    long fence = takeAs("w").at("/fence").asLong();

    assertThat(
            worker
                .post(
                    JOBS + "/" + id + "/heartbeat",
                    Map.of("fence", fence, "log", List.of("x".repeat(2001)), "metrics", List.of()))
                .refusal())
        .isEqualTo("422 invalid");
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 201; i++) {
      lines.add("line");
    }
    assertThat(
            worker
                .post(
                    JOBS + "/" + id + "/heartbeat",
                    Map.of("fence", fence, "log", lines, "metrics", List.of()))
                .refusal())
        .isEqualTo("422 invalid");
  }
}
