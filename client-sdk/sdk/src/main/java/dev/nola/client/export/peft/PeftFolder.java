package dev.nola.client.export.peft;

import dev.nola.client.export.ExportFormat.Findings;
import dev.nola.client.export.ExportRefusedException;
import dev.nola.client.export.LoraExport;
import dev.nola.client.export.RoundingError;
import dev.nola.format.AdapterFile;
import dev.nola.format.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;

/**
 * The files that {@link LoraExport} writes without a base model, to be made when they are read.
 * Immutable.
 */
public final class PeftFolder {
  /** Name of the file with the settings. */
  public static final String CONFIG = AdapterConfig.FILE;

  /** Name of the file with the factors. */
  public static final String WEIGHTS = PeftFormat.WEIGHTS;

  /** Name of the model card. */
  public static final String CARD = ModelCard.FILE;

  private final PeftLayout layout;
  private final DType dtype;
  private final PeftWeights weights;

  private PeftFolder(PeftLayout layout, DType dtype) {
    this.layout = layout;
    this.dtype = dtype;
    this.weights = new PeftWeights(layout.plan(), layout.modules(), dtype);
  }

  /**
   * Decides names and sizes; reconstructs nothing.
   *
   * @param file the adapter
   * @param dtype the type of the factors
   * @return its folder
   * @throws ExportRefusedException if the adapter cannot be exported as a LoRA of PEFT
   */
  public static PeftFolder of(AdapterFile file, DType dtype) throws ExportRefusedException {
    try {
      LoraExport.Planned planned = LoraExport.of(file, PeftFormat.STANDARD).build().plan();
      Findings findings = new Findings(new ArrayList<>(), new ArrayList<>());
      PeftLayout layout = PeftFormat.STANDARD.layout(planned.source(), planned.plan(), findings);
      findings.requireNothingWrong(PeftFormat.STANDARD.title());
      return new PeftFolder(layout, dtype);
    } catch (IOException e) {
      throw new AssertionError("no base model is read", e);
    }
  }

  /**
   * Returns the settings.
   *
   * @return {@value AdapterConfig#FILE}
   */
  public byte[] config() {
    return new AdapterConfig(layout.source(), layout.plan(), layout.modules()).toJson();
  }

  /**
   * Returns the factors and the modules that are stored whole.
   *
   * @return the parts of {@value PeftFormat#WEIGHTS}
   */
  public PeftWeights weights() {
    return weights;
  }

  /**
   * Returns the model card.
   *
   * @param error of the rounding, which is known when all factors were made
   * @return {@value ModelCard#FILE}
   */
  public byte[] card(RoundingError error) {
    return new ModelCard(layout.source(), dtype, layout.plan(), error)
        .text()
        .getBytes(StandardCharsets.UTF_8);
  }
}
