package dev.nola.registry.jobs;

import dev.nola.api.job.JobDetails;
import dev.nola.registry.access.Access;
import dev.nola.registry.access.Caller;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/** Finds the trainings that made versions, and the losses that they reported. */
@Component
public class Trainings {
  private final JdbcClient database;
  private final Access access;
  private final JsonMapper json;

  Trainings(JdbcClient database, Access access, JsonMapper json) {
    this.database = database;
    this.access = access;
    this.json = json;
  }

  /**
   * Finds the training that made a version.
   *
   * @param caller of the request
   * @param namespace of the adapter
   * @param adapter its name within the namespace
   * @param version number of the version
   * @return the job; empty if none made it or the caller may not see it
   */
  public Optional<JobDetails> find(
      Caller caller, String namespace, String adapter, String version) {
    if (!access.seesPrivate(caller, namespace)) {
      return Optional.empty();
    }
    return database
        .sql(
            """
            select * from job where namespace = ? and adapter = ? and version = ?
              and type = 'TRAIN' and state = 'SUCCEEDED' order by position desc limit 1""")
        .params(namespace, adapter, version)
        .query((row, _) -> Job.read(row, json))
        .optional()
        .map(Job::details);
  }

  /**
   * Lists the losses that a training reported, thinned out evenly if there are many.
   *
   * @param job id of the job
   * @param most about how many points to keep of each metric
   * @return points of all metrics whose name ends in {@code loss}, by name and in their order
   */
  public List<Loss> losses(UUID job, int most) {
    return database
        .sql(
            """
            select name, step, value from (
              select name, step, value, row_number() over one as number,
                count(*) over (partition by name) as total
              from job_event
              where job_id = ? and event = 'METRIC' and name like '%loss'
              window one as (partition by name order by id)) as point
            where number % greatest(total / ?, 1) = 0 or number in (1, total)
            order by name, number""")
        .params(job, most)
        .query(
            (row, _) ->
                new Loss(row.getString("name"), row.getLong("step"), row.getDouble("value")))
        .list();
  }

  /**
   * A loss that a training reported.
   *
   * @param metric name of the loss, such as {@code validation loss}
   * @param step of the training
   * @param value the loss; may be infinite or not a number
   */
  public record Loss(String metric, long step, double value) {}
}
