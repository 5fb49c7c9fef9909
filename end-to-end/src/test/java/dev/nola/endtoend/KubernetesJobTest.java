package dev.nola.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.api.Scope;
import dev.nola.api.job.JobDetails;
import dev.nola.api.job.JobRequest;
import dev.nola.api.job.JobState;
import dev.nola.api.name.AdapterName;
import dev.nola.client.Progress;
import dev.nola.client.registry.NolaClient;
import dev.nola.trainer.TrainerWorker;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.KeyToPath;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyOnExitCodesRequirement;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.ScalableResource;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The documented Job, without a cluster: fabric8's mock server keeps it and its Secret, and the
 * test does what a kubelet and the controller of Jobs do: it mounts the Secret, runs the image's
 * start command with the container's arguments, and sets the Job's status by its policy.
 */
class KubernetesJobTest {
  private static final Path MANIFEST = Path.of("..", "deploy", "kubernetes", "worker-job.yaml");
  private static final String NAMESPACE = "nola";

  /** What the name of the Service stands for in a cluster. */
  private static final String SERVICE = "http://nola-registry:8080";

  @TempDir private Path folder = Path.of("");
  private final KubernetesMockServer api =
      new KubernetesMockServer(
          new Context(),
          new MockWebServer(),
          new HashMap<>(),
          new KubernetesCrudDispatcher(),
          false);
  private KubernetesClient kubernetes = start(api);

  private static KubernetesClient start(KubernetesMockServer api) {
    api.init();
    return api.createClient();
  }

  @AfterEach
  void stop() {
    kubernetes.close();
    api.destroy();
  }

  @Test
  void jobTakesAJobOfTheRegistryAndCompletes() throws Exception {
    try (Registry registry = Registry.start();
        NolaClient owner = registry.owner("acme", folder.resolve("cache"))) {
      owner
          .adapters()
          .publish(
              AdapterName.parse("acme/mood"), "1.0.0", Samples.small(folder, 7), Progress.NONE);
      JobDetails queued =
          owner
              .jobs()
              .submit(
                  new JobRequest(null, new JobRequest.Export("acme/mood", "1.0.0", null, null)));
      createSecret(registry.token("worker", Scope.WORKER));

      Job job = run(registry);

      assertThat(job.getStatus().getSucceeded())
          .as(Files.readString(folder.resolve("worker.log")))
          .isEqualTo(1);
      assertThat(owner.jobs().get(queued.id()).state()).isEqualTo(JobState.SUCCEEDED);
    }
  }

  /**
   * A token may be replaced meanwhile, and a registry may come back: both are worth another pod.
   */
  @Test
  void jobWhoseTokenIsRefusedIsLeftToAnotherPod() throws Exception {
    createSecret("nola_unknown");

    Job job = run(Registry.shared());

    assertThat(job.getStatus().getFailed()).isEqualTo(1);
    assertThat(job.getStatus().getConditions()).isEmpty();
  }

  private void createSecret(String token) {
    kubernetes
        .secrets()
        .inNamespace(NAMESPACE)
        .resource(
            new SecretBuilder()
                .withNewMetadata()
                .withName("nola-worker")
                .endMetadata()
                .addToStringData("token", token)
                .build())
        .create();
  }

  /** Creates the Job, runs its pod once, and returns the Job with its status. */
  private Job run(Registry registry) throws Exception {
    var jobs = kubernetes.batch().v1().jobs().inNamespace(NAMESPACE);
    Job documented;
    try (InputStream manifest = Files.newInputStream(MANIFEST)) {
      documented = jobs.load(manifest).item();
    }
    assertThat(documented.getAdditionalProperties()).isEmpty();
    ScalableResource<Job> created =
        jobs.withName(jobs.resource(documented).create().getMetadata().getName());
    Job job = created.get();
    int exitCode = runPod(job, registry);
    created.editStatus(present -> withStatus(present, exitCode));
    return created.get();
  }

  private static Job withStatus(Job job, int exitCode) {
    if (exitCode == 0) {
      return new JobBuilder(job)
          .editOrNewStatus()
          .withSucceeded(1)
          .addNewCondition()
          .withType("Complete")
          .withStatus("True")
          .endCondition()
          .endStatus()
          .build();
    }
    boolean fails =
        job.getSpec().getPodFailurePolicy().getRules().stream()
            .filter(rule -> rule.getAction().equals("FailJob") && rule.getOnExitCodes() != null)
            .anyMatch(rule -> matches(rule.getOnExitCodes(), exitCode));
    var status = new JobBuilder(job).editOrNewStatus().withFailed(1);
    return fails
        ? status
            .addNewCondition()
            .withType("Failed")
            .withStatus("True")
            .withReason("PodFailurePolicy")
            .endCondition()
            .endStatus()
            .build()
        : status.endStatus().build();
  }

  private static boolean matches(PodFailurePolicyOnExitCodesRequirement codes, int exitCode) {
    return codes.getContainerName().equals("worker")
        && codes.getValues().contains(exitCode) == codes.getOperator().equals("In");
  }

  /** Does what a kubelet does, and returns the exit code of the container. */
  private int runPod(Job job, Registry registry) throws Exception {
    PodSpec pod = job.getSpec().getTemplate().getSpec();
    Container container = pod.getContainers().getFirst();
    Map<String, String> environment = new HashMap<>();
    for (EnvVar variable : container.getEnv()) {
      assertThat(variable.getValueFrom().getFieldRef().getFieldPath()).isEqualTo("metadata.name");
      environment.put(variable.getName(), job.getMetadata().getName() + "-1");
    }
    Map<String, Path> mounts = new TreeMap<>(Comparator.reverseOrder());
    for (VolumeMount mount : container.getVolumeMounts()) {
      mounts.put(mount.getMountPath(), mounted(pod, mount.getName()));
    }
    List<String> command = new ArrayList<>();
    Compose.Dockerfile image = Compose.dockerfile("trainer-worker/Dockerfile");
    List<String> words = new ArrayList<>(image.list("ENTRYPOINT"));
    words.addAll(container.getArgs());
    for (String word : words) {
      String local = word.equals(SERVICE) ? registry.url().toString() : word;
      for (Map.Entry<String, String> variable : environment.entrySet()) {
        local = local.replace("$(" + variable.getKey() + ")", variable.getValue());
      }
      for (Map.Entry<String, Path> mount : mounts.entrySet()) {
        if (local.startsWith(mount.getKey() + "/")) {
          local = mount.getValue() + local.substring(mount.getKey().length());
        }
      }
      command.add(local);
    }
    return start(command).waitFor();
  }

  /** Starts the image's command without its wrapper, and with the classes of this build. */
  private Process start(List<String> command) throws IOException {
    int options = command.indexOf("-XX:+UseParallelGC");
    int jar = command.indexOf("-jar");
    int models = command.indexOf("--models");
    List<String> local = new ArrayList<>();
    local.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    local.addAll(command.subList(options, jar));
    local.addAll(List.of("-cp", System.getProperty("java.class.path")));
    local.add(TrainerWorker.class.getName());
    local.addAll(command.subList(jar + 2, models)); // without the folder of the image's models
    local.addAll(command.subList(models + 2, command.size()));
    return new ProcessBuilder(local)
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("worker.log").toFile())
        .start();
  }

  /** Returns a folder with what a volume has. */
  private Path mounted(PodSpec pod, String name) throws IOException {
    Volume volume =
        pod.getVolumes().stream()
            .filter(each -> each.getName().equals(name))
            .findFirst()
            .orElseThrow();
    Path mounted = Files.createDirectories(folder.resolve("volumes").resolve(name));
    if (volume.getSecret() != null) {
      Secret secret =
          kubernetes
              .secrets()
              .inNamespace(NAMESPACE)
              .withName(volume.getSecret().getSecretName())
              .get();
      for (KeyToPath item : volume.getSecret().getItems()) {
        Files.writeString(
            mounted.resolve(item.getPath()),
            Objects.requireNonNull(secret.getStringData().get(item.getKey())));
      }
    }
    return mounted;
  }
}
