package dev.nola.trainer.training;

import dev.nola.client.peft.StatedHead;
import dev.nola.format.Metadata;
import dev.nola.text.Label;
import dev.nola.trainer.data.Bos;
import dev.nola.trainer.data.Dataset;
import dev.nola.trainer.data.Example;
import dev.nola.trainer.image.ImageTransform;
import dev.nola.trainer.job.TrainingJob;
import dev.nola.trainer.model.BaseModel;
import dev.nola.trainer.model.BaseType;
import dev.nola.trainer.model.Head;
import dev.nola.trainer.model.ResNet;
import dev.nola.trainer.model.Tensors;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** The metadata of an adapter that a run makes. */
final class RunMetadata {
  private RunMetadata() {}

  /** Returns the metrics of the evaluation of a file. */
  static Map<String, Double> metrics(TrainingJob job, Evaluation evaluation) {
    Map<String, Double> metrics = new LinkedHashMap<>();
    metrics.put("validation loss", evaluation.loss());
    switch (job.objective().task()) {
      case CAUSAL_LM -> metrics.put("validation perplexity", evaluation.perplexity());
      case CLASSIFICATION -> metrics.put("validation accuracy", evaluation.accuracy());
    }
    return metrics;
  }

  /**
   * Says what the adapter was made from, and what it needs to be loaded; without clock, host or
   * path, for equal bytes.
   *
   * @throws IllegalArgumentException if the names of the classes are longer than the format allows
   */
  static Metadata of(TrainingJob job, BaseModel base, Dataset data, RunIdentity identity) {
    Map<String, String> provenance = new TreeMap<>();
    if (!data.classes().isEmpty()) {
      Head head = base.network().head();
      provenance.putAll(
          StatedHead.provenance(
              head == null ? null : head.headClass(),
              head == null ? null : head.pooling(),
              data.classes()));
    }
    if (job.objective().task() == TrainingJob.Task.CAUSAL_LM) {
      provenance.put(Bos.KEY, Label.of(job.data().tokens().bos()));
    }
    if (data.train().getFirst() instanceof Example.Picture picture) {
      provenance.put(ImageTransform.KEY, picture.transform().toJson());
    }
    if (job.model() instanceof TrainingJob.Source.PreTrained model
        && model.type() != BaseType.F32) {
      provenance.put(BaseType.KEY, Label.of(model.type()));
    }
    if (job.model() instanceof TrainingJob.Source.Residual network) {
      provenance.put(ResNet.KEY, Label.of(network.kind()));
    }
    provenance.put("job", job.digest().toString());
    data.digests().forEach((file, digest) -> provenance.put("data " + file, digest.toString()));
    if (!identity.extended().isEmpty()) {
      provenance.put("extended", "from " + identity.extended());
    }
    provenance.put("trainer", Tensors.version());
    provenance.put("device", Tensors.deviceName());
    return job.metadata().withProvenance(provenance);
  }
}
