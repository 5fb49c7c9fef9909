package dev.nola.trainer.onnx;

/**
 * A BERT encoder's sizes. It has eight components because JSON has them side by side.
 *
 * @param vocabulary rows of the word embedding
 * @param hidden length of a hidden state
 * @param layers number of blocks
 * @param heads number of attention heads
 * @param intermediate width of the feed-forward parts
 * @param positions maximum number of tokens of a text
 * @param tokenTypes rows of the segment embedding
 * @param epsilon ε of the norms
 */
public record EncoderConfig(
    int vocabulary,
    int hidden,
    int layers,
    int heads,
    int intermediate,
    int positions,
    int tokenTypes,
    double epsilon) {
  EncoderConfig with(int heads, double epsilon) {
    return new EncoderConfig(
        vocabulary, hidden, layers, heads, intermediate, positions, tokenTypes, epsilon);
  }
}
