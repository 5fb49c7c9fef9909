package dev.nola.trainer.worker;

import com.sun.management.OperatingSystemMXBean;
import dev.nola.api.name.BackendName;
import dev.nola.digest.Sha256;
import dev.nola.gpu.CudaBackend;
import dev.nola.gpu.CudaDevice;
import dev.nola.reconstruct.Backend;
import dev.nola.text.Printable;
import dev.nola.trainer.model.Tensors;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The description of a worker's machine in attestations.
 *
 * @param worker name of the worker
 * @param host digest that tells machines apart without naming them
 * @param cpu name of the CPU
 */
record MachineDescription(String worker, Sha256 host, String cpu) {
  private static final int MAX_TEXT = 200;

  /** The kernels are the same for every attestation, and megabytes to unpack and hash. */
  private static final class Kernels {
    static final String DIGEST = CudaDevice.kernelDigest().toString();
  }

  static MachineDescription here(String worker) throws IOException {
    return new MachineDescription(worker, hostId(), cpuName());
  }

  /** Returns the name of this machine in its network. */
  static String hostName() throws IOException {
    return InetAddress.getLocalHost().getHostName();
  }

  /** Prefers the operating system's id, which survives new names and network cards. */
  private static Sha256 hostId() throws IOException {
    Path id = Path.of("/etc/machine-id");
    String text = Files.isReadable(id) ? Files.readString(id).strip() : "";
    if (text.isEmpty()) {
      TreeSet<String> cards = new TreeSet<>();
      for (NetworkInterface card : Collections.list(NetworkInterface.getNetworkInterfaces())) {
        byte[] address = card.getHardwareAddress();
        if (address != null && !card.isVirtual()) {
          cards.add(HexFormat.of().formatHex(address));
        }
      }
      text = hostName() + " " + cards;
    }
    return Sha256.hash(("nola-host " + text).getBytes(StandardCharsets.UTF_8));
  }

  private static String cpuName() throws IOException {
    Path info = Path.of("/proc/cpuinfo");
    if (Files.isReadable(info)) {
      try (Stream<String> lines = Files.lines(info)) {
        String model =
            lines
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("");
        if (!model.isEmpty()) {
          return model;
        }
      }
    }
    return System.getProperty("os.arch");
  }

  /** Returns what a backend runs on: operating system, processor and versions. */
  Map<String, String> environment(Backend backend) {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    environment.put("arch", System.getProperty("os.arch"));
    environment.put("cpu", cpu);
    environment.put("java", Runtime.version().toString());
    environment.put("nola", version());
    environment.put("device", "cpu");
    if (backend instanceof CudaBackend cuda) {
      environment.put("device", "cuda");
      environment.put("gpu", cuda.device().name());
      environment.put("driver", cuda.device().driverVersion());
      environment.put("kernels", Kernels.DIGEST);
    } else if (backend.name().equals(BackendName.TORCH.label())) {
      environment.put("torch", Tensors.version());
      environment.put("device", Tensors.isOnGpu() ? "cuda" : "cpu");
    }
    environment.replaceAll((_, value) -> shortened(value));
    return environment;
  }

  private static String shortened(String text) {
    String clean = Printable.line(text);
    return clean.length() <= MAX_TEXT ? clean : clean.substring(0, MAX_TEXT);
  }

  private static String version() {
    @Nullable String version = MachineDescription.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  /** Returns the memory of this machine, in bytes. */
  static long memory() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getTotalMemorySize();
  }
}
