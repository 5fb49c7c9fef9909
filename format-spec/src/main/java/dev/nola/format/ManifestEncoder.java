package dev.nola.format;

import com.google.flatbuffers.FlatBufferBuilder;
import dev.nola.digest.Sha256;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.flatbuffers.DenseTensor;
import dev.nola.format.flatbuffers.LayerGroup;
import dev.nola.format.flatbuffers.Manifest;
import dev.nola.format.flatbuffers.Metric;
import dev.nola.format.flatbuffers.Property;
import dev.nola.format.flatbuffers.Tag;
import java.util.List;
import java.util.Map;

/**
 * Writes the one canonical manifest of an adapter (SPEC.md section 4.4). The order of the calls
 * below is part of the format: FlatBuffers are built back to front, so what is created first ends
 * up last.
 */
final class ManifestEncoder {
  private static final int INITIAL_BYTES = 1024;

  private final FlatBufferBuilder out = new FlatBufferBuilder(INITIAL_BYTES);

  private ManifestEncoder() {}

  /** Returns the manifest's bytes, not yet checked against {@link Limits#MANIFEST_BYTES}. */
  static byte[] encode(Adapter adapter, Sha256 reconstructionDigest) {
    return new ManifestEncoder().write(adapter, reconstructionDigest);
  }

  private byte[] write(Adapter adapter, Sha256 reconstructionDigest) {
    int[] groups = LayerRun.of(adapter.layers()).stream().mapToInt(this::group).toArray();
    int layers = offsets(groups);
    int dense = offsets(adapter.dense().stream().mapToInt(this::dense).toArray());
    int baseName = text(adapter.base().name());
    int baseRevision = text(adapter.base().revision());
    int metadata = metadata(adapter.metadata());

    Manifest.startManifest(out);
    if (adapter.base().identity() != null) {
      Manifest.addBaseIdentity(out, digest(adapter.base().identity()));
    }
    Manifest.addDigest(out, digest(reconstructionDigest));
    Manifest.addGenerator(out, adapter.generator().id());
    Manifest.addMetadata(out, metadata);
    Manifest.addBaseRevision(out, baseRevision);
    Manifest.addBaseName(out, baseName);
    Manifest.addDense(out, dense);
    Manifest.addLayers(out, layers);
    Manifest.addSeed(out, adapter.seed());
    out.finish(Manifest.endManifest(out));
    return out.sizedByteArray();
  }

  private int group(LayerRun run) {
    Layer layer = run.first();
    Codes alpha = layer.coefficients().alpha();
    int tensor = text(layer.tensor());
    boolean shapeIsView = layer.shape().equals(List.of(layer.rows(), layer.cols()));
    int shape = shapeIsView ? 0 : numbers(layer.shape());

    LayerGroup.startLayerGroup(out);
    switch (layer.coefficients()) {
      case Direct _ -> LayerGroup.addABits(out, alpha.bits());
      case LowRank(int _, Codes _, Codes beta) -> {
        if (beta.bits() != alpha.bits()) {
          LayerGroup.addBBits(out, beta.bits());
        }
        LayerGroup.addABits(out, alpha.bits());
      }
    }
    if (layer.slice() != null) {
      Slice slice = layer.slice();
      LayerGroup.addSlice(
          out,
          dev.nola.format.flatbuffers.Slice.createSlice(
              out, slice.dim(), slice.start(), slice.length()));
    }
    LayerGroup.addShape(out, shape);
    LayerGroup.addStreamStep(out, Integer.toUnsignedLong(run.streamStep()));
    if (layer.stream() != run.position()) {
      // A stream of 0 has a meaning here, while the builder would leave it out as the default.
      out.forceDefaults(true);
      LayerGroup.addStream(out, Integer.toUnsignedLong(layer.stream()));
      out.forceDefaults(false);
    }
    if (layer.coefficients() instanceof LowRank(int _, Codes _, Codes beta)
        && beta.count() != alpha.count()) {
      LayerGroup.addL(out, beta.count());
    }
    if (layer.cols() != layer.rows()) {
      LayerGroup.addCols(out, layer.cols());
    }
    LayerGroup.addCount(out, run.count());
    LayerGroup.addK(out, alpha.count());
    if (layer.coefficients() instanceof LowRank(int rank, Codes _, Codes _)) {
      LayerGroup.addRank(out, rank);
    }
    LayerGroup.addRows(out, layer.rows());
    LayerGroup.addTensor(out, tensor);
    return LayerGroup.endLayerGroup(out);
  }

  private int dense(dev.nola.format.DenseTensor tensor) {
    int name = text(tensor.name());
    int shape = tensor.shape().isEmpty() ? 0 : numbers(tensor.shape());
    DenseTensor.startDenseTensor(out);
    DenseTensor.addDtype(out, tensor.dtype().code());
    DenseTensor.addShape(out, shape);
    DenseTensor.addName(out, name);
    return DenseTensor.endDenseTensor(out);
  }

  private int metadata(Metadata metadata) {
    if (metadata.equals(Metadata.NONE)) {
      return 0;
    }
    int description = text(metadata.description());
    int task = text(metadata.task());
    int license = text(metadata.license());
    int tags = offsets(metadata.tags().stream().mapToInt(this::tag).toArray());
    int metrics = offsets(metadata.metrics().entrySet().stream().mapToInt(this::metric).toArray());
    int provenance =
        offsets(metadata.provenance().entrySet().stream().mapToInt(this::property).toArray());
    dev.nola.format.flatbuffers.Metadata.startMetadata(out);
    dev.nola.format.flatbuffers.Metadata.addProvenance(out, provenance);
    dev.nola.format.flatbuffers.Metadata.addMetrics(out, metrics);
    dev.nola.format.flatbuffers.Metadata.addTags(out, tags);
    dev.nola.format.flatbuffers.Metadata.addLicense(out, license);
    dev.nola.format.flatbuffers.Metadata.addTask(out, task);
    dev.nola.format.flatbuffers.Metadata.addDescription(out, description);
    return dev.nola.format.flatbuffers.Metadata.endMetadata(out);
  }

  private int tag(String tag) {
    int name = text(tag);
    Tag.startTag(out);
    Tag.addName(out, name);
    return Tag.endTag(out);
  }

  private int metric(Map.Entry<String, Double> metric) {
    int name = text(metric.getKey());
    Metric.startMetric(out);
    Metric.addName(out, name);
    Metric.addValue(out, metric.getValue());
    return Metric.endMetric(out);
  }

  private int property(Map.Entry<String, String> property) {
    int key = text(property.getKey());
    int value = text(property.getValue());
    Property.startProperty(out);
    Property.addValue(out, value);
    Property.addKey(out, key);
    return Property.endProperty(out);
  }

  /** Writes a string; returns 0, which leaves the field out, if it is empty. */
  private int text(String text) {
    return text.isEmpty() ? 0 : out.createString(text);
  }

  private int numbers(List<Integer> numbers) {
    out.startVector(Integer.BYTES, numbers.size(), Integer.BYTES);
    numbers.reversed().forEach(out::addInt);
    return out.endVector();
  }

  /** Writes a vector of offsets; returns 0, which leaves the field out, if it is empty. */
  private int offsets(int[] offsets) {
    return offsets.length == 0 ? 0 : out.createVectorOfTables(offsets);
  }

  private int digest(Sha256 digest) {
    out.prep(1, Sha256.BYTES);
    byte[] bytes = digest.toBytes();
    for (int i = bytes.length - 1; i >= 0; i--) {
      out.putByte(bytes[i]);
    }
    return out.offset();
  }
}
