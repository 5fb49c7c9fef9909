package dev.nola.command;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;

/** The standard streams of the process. */
final class StandardStreams {
  /** The launcher sets this to the file descriptor that it moved stderr to. */
  private static final String MOVED_STDERR = "nola.stderr";

  private static final int STDERR = 2;

  private StandardStreams() {}

  /**
   * Puts stderr back if the launcher moved it, to filter what the JVM prints while it starts. If
   * the system refuses that, messages pass through the launcher's filter.
   */
  static void restoreStderr() {
    Integer moved = Integer.getInteger(MOVED_STDERR);
    if (moved != null) {
      Linker.nativeLinker()
          .defaultLookup()
          .find("dup2")
          .ifPresent(dup2 -> duplicate(dup2, moved, STDERR));
    }
  }

  /** Makes a file descriptor another name of an open file. */
  @SuppressWarnings("restricted") // dup2 has no effect on Java's memory
  private static void duplicate(MemorySegment dup2, int open, int name) {
    MethodHandle function =
        Linker.nativeLinker()
            .downcallHandle(
                dup2,
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    try {
      function.invoke(open, name);
    } catch (Throwable e) {
      throw new AssertionError(e); // a function of C throws nothing
    }
  }

  /**
   * Returns a writer to stdout.
   *
   * @return the writer, which writes UTF-8
   */
  static Stdout stdout() {
    return new Stdout(new StdoutBytes());
  }

  /** Prints to stdout and knows whether anybody still reads it. */
  static final class Stdout extends PrintWriter {
    private final StdoutBytes bytes;

    private Stdout(StdoutBytes bytes) {
      super(bytes, true, StandardCharsets.UTF_8);
      this.bytes = bytes;
    }

    /**
     * Returns whether stdout is a pipe that its reader has closed, as {@code head} does.
     *
     * @return whether a write failed for this reason
     */
    boolean isClosedByReader() {
      return bytes.isClosedByReader;
    }
  }

  private static final class StdoutBytes extends OutputStream {
    private final FileOutputStream file = new FileOutputStream(FileDescriptor.out);
    private volatile boolean isClosedByReader;

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        file.write(bytes, offset, length);
      } catch (IOException e) {
        isClosedByReader = String.valueOf(e.getMessage()).contains("Broken pipe");
        throw e;
      }
    }
  }
}
