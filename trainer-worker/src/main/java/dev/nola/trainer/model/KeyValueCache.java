package dev.nola.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * The keys and values of the tokens before, of texts of equal length: with them, a step of a
 * generation computes the next token alone.
 */
public final class KeyValueCache implements AutoCloseable {
  private final NDManager manager = Tensors.newManager();
  private final List<Entry> blocks = new ArrayList<>();
  private int length;

  /**
   * Keys and values of a block.
   *
   * @param keys B×G×T×D
   * @param values B×G×T×D
   */
  record Entry(NDArray keys, NDArray values) {}

  /** Creates a cache of texts without tokens. */
  public KeyValueCache() {}

  /**
   * Returns the number of tokens of a text.
   *
   * @return 0 at first
   */
  public int length() {
    return length;
  }

  /**
   * Adds those of new tokens to a block's, and returns all; the manager of the new ones owns them
   * until they are kept, so that the block's other arrays are its own, too.
   */
  Entry append(int block, NDArray keys, NDArray values) {
    NDManager owner = keys.getManager();
    if (block == blocks.size()) {
      blocks.add(new Entry(keys, values));
    } else {
      Entry before = blocks.get(block);
      before.keys.attach(owner);
      before.values.attach(owner);
      blocks.set(block, new Entry(before.keys.concat(keys, 2), before.values.concat(values, 2)));
    }
    return blocks.get(block);
  }

  /** Keeps what a block has added, before its arrays are closed. */
  void keep(int block) {
    Entry entry = blocks.get(block);
    entry.keys.attach(manager);
    entry.values.attach(manager);
  }

  /**
   * Counts the tokens that a forward pass has added.
   *
   * @param tokens number of new tokens of a text
   */
  public void advance(int tokens) {
    length += tokens;
  }

  /**
   * Keeps some of the texts.
   *
   * @param rows their numbers, in the order that they have from now on; a text may be repeated
   */
  public void select(long[] rows) {
    try (NDManager step = Tensors.newManager()) {
      NDArray ids = Tensors.create(step, rows, rows.length);
      for (int i = 0; i < blocks.size(); i++) {
        Entry before = blocks.get(i);
        blocks.set(i, new Entry(select(step, ids, before.keys), select(step, ids, before.values)));
      }
      for (Entry block : blocks) {
        block.keys.attach(manager);
        block.values.attach(manager);
      }
    }
  }

  private static NDArray select(NDManager step, NDArray ids, NDArray all) {
    all.attach(step);
    Shape shape = all.getShape();
    long[] lengths = shape.getShape().clone();
    NDArray rows = all.reshape(lengths[0], shape.size() / lengths[0]);
    lengths[0] = ids.size();
    return Tensors.embedding(ids, rows).reshape(new Shape(lengths));
  }

  @Override
  public void close() {
    manager.close();
  }
}
