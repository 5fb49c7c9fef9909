package dev.nola.trainer.image;

/** The size that images are brought to. */
public sealed interface Size {
  /** Returns the size of an image of another one, as height and width. */
  Exact of(int height, int width);

  /**
   * The length of the shorter side; the ratio of the sides is kept, and the longer one rounded
   * down.
   *
   * @param side its length, in pixels
   */
  record Shorter(int side) implements Size {
    @Override
    public Exact of(int height, int width) {
      return height < width
          ? new Exact(side, (int) ((long) side * width / height))
          : new Exact((int) ((long) side * height / width), side);
    }
  }

  /**
   * Both sides.
   *
   * @param height number of rows
   * @param width number of columns
   */
  record Exact(int height, int width) implements Size {
    @Override
    public Exact of(int otherHeight, int otherWidth) {
      return this;
    }
  }
}
