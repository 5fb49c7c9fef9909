package dev.nola.registry.jobs;

import dev.nola.api.job.JobType;
import dev.nola.api.job.Lease;
import dev.nola.api.job.ObjectDetails;
import dev.nola.registry.blobs.BlobReader;
import dev.nola.registry.objects.ObjectRepository;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.stereotype.Component;

/** Describes leased jobs with all that their worker needs to run them. */
@Component
class LeaseDescriber {
  private final ObjectRepository objects;
  private final BlobReader blobs;
  private final JobSettings settings;

  LeaseDescriber(ObjectRepository objects, BlobReader blobs, JobSettings settings) {
    this.objects = objects;
    this.blobs = blobs;
    this.settings = settings;
  }

  /**
   * Describes leases.
   *
   * @param leased jobs that run
   * @return the leases in the same order
   */
  List<Lease> describe(List<Job> leased) {
    Map<Long, ObjectDetails> inputs =
        objects.byId(
            leased.stream()
                .flatMap(job -> Stream.of(job.modelId(), job.datasetId()))
                .filter(Objects::nonNull)
                .collect(Collectors.toSet()));
    SmallFiles files = new SmallFiles(blobs);
    return leased.stream().map(job -> describe(job, inputs, files)).toList();
  }

  private Lease describe(Job job, Map<Long, ObjectDetails> inputs, SmallFiles files) {
    return new Lease(
        job.details(),
        Objects.requireNonNull(job.fence()),
        Objects.requireNonNull(job.expiresAt()),
        settings.heartbeatSeconds(job.type()),
        job.digest(),
        job.nonce(),
        job.type() == JobType.VERIFY ? files.once(job.digest()) : null,
        job.modelId() == null ? null : inputs.get(job.modelId()),
        job.datasetId() == null ? null : inputs.get(job.datasetId()),
        job.checkpoint() != null,
        job.memoryBytes(),
        job.timeoutSeconds());
  }
}
