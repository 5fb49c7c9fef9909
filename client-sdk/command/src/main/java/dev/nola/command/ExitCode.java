package dev.nola.command;

import java.util.LinkedHashMap;
import java.util.Map;

/** The exit codes of all commands. */
public final class ExitCode {
  /** The command did what it was asked to. */
  public static final int OK = 0;

  /** An adapter, a model or other data is refused, or bits differ. */
  public static final int REFUSED = 1;

  /** The command line or a job file is wrong. */
  public static final int USAGE = 2;

  /** A file cannot be read or written, or a GPU cannot be used. */
  public static final int UNREADABLE = 3;

  /** The registry refused the request or is unreachable. */
  public static final int REGISTRY = 4;

  /** No job came while a worker waited for one. */
  public static final int NO_JOB = 5;

  /** A defect of nola. */
  public static final int INTERNAL = 70;

  /** Ended by Ctrl-C, as shells report it. */
  public static final int INTERRUPTED = 130;

  /** Ended because nobody reads stdout any more, as shells report SIGPIPE. */
  public static final int CLOSED_PIPE = 141;

  // 143, 128 and the number of SIGTERM, is the JVM's.

  private ExitCode() {}

  /**
   * Describes all codes for {@code --help}.
   *
   * @return code to description, in ascending order
   */
  static Map<String, String> descriptions() {
    Map<String, String> codes = new LinkedHashMap<>();
    codes.put("0", "success");
    codes.put(
        "1",
        "an adapter, a model, a lock file or other data was refused: it is damaged, not supported"
            + " by this version, not matching, not attested as required, or its bits differ; also:"
            + " diff found a difference, verify --lock disproved something, the job of worker"
            + " --once failed, or serve cannot start");
    codes.put("2", "the command line or the job file is wrong");
    codes.put("3", "a file cannot be read or written, or a GPU cannot be used");
    codes.put("4", "the registry refused the request or is unreachable");
    codes.put("5", "worker --once: no job came in time");
    codes.put("70", "internal error; please report it");
    codes.put("130", "interrupted by Ctrl-C");
    codes.put("141", "the reader of stdout closed it, as head does");
    codes.put("143", "ended by SIGTERM");
    return codes;
  }
}
