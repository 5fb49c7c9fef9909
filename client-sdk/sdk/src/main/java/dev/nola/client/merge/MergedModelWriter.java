package dev.nola.client.merge;

import dev.nola.client.Progress;
import dev.nola.client.safetensors.Model;
import dev.nola.client.safetensors.SafetensorsFile;
import dev.nola.client.safetensors.SafetensorsWriter;
import dev.nola.client.safetensors.Tensor;
import dev.nola.digest.Sha256;
import dev.nola.format.DenseTensor;
import dev.nola.kernel.Kernels;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a merged model piece by piece: a piece of the base is read, merged in place and written.
 * Nothing else of the base is held in memory; of the adapters, the factors of the tensors that are
 * being merged.
 */
final class MergedModelWriter {
  /** Changes nothing. */
  private static final Piecewise.Change NONE = (element, piece) -> {};

  /** Bytes that one task merges or copies: several pieces, so that a large tensor is shared. */
  private static final long TASK = 64L << 20;

  private final Model base;
  private final Plan plan;
  private final Summands summands;
  private final int threads;
  private final Progress progress;
  private final boolean hashes;
  private final Map<String, Sha256> contents = new ConcurrentHashMap<>();
  private final long total;

  /** Whether a task has begun to merge. */
  private final AtomicBoolean begun = new AtomicBoolean();

  /**
   * Holds all but the first task that merges until that one has merged a piece. Vector code is many
   * times slower until it is compiled: if all threads went through that, they would only keep the
   * compiler from the processors.
   */
  private final CountDownLatch compiled = new CountDownLatch(1);

  private long done;

  /**
   * Prepares to write.
   *
   * @param hashes whether to hash the base's tensors that adapters are added to, while they are
   *     read
   */
  MergedModelWriter(
      Model base, Plan plan, Summands summands, int threads, Progress progress, boolean hashes) {
    this.base = base;
    this.plan = plan;
    this.summands = summands;
    this.threads = threads;
    this.progress = progress;
    this.hashes = hashes;
    this.total =
        plan.files().values().stream()
            .flatMap(List::stream)
            .mapToLong(part -> part.slot().bytes())
            .sum();
  }

  /**
   * Writes all of it.
   *
   * @param path of the file or folder to create
   * @return if it hashes, the digests of the content of the base's tensors that adapters are added
   *     to, by their names in the base
   */
  Map<String, Sha256> write(Path path, List<String> sideFiles)
      throws IOException, MergeRefusedException, InterruptedException {
    if (base.isFolder()) {
      Files.createDirectory(path);
      writeWeights(path);
      writeIndex(path);
      copySideFiles(path, sideFiles);
    } else {
      writeWeights(path);
    }
    return Map.copyOf(contents);
  }

  private void writeWeights(Path partial)
      throws IOException, MergeRefusedException, InterruptedException {
    List<SafetensorsWriter> writers = new ArrayList<>();
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(threads)) {
      BlockingQueue<MemorySegment> buffers = new ArrayBlockingQueue<>(threads);
      for (int i = 0; i < threads; i++) {
        buffers.add(arena.allocate(Piecewise.BYTES));
      }
      List<Callable<Void>> tasks = new ArrayList<>();
      for (Map.Entry<SafetensorsFile, List<Plan.Part>> file : plan.files().entrySet()) {
        Path path = base.isFolder() ? partial.resolve(file.getKey().path().getFileName()) : partial;
        SafetensorsWriter writer =
            SafetensorsWriter.create(
                path,
                file.getValue().stream().map(Plan.Part::slot).toList(),
                file.getKey().metadata());
        writers.add(writer);
        file.getValue().forEach(part -> tasks.addAll(tasks(part, writer, buffers)));
      }
      workers.all(tasks);
    } finally {
      closeAll(writers);
    }
  }

  private static void closeAll(List<SafetensorsWriter> writers) throws IOException {
    IOException failure = null;
    for (SafetensorsWriter writer : writers) {
      try {
        writer.close();
      } catch (IOException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  private List<Callable<Void>> tasks(
      Plan.Part part, SafetensorsWriter writer, BlockingQueue<MemorySegment> buffers) {
    String name = part.slot().name();
    long bytes = sourceBytes(part);
    GpuMerge gpu = summands.gpu();
    if (gpu != null && part instanceof Plan.Part.Merged merged) {
      return List.of(() -> mergeOnGpu(gpu, merged, writer, buffers));
    }
    // A digest takes the bytes in their order, one by one.
    long size = hashes && part instanceof Plan.Part.Merged ? Math.max(bytes, TASK) : TASK;
    SharedMerge merge =
        part instanceof Plan.Part.Merged merged
            ? new SharedMerge(merged, Math.ceilDiv(bytes, size))
            : null;
    List<Callable<Void>> tasks = new ArrayList<>();
    for (long begin = 0; begin < bytes; begin += size) {
      long start = begin;
      long limit = Math.min(bytes, begin + size);
      tasks.add(
          () -> {
            Piecewise pieces =
                new Piecewise(name, start, limit, elementBytes(part), part.conversion(), writer);
            switch (part) {
              case Plan.Part.Copied(_, Tensor tensor, _) ->
                  pieces.run(
                      (offset, piece) -> base.read(tensor.name(), offset, piece), NONE, buffers);
              case Plan.Part.Dense(_, DenseTensor tensor, _) ->
                  pieces.run(
                      (offset, piece) ->
                          piece.copyFrom(tensor.data().asSlice(offset, piece.byteSize())),
                      NONE,
                      buffers);
              case Plan.Part.Merged merged ->
                  merge(merged, Objects.requireNonNull(merge), pieces, buffers);
            }
            advance((limit - start) * part.slot().bytes() / Math.max(1, bytes));
            return null;
          });
    }
    return tasks;
  }

  /** Merges a tensor on the GPU, or here if the GPU cannot hold it. */
  private @Nullable Void mergeOnGpu(
      GpuMerge gpu,
      Plan.Part.Merged part,
      SafetensorsWriter writer,
      BlockingQueue<MemorySegment> buffers)
      throws IOException, MergeRefusedException, InterruptedException {
    long bytes = sourceBytes(part);
    Piecewise pieces =
        new Piecewise(part.name(), 0, bytes, elementBytes(part), part.conversion(), writer);
    Optional<GpuMerge.Whole> room = gpu.begin(part);
    if (room.isPresent()) {
      try (GpuMerge.Whole whole = room.get()) {
        Original original = new Original(part.tensor());
        pieces.run(original, whole, buffers);
        original.finish();
      }
    } else {
      merge(part, new SharedMerge(part, 1), pieces, buffers);
    }
    advance(part.slot().bytes());
    return null;
  }

  /** Bytes of a tensor before it is converted. */
  private static long sourceBytes(Plan.Part part) {
    return switch (part) {
      case Plan.Part.Copied copied -> copied.tensor().data().byteSize();
      case Plan.Part.Dense dense -> dense.tensor().data().byteSize();
      case Plan.Part.Merged merged -> merged.tensor().data().byteSize();
    };
  }

  /** Bytes of an element before it is converted; 1 if elements are only copied. */
  private static int elementBytes(Plan.Part part) {
    FloatConversion conversion = part.conversion();
    return conversion != null
        ? conversion.sourceBytes()
        : part instanceof Plan.Part.Merged merged ? merged.dtype().bytes() : 1;
  }

  /** A tensor that is read in order, and hashed on the way if the base is to be compared. */
  private final class Original implements Piecewise.Source {
    private final Tensor tensor;
    private final @Nullable MessageDigest content = hashes ? Sha256.newMessageDigest() : null;

    Original(Tensor tensor) {
      this.tensor = tensor;
    }

    @Override
    public void read(long offset, MemorySegment piece) throws IOException {
      base.read(tensor.name(), offset, piece);
      if (content != null) {
        content.update(piece.asByteBuffer());
      }
    }

    void finish() {
      if (content != null) {
        contents.put(tensor.name(), Sha256.finish(content));
      }
    }
  }

  private void merge(
      Plan.Part.Merged part,
      SharedMerge shared,
      Piecewise pieces,
      BlockingQueue<MemorySegment> buffers)
      throws IOException, MergeRefusedException, InterruptedException {
    TensorMerge merge = shared.begin();
    try {
      if (begun.getAndSet(true)) {
        compiled.await();
      }
      Original original = new Original(part.tensor());
      pieces.run(
          original,
          (element, piece) -> {
            merge.merge(element, piece);
            compiled.countDown();
          },
          buffers);
      original.finish();
    } finally {
      compiled.countDown();
      shared.end();
    }
  }

  private synchronized void advance(long bytes) {
    done += bytes;
    progress.at(done, total);
  }

  /** A tensor's merge: reconstructed by the first task that needs it, dropped by the last. */
  private final class SharedMerge {
    private final Plan.Part.Merged part;
    private long tasks;
    private @Nullable TensorMerge merge;

    SharedMerge(Plan.Part.Merged part, long tasks) {
      this.part = part;
      this.tasks = tasks;
    }

    synchronized TensorMerge begin() {
      TensorMerge begun = merge;
      if (begun == null) {
        begun =
            new TensorMerge(
                Kernels.chosen(),
                part.tensor(),
                part.mergedType(),
                summands.deltas(part.addends()));
        merge = begun;
      }
      return begun;
    }

    synchronized void end() {
      tasks--;
      if (tasks == 0) {
        merge = null;
      }
    }
  }

  /** The base's index, with what has been added. */
  private void writeIndex(Path partial) throws IOException {
    ObjectNode index = base.index();
    if (index == null) {
      return;
    }
    boolean same =
        plan.count(Plan.Part.Dense.class) == 0
            && !plan.untied()
            && !plan.head().isStated()
            && plan.dtype() == null;
    if (same) {
      Files.copy(base.path().resolve(Model.INDEX), partial.resolve(Model.INDEX));
      return;
    }
    ObjectNode map = index.putObject("weight_map");
    plan.files()
        .forEach(
            (file, parts) ->
                parts.forEach(
                    part -> map.put(part.slot().name(), file.path().getFileName().toString())));
    index.withObject("/metadata").put("total_size", total);
    Files.write(
        partial.resolve(Model.INDEX),
        JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsBytes(index));
  }

  private void copySideFiles(Path partial, List<String> names) throws IOException {
    MergedConfig config = new MergedConfig(plan.untied(), plan.dtype(), plan.head());
    for (String name : names) {
      if (name.equals(Model.CONFIG)) {
        config.write(base, partial.resolve(name));
      } else {
        Files.copy(base.path().resolve(name), partial.resolve(name));
      }
    }
  }
}
