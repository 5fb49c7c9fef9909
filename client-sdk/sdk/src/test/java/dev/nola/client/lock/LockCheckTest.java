package dev.nola.client.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nola.api.attestation.WorkerKey;
import dev.nola.client.Adapters;
import dev.nola.client.RegistryException;
import dev.nola.client.attestation.Attested;
import dev.nola.client.attestation.Worker;
import dev.nola.client.lock.LockReport.Check;
import dev.nola.client.lock.LockReport.Outcome;
import dev.nola.client.merge.StandInGpu;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Layer;
import dev.nola.format.LimitExceededException;
import dev.nola.generator.Generator;
import dev.nola.gpu.CudaBackend;
import dev.nola.gpu.CudaDevice;
import dev.nola.gpu.CudaException;
import dev.nola.kernel.Kernels;
import dev.nola.reconstruct.Backend;
import dev.nola.reconstruct.Budget;
import dev.nola.reconstruct.Factors;
import dev.nola.reconstruct.ReconstructionDigest;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;

class LockCheckTest {
  private static final AdapterFile ADAPTER = Adapters.small(1);
  private static final String LIBRARY = "nola.cuda.library";
  private static final List<Backend> BACKENDS = CrossCheck.ofCpu();

  @TempDir private Path folder;

  /** Hands out these bytes, attested by these workers. */
  private record Fixed(byte[] bytes, List<Worker> workers, @Nullable String yanked)
      implements LockCheck.Source {
    Fixed(byte[] bytes, List<Worker> workers) {
      this(bytes, workers, null);
    }

    @Override
    public LockCheck.Fetched fetch(LockFile.Entry entry) {
      return new LockCheck.Fetched(bytes, yanked);
    }

    @Override
    public Attested attested(LockFile.Entry entry, AdapterFile file) throws LimitExceededException {
      return Attested.of(
          entry.digest(),
          file,
          workers.stream().map(worker -> worker.match(file, "scalar")).toList(),
          workers.stream().map(worker -> worker.workerKey(WorkerKey.State.APPROVED)).toList(),
          entry.keys());
    }
  }

  private static LockFile.Entry entry(AdapterFile file, int required, Worker... pinned) {
    return new LockFile.Entry(
        "acme/mood@1.0.0",
        null,
        URI.create("http://127.0.0.1:1"),
        Sha256.hash(file.toBytes()),
        file.reconstructionDigest(),
        required,
        Stream.of(pinned).map(worker -> worker.fingerprint()).toList());
  }

  private static LockReport run(LockFile.Entry entry, byte[] bytes, Worker... attestedBy)
      throws InterruptedException {
    return new LockCheck(new Fixed(bytes, List.of(attestedBy)), BACKENDS, false)
        .run(new LockFile(List.of(entry)));
  }

  private static List<Check> failed(LockReport report) {
    return report.results().getFirst().checks().stream().filter(check -> !check.passed()).toList();
  }

  @Test
  void whatIsLockedPassesEveryCheck() throws Exception {
    LockReport report = run(entry(ADAPTER, 0), ADAPTER.toBytes());
    assertThat(report.passed()).isTrue();
    assertThat(report.results().getFirst().checks())
        .extracting(Check::name)
        .containsExactly(
            "fetch",
            "not yanked",
            "file digest",
            "declared reconstruction digest",
            "reconstructed by scalar",
            "reconstructed by vector",
            "backends agree");
  }

  @Test
  void anotherAdapterUnderTheSameNameFails() throws Exception {
    AdapterFile other = Adapters.small(2);
    LockReport report = run(entry(ADAPTER, 0), other.toBytes());
    assertThat(failed(report))
        .extracting(Check::name)
        .containsExactly(
            "file digest",
            "declared reconstruction digest",
            "reconstructed by scalar",
            "reconstructed by vector");
    assertThat(failed(report).getFirst().reason())
        .isEqualTo(
            "expected=%s actual=%s"
                .formatted(Sha256.hash(ADAPTER.toBytes()), Sha256.hash(other.toBytes())));
  }

  @Test
  void damagedBytesFailAndSayWhy() throws Exception {
    byte[] bytes = ADAPTER.toBytes();
    bytes[70] ^= 4;
    assertThat(failed(run(entry(ADAPTER, 0), bytes)))
        .extracting(Check::name)
        .containsExactly("file digest", "read");
  }

  @Test
  void aFetchThatFailsDoesNotKeepTheOthersFromBeingChecked() throws Exception {
    LockCheck.Source source =
        new LockCheck.Source() {
          @Override
          public LockCheck.Fetched fetch(LockFile.Entry entry) throws IOException {
            if (entry.source().equals("gone.nola")) {
              throw new IOException("gone.nola: no such file");
            }
            return new LockCheck.Fetched(ADAPTER.toBytes(), null);
          }

          @Override
          public Attested attested(LockFile.Entry entry, AdapterFile file) {
            throw new AssertionError("no entry asks for attestations");
          }
        };
    LockFile.Entry gone =
        new LockFile.Entry(
            "gone.nola",
            null,
            null,
            Sha256.hash(new byte[0]),
            ADAPTER.reconstructionDigest(),
            0,
            List.of());
    LockReport report =
        new LockCheck(source, BACKENDS, false).run(new LockFile(List.of(gone, entry(ADAPTER, 0))));
    assertThat(report.passed()).isFalse();
    assertThat(report.results().get(0).checks())
        .extracting(Check::name, Check::reason, Check::outcome)
        .containsExactly(tuple("fetch", "gone.nola: no such file", Outcome.FAILED));
    assertThat(report.results().get(1).passed()).isTrue();
  }

  @Test
  void yankedVersionFailsUnlessAllowed() throws Exception {
    LockCheck.Source source = new Fixed(ADAPTER.toBytes(), List.of(), "wrong data");
    LockFile lock = new LockFile(List.of(entry(ADAPTER, 0)));

    assertThat(failed(new LockCheck(source, BACKENDS, false).run(lock)))
        .extracting(Check::name, Check::reason)
        .containsExactly(tuple("not yanked", "the version was yanked: wrong data"));
    assertThat(new LockCheck(source, BACKENDS, true).run(lock).passed()).isTrue();
  }

  /** A backend on a GPU whose driver is missing. */
  private record FailingGpu() implements Backend {
    @Override
    public String name() {
      return CudaBackend.NAME;
    }

    @Override
    public Backend withBudget(Budget budget) {
      return this;
    }

    @Override
    public Function<Layer, Factors> open(Adapter adapter) {
      throw new AssertionError("it has no digest");
    }

    @Override
    public ReconstructionDigest digest(Adapter adapter) {
      String former = System.setProperty(LIBRARY, "libcuda-missing.so.1");
      try (CudaBackend gpu = CudaBackend.open()) {
        throw new AssertionError(gpu.device());
      } finally {
        if (former == null) {
          System.clearProperty(LIBRARY);
        } else {
          System.setProperty(LIBRARY, former);
        }
      }
    }
  }

  @Test
  void gpuThatFails_isLeftOutUnlessItIsTheOnlyBackend() throws Exception {
    LockCheck.Source source = new Fixed(ADAPTER.toBytes(), List.of());
    LockFile lock = new LockFile(List.of(entry(ADAPTER, 0)));
    Backend scalar = Reconstructor.standard().withKernel(Kernels.scalar());

    for (List<Backend> backends :
        List.of(List.of(scalar, new FailingGpu()), List.of(new FailingGpu(), scalar))) {
      LockReport report = new LockCheck(source, backends, false).run(lock);
      assertThat(report.passed()).isTrue();
      assertThat(report.results().getFirst().checks().stream().skip(4))
          .satisfiesExactly(
              check -> {
                assertThat(check.name()).isEqualTo("reconstructed by cuda");
                assertThat(check.outcome()).isEqualTo(Outcome.SKIPPED);
                assertThat(check.reason()).startsWith("NVIDIA driver not found");
              },
              check -> {
                assertThat(check.name()).isEqualTo("reconstructed by scalar");
                assertThat(check.outcome()).isEqualTo(Outcome.PASSED);
              });
      Path junit = folder.resolve("junit.xml");
      JUnitReport.write(report, junit);
      assertThat(junit)
          .content()
          .contains("failures=\"0\" errors=\"0\" skipped=\"1\"")
          .contains("<skipped message=\"NVIDIA driver not found");
      assertThat(MarkdownReport.of(report))
          .contains("| 5 of 5 | verified |")
          .contains("NVIDIA driver not found");
    }
    assertThatExceptionOfType(CudaException.class)
        .isThrownBy(() -> new LockCheck(source, List.of(new FailingGpu()), false).run(lock));
  }

  /** A backend on a GPU that makes wrong bits and fails when these are to be read. */
  private record WrongGpu() implements Backend {
    @Override
    public String name() {
      return CudaBackend.NAME;
    }

    @Override
    public Backend withBudget(Budget budget) {
      return this;
    }

    @Override
    public Function<Layer, Factors> open(Adapter adapter) {
      new FailingGpu().digest(adapter);
      throw new AssertionError("it fails");
    }

    @Override
    public ReconstructionDigest digest(Adapter adapter) throws LimitExceededException {
      return Reconstructor.standard().digest(Adapters.small(2).adapter());
    }
  }

  @Test
  void backendsWithDifferentDigests_disagree_evenIfNoElementCanBeRead() throws Exception {
    Backend scalar = Reconstructor.standard().withKernel(Kernels.scalar());
    LockReport report =
        new LockCheck(
                new Fixed(ADAPTER.toBytes(), List.of()), List.of(scalar, new WrongGpu()), false)
            .run(new LockFile(List.of(entry(ADAPTER, 0))));
    assertThat(failed(report))
        .extracting(Check::name)
        .containsExactly("reconstructed by cuda", "backends agree");
    assertThat(failed(report).get(1).reason())
        .startsWith("elements that differ not found: NVIDIA driver not found");
  }

  @Test
  void adapterBeyondTheMemoryOfTheOnlyGpu_isAnError_andOthersAreChecked() throws Exception {
    Codes codes = Codes.of(4, 1, 15, 3);
    Layer large =
        Layer.ofMatrix("large", 100_000, 8, 0, 0x1p-8f, new Coefficients.LowRank(2, codes, codes));
    AdapterFile tooLarge =
        Reconstructor.standard()
            .seal(Adapter.builder().generator(Generator.RADEMACHER).layer(large).build());
    Map<String, AdapterFile> files = Map.of("large.nola", tooLarge, "small.nola", ADAPTER);
    LockCheck.Source source =
        new LockCheck.Source() {
          @Override
          public LockCheck.Fetched fetch(LockFile.Entry entry) {
            return new LockCheck.Fetched(files.get(entry.source()).toBytes(), null);
          }

          @Override
          public Attested attested(LockFile.Entry entry, AdapterFile file) {
            throw new AssertionError("no entry asks for attestations");
          }
        };
    LockFile lock =
        new LockFile(
            Stream.of("large.nola", "small.nola")
                .map(name -> local(name, files.get(name)))
                .toList());
    Optional<CudaDevice> opened = StandInGpu.open();
    assumeTrue(opened.isPresent());
    try (CudaDevice device = opened.orElseThrow();
        CudaBackend gpu = CudaBackend.on(device)) {
      StandInGpu.setMemory(500_000);
      LockReport report = new LockCheck(source, List.of(gpu), false).run(lock);
      assertThat(report.results().getFirst().checks().getLast())
          .satisfies(
              check -> {
                assertThat(check.name()).isEqualTo("reconstructed by cuda");
                assertThat(check.outcome()).isEqualTo(Outcome.ERROR);
                assertThat(check.reason()).startsWith("too little GPU memory");
              });
      assertThat(report.results().getLast().passed()).isTrue();
      assertThat(report.hasErrorsOnly()).isTrue();
      assertThat(report.lacksGpuMemory()).isTrue();
    } finally {
      StandInGpu.setMemory(4L << 30);
    }
  }

  private static LockFile.Entry local(String name, AdapterFile file) {
    return new LockFile.Entry(
        name, null, null, Sha256.hash(file.toBytes()), file.reconstructionDigest(), 0, List.of());
  }

  @Test
  void aBackendWithAWrongBitIsFoundDownToTheElement() throws Exception {
    int stream = ADAPTER.adapter().layers().get(1).stream();
    Reconstructor standard = Reconstructor.standard();
    List<Backend> backends =
        List.of(
            standard.withKernel(Kernels.scalar()), standard.withKernel(new FaultyKernel(stream)));
    LockReport report =
        new LockCheck(new Fixed(ADAPTER.toBytes(), List.of()), backends, false)
            .run(new LockFile(List.of(entry(ADAPTER, 0))));
    assertThat(failed(report))
        .extracting(Check::name)
        .containsExactly("reconstructed by faulty", "backends agree");
    float sound =
        Reconstructor.standard()
            .open(ADAPTER.adapter())
            .apply(ADAPTER.adapter().layers().get(1))
            .b()[FaultyKernel.ELEMENT];
    int bits = Float.floatToRawIntBits(sound);
    assertThat(failed(report).get(1).reason())
        .isEqualTo(
            "tensor h.1.w, factor B, element 3: scalar has 0x%08x (%s), faulty has 0x%08x (%s)"
                .formatted(bits, sound, bits ^ 1, Float.intBitsToFloat(bits ^ 1)));
  }

  @Test
  void onlyIndependentMachinesWithLockedKeysCount() throws Exception {
    byte[] bytes = ADAPTER.toBytes();
    Worker one = Worker.named("one");
    Worker two = Worker.named("two");
    Worker three = Worker.named("three");
    assertThat(run(entry(ADAPTER, 2), bytes).passed()).isFalse();
    assertThat(run(entry(ADAPTER, 2), bytes, one, one).passed()).isFalse();
    assertThat(run(entry(ADAPTER, 2), bytes, one, two).passed()).isTrue();
    assertThat(failed(run(entry(ADAPTER, 2, one, three), bytes, one, two)))
        .singleElement()
        .extracting(Check::reason)
        .asString()
        .startsWith("attested by 1 independent machine with the given keys; 2 required\n");
    assertThat(run(entry(ADAPTER, 2, one, three), bytes, one, three).passed()).isTrue();
  }

  @Test
  void reportsSayWhatFailed() throws Exception {
    LockReport report = run(entry(ADAPTER, 0), Adapters.small(2).toBytes());
    Path junit = folder.resolve("report.xml");
    JUnitReport.write(report, junit);
    Element suites =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(junit.toFile())
            .getDocumentElement();
    Element suite = (Element) suites.getElementsByTagName("testsuite").item(0);
    assertThat(suite.getAttribute("tests")).isEqualTo("7");
    assertThat(suite.getAttribute("failures")).isEqualTo("4");
    assertThat(suite.getElementsByTagName("testcase").getLength()).isEqualTo(7);
    Element failure = (Element) suite.getElementsByTagName("failure").item(0);
    assertThat(failure.getAttribute("message")).startsWith("expected=sha256:");
    assertThat(MarkdownReport.of(report))
        .contains("| `acme/mood@1.0.0` | `sha256:")
        .contains("| 3 of 7 | **failed** |")
        .contains("\n    expected=sha256:");
  }

  /** Checks a lock whose adapter cannot be fetched. */
  private static LockReport run(RegistryException failure) throws Exception {
    LockCheck.Source source =
        new LockCheck.Source() {
          @Override
          public LockCheck.Fetched fetch(LockFile.Entry entry) throws IOException {
            throw failure;
          }

          @Override
          public Attested attested(LockFile.Entry entry, AdapterFile file) {
            throw new AssertionError("nothing was fetched");
          }
        };
    return new LockCheck(source, BACKENDS, false).run(new LockFile(List.of(entry(ADAPTER, 0))));
  }

  @Test
  void registryWhoseBytesAreDamaged_isAFailureAndNoError() throws Exception {
    RegistryException damaged =
        new RegistryException(
            RegistryException.Kind.UNAVAILABLE,
            500,
            new RegistryException.Problem(
                "urn:nola:problem:damaged-blob", "damaged", "damaged", List.of(), null),
            null,
            "damaged");

    LockReport report = run(damaged);

    assertThat(report.hasErrorsOnly()).isFalse();
    assertThat(failed(report)).extracting(Check::outcome).containsExactly(Outcome.FAILED);
  }

  @Test
  void registryThatDoesNotAnswer_isAnErrorAndNoFailure() throws Exception {
    LockReport report = run(RegistryException.unavailable("cannot reach the registry", null));

    assertThat(report.passed()).isFalse();
    assertThat(report.hasErrorsOnly()).isTrue();
    Path junit = folder.resolve("report.xml");
    JUnitReport.write(report, junit);
    assertThat(Files.readString(junit))
        .contains("failures=\"0\"", "errors=\"1\"", "<error message=\"cannot reach the registry\">")
        .doesNotContain("<failure");
    assertThat(MarkdownReport.of(report)).contains("**unknown**");
    assertThat(run(entry(ADAPTER, 0), Adapters.small(2).toBytes()).hasErrorsOnly()).isFalse();
  }

  @Test
  void timesInTheReportAreThoseOfTheChecks() throws Exception {
    LockCheck.Source source =
        new LockCheck.Source() {
          @Override
          public LockCheck.Fetched fetch(LockFile.Entry entry) throws IOException {
            LockSupport.parkNanos(50_000_000);
            return new LockCheck.Fetched(ADAPTER.toBytes(), null);
          }

          @Override
          public Attested attested(LockFile.Entry entry, AdapterFile file) {
            throw new AssertionError("no entry asks for attestations");
          }
        };
    long start = System.nanoTime();
    LockReport report =
        new LockCheck(source, BACKENDS, false).run(new LockFile(List.of(entry(ADAPTER, 0))));
    double whole = (System.nanoTime() - start) / 1e9;
    Path junit = folder.resolve("report.xml");
    JUnitReport.write(report, junit);

    Element suite =
        (Element)
            DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(junit.toFile())
                .getElementsByTagName("testsuite")
                .item(0);
    assertThat(Double.parseDouble(suite.getAttribute("time"))).isBetween(0.045, whole + 0.01);
    Element fetch = (Element) suite.getElementsByTagName("testcase").item(0);
    assertThat(Double.parseDouble(fetch.getAttribute("time"))).isGreaterThan(0.045);
  }

  @Test
  void aReportIsSoundWhateverNamesAreInIt() throws Exception {
    Check hostile = Check.failed("read", "tensor \u0001<a>&]]>\uFFFF|`x`");
    LockReport report =
        new LockReport(List.of(new LockReport.Result(entry(ADAPTER, 0), List.of(hostile))));
    Path junit = folder.resolve("report.xml");
    JUnitReport.write(report, junit);
    Element root =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(junit.toFile())
            .getDocumentElement();
    assertThat(root.getElementsByTagName("failure").item(0).getTextContent())
        .isEqualTo("tensor �<a>&]]>�|`x`");
  }
}
