package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * Residual networks (He et al., 2016) of blocks of two convolutions, trained from scratch, with
 * torchvision's names: {@code conv1}, {@code bn1}, {@code layer1.0.conv1}, {@code fc} …
 */
public final class ResNet implements Network {
  /** Key in the provenance of adapters of the network that they are. */
  public static final String KEY = "network";

  private static final int KERNEL = 3;

  /** Networks, by what comes before the blocks and how many of them there are. */
  public enum Kind {
    /** For images of 224×224, as torchvision's; shortcuts between widths are convolutions. */
    RESNET18(List.of(64, 128, 256, 512), 2, 7),
    /**
     * For images of 32×32 (appendix A.2 of the paper); shortcuts between widths leave out every
     * second pixel and add channels of zeros.
     */
    RESNET20(List.of(16, 32, 64), 3, 3);

    private final List<Integer> widths;
    private final int blocks;
    private final int stem;

    Kind(List<Integer> widths, int blocks, int stem) {
      this.widths = widths;
      this.blocks = blocks;
      this.stem = stem;
    }

    /** Returns whether the first convolution halves the image, and a maximum does again. */
    private boolean shrinksFirst() {
      return stem > KERNEL;
    }

    private boolean projects() {
      return this == RESNET18;
    }
  }

  private final Kind kind;

  /**
   * Creates a network.
   *
   * @param kind which one
   */
  public ResNet(Kind kind) {
    this.kind = kind;
  }

  /**
   * A block of two convolutions.
   *
   * @param module such as {@code layer1.0}
   * @param inputs number of channels before it
   * @param outputs number of channels after it
   */
  private record Block(String module, int inputs, int outputs) {
    /** Blocks that double the channels halve the image, except for the first ones. */
    int stride() {
      return inputs == outputs ? 1 : 2;
    }
  }

  private List<Block> blocks() {
    List<Block> blocks = new ArrayList<>();
    int channels = kind.widths.getFirst();
    for (int layer = 0; layer < kind.widths.size(); layer++) {
      for (int i = 0; i < kind.blocks; i++) {
        int width = kind.widths.get(layer);
        blocks.add(new Block("layer%d.%d".formatted(layer + 1, i), channels, width));
        channels = width;
      }
    }
    return blocks;
  }

  @Override
  public Input.Kind reads() {
    return Input.Kind.IMAGES;
  }

  @Override
  public NDArray logits(Input input, Weights weights) {
    return weights.linear(features(input, weights), "fc");
  }

  @Override
  public NDArray features(Input input, Weights weights) {
    int stride = kind.shrinksFirst() ? 2 : 1;
    NDArray x =
        Tensors.convolution(input.numbers(), weights.tensor("conv1.weight"), stride, kind.stem / 2);
    x = Tensors.relu(weights.batchNorm(x, "bn1"));
    if (kind.shrinksFirst()) {
      x = Tensors.maxPool(x, KERNEL, 2, 1);
    }
    for (Block block : blocks()) {
      x = block(block, x, weights);
    }
    Shape shape = x.getShape();
    return x.reshape(shape.get(0), shape.get(1), shape.get(2) * shape.get(3)).mean(new int[] {2});
  }

  private NDArray block(Block block, NDArray x, Weights weights) {
    String module = block.module;
    NDArray first = convolution(x, module + ".conv1", block.stride(), weights);
    NDArray inner = Tensors.relu(weights.batchNorm(first, module + ".bn1"));
    NDArray second =
        weights.batchNorm(convolution(inner, module + ".conv2", 1, weights), module + ".bn2");
    return Tensors.relu(second.add(shortcut(block, x, weights)));
  }

  private static NDArray convolution(NDArray x, String module, int stride, Weights weights) {
    return Tensors.convolution(x, weights.tensor(module + ".weight"), stride, 1);
  }

  private NDArray shortcut(Block block, NDArray x, Weights weights) {
    if (block.stride() == 1) {
      return x;
    }
    if (kind.projects()) {
      String module = block.module + ".downsample.";
      NDArray projected = Tensors.convolution(x, weights.tensor(module + "0.weight"), 2, 0);
      return weights.batchNorm(projected, module + "1");
    }
    NDArray pixels = x.get(new NDIndex(":, :, ::2, ::2"));
    Shape shape = pixels.getShape();
    int added = (block.outputs - block.inputs) / 2;
    NDArray zeros =
        x.getManager().zeros(new Shape(shape.get(0), added, shape.get(2), shape.get(3)));
    return zeros.concat(pixels, 1).concat(zeros, 1);
  }

  @Override
  public List<Adaptable> adaptable() {
    return fresh(1).stream()
        .filter(tensor -> tensor.role() == FreshTensor.Role.WEIGHT)
        .map(tensor -> Adaptable.whole(tensor.name()))
        .toList();
  }

  @Override
  public List<FreshTensor> fresh(int classes) {
    List<FreshTensor> all = new ArrayList<>();
    int width = kind.widths.getFirst();
    filter(all, "conv1", List.of(width, 3, kind.stem, kind.stem));
    batchNorm(all, "bn1", width);
    for (Block block : blocks()) {
      int outputs = block.outputs;
      filter(all, block.module + ".conv1", List.of(outputs, block.inputs, KERNEL, KERNEL));
      batchNorm(all, block.module + ".bn1", outputs);
      filter(all, block.module + ".conv2", List.of(outputs, outputs, KERNEL, KERNEL));
      batchNorm(all, block.module + ".bn2", outputs);
      if (block.stride() > 1 && kind.projects()) {
        filter(all, block.module + ".downsample.0", List.of(outputs, block.inputs, 1, 1));
        batchNorm(all, block.module + ".downsample.1", outputs);
      }
    }
    filter(all, "fc", List.of(classes, kind.widths.getLast()));
    all.add(new FreshTensor("fc.bias", List.of(classes), FreshTensor.Role.BIAS));
    return all;
  }

  private static void filter(List<FreshTensor> all, String module, List<Integer> shape) {
    all.add(new FreshTensor(module + ".weight", shape, FreshTensor.Role.WEIGHT));
  }

  private static void batchNorm(List<FreshTensor> all, String module, int channels) {
    List<Integer> shape = List.of(channels);
    all.add(new FreshTensor(module + ".weight", shape, FreshTensor.Role.GAIN));
    all.add(new FreshTensor(module + ".bias", shape, FreshTensor.Role.BIAS));
    all.add(new FreshTensor(module + ".running_mean", shape, FreshTensor.Role.RUNNING_MEAN));
    all.add(new FreshTensor(module + ".running_var", shape, FreshTensor.Role.RUNNING_VARIANCE));
  }
}
