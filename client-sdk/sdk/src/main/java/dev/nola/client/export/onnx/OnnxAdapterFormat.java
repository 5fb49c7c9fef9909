package dev.nola.client.export.onnx;

import dev.nola.client.export.ExportFormat;
import dev.nola.client.export.ExportLayout;
import dev.nola.client.export.ExportPlan;
import dev.nola.client.export.ExportSource;
import java.util.List;

/**
 * A LoRA for models of ONNX Runtime whose adapters are inputs, such as those that Olive makes: one
 * file.
 *
 * <p>All modules have one rank, smaller ones padded with zeros, because Olive's models have one
 * dimension of this size for all. Refused are dense tensors and embeddings.
 */
public final class OnnxAdapterFormat implements ExportFormat {
  @Override
  public String title() {
    return "LoRA for ONNX Runtime";
  }

  @Override
  public void check(ExportSource source, List<String> wrong) {
    source.requireLinearModules(title(), wrong);
  }

  @Override
  public ExportLayout layout(ExportSource source, ExportPlan plan, Findings findings) {
    return new OnnxAdapterLayout(plan.uniform());
  }
}
