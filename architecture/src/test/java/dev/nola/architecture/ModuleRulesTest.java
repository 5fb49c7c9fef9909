package dev.nola.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Enforces the dependencies between modules. To add one, change a rule here and say why. */
@AnalyzeClasses(packages = "dev.nola", importOptions = ImportOption.DoNotIncludeTests.class)
class ModuleRulesTest {
  private static final String[] FORMAT_SPEC = {
    "dev.nola.digest..",
    "dev.nola.files..",
    "dev.nola.format..",
    "dev.nola.generator..",
    "dev.nola.kernel..",
    "dev.nola.quantize..",
    "dev.nola.reconstruct..",
    "dev.nola.text..",
    "dev.nola.threads..",
  };

  /**
   * The command line uses the sdk, and therefore also the types in the sdk's signatures: those of
   * format-spec and api.
   */
  @ArchTest
  static final ArchRule modulesUseOnlyTheModulesBelowThem =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.nola..")
          .withOptionalLayers(true)
          .layer("format-spec")
          .definedBy(FORMAT_SPEC)
          .layer("gpu")
          .definedBy("dev.nola.gpu..")
          .layer("api")
          .definedBy("dev.nola.api..")
          .layer("sdk")
          .definedBy("dev.nola.client..")
          .layer("command")
          .definedBy("dev.nola.command..")
          .layer("cli")
          .definedBy("dev.nola.cli..")
          .layer("registry-server")
          .definedBy("dev.nola.registry..")
          .layer("trainer-worker")
          .definedBy("dev.nola.trainer..")
          .layer("demo")
          .definedBy("dev.nola.demo..")
          .whereLayer("format-spec")
          .mayNotAccessAnyLayer()
          .whereLayer("gpu")
          .mayOnlyAccessLayers("format-spec")
          .whereLayer("api")
          .mayOnlyAccessLayers("format-spec")
          .whereLayer("sdk")
          .mayOnlyAccessLayers("format-spec", "gpu", "api")
          .whereLayer("command")
          .mayOnlyAccessLayers("sdk", "format-spec", "gpu", "api")
          .whereLayer("cli")
          .mayOnlyAccessLayers("command", "sdk", "format-spec", "gpu", "api")
          .whereLayer("registry-server")
          .mayOnlyAccessLayers("format-spec", "api", "sdk", "command")
          .whereLayer("trainer-worker")
          .mayOnlyAccessLayers("format-spec", "gpu", "api", "sdk", "command")
          .whereLayer("demo")
          .mayOnlyAccessLayers("format-spec", "api", "sdk", "command", "trainer-worker");

  @ArchTest
  static final ArchRule everyClassIsInAModule =
      classes()
          .should()
          .resideInAnyPackage(
              "dev.nola.digest..",
              "dev.nola.files..",
              "dev.nola.format..",
              "dev.nola.generator..",
              "dev.nola.kernel..",
              "dev.nola.quantize..",
              "dev.nola.reconstruct..",
              "dev.nola.text..",
              "dev.nola.threads..",
              "dev.nola.gpu..",
              "dev.nola.api..",
              "dev.nola.client..",
              "dev.nola.command..",
              "dev.nola.cli..",
              "dev.nola.registry..",
              "dev.nola.trainer..",
              "dev.nola.demo..");

  @ArchTest
  static final ArchRule formatSpecDependsOnFlatBuffersAndTheJdkAlone =
      classes()
          .that()
          .resideInAnyPackage(FORMAT_SPEC)
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "jdk.incubator.vector..",
              "com.google.flatbuffers..",
              "org.jspecify.annotations..",
              "dev.nola.digest..",
              "dev.nola.files..",
              "dev.nola.format..",
              "dev.nola.generator..",
              "dev.nola.kernel..",
              "dev.nola.quantize..",
              "dev.nola.reconstruct..",
              "dev.nola.text..",
              "dev.nola.threads..");

  /** Nothing but the driver is needed to run it. */
  @ArchTest
  static final ArchRule gpuDependsOnFormatSpecAndTheJdkAlone =
      classes()
          .that()
          .resideInAPackage("dev.nola.gpu..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("java..", "org.jspecify.annotations..", "dev.nola..");

  /** ONNX Runtime's adapters are FlatBuffers, too. */
  @ArchTest
  static final ArchRule onlyCodecsKnowFlatBuffers =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.nola.format..", "dev.nola.client.export.onnx..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.nola.format.flatbuffers..", "com.google.flatbuffers..");

  private static final DescribedPredicate<JavaMethodCall> LEAVES_MEMORY_TO_THE_GARBAGE_COLLECTOR =
      DescribedPredicate.describe(
          "creates an array over Java's memory",
          call ->
              call.getTargetOwner().getName().startsWith("ai.djl.ndarray.ND")
                  && (call.getName().equals("create")
                      || call.getTarget().getRawParameterTypes().stream()
                          .anyMatch(type -> type.getName().equals(Number.class.getName()))));

  /**
   * {@code Tensors.scalar} gives the reason. The torch backend is exempt: it computes no gradients.
   */
  @ArchTest
  static final ArchRule arraysWithGradientsAreInPyTorchsMemory =
      noClasses()
          .that()
          .resideInAPackage("dev.nola.trainer..")
          .and()
          .resideOutsideOfPackage("dev.nola.trainer.torch")
          .and()
          .doNotHaveFullyQualifiedName("dev.nola.trainer.model.Tensors")
          .should()
          .callMethodWhere(LEAVES_MEMORY_TO_THE_GARBAGE_COLLECTOR);

  /** In Turkish, {@code "I".toLowerCase()} is not {@code "i"}; in German, 1.5 is 1,5. */
  @ArchTest
  static final ArchRule textDependsOnNoLocale =
      noClasses()
          .should()
          .callMethod(String.class, "toLowerCase")
          .orShould()
          .callMethod(String.class, "toUpperCase")
          .orShould()
          .callMethod(String.class, "format", String.class, Object[].class);

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("dev.nola.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule roomsOfTheSdkHaveNoCycles =
      slices().matching("dev.nola.client.(*)..").should().beFreeOfCycles();

  /**
   * Applications reach HTTP through {@code NolaClient} and {@code OciClient} alone, so that it can
   * change.
   */
  @ArchTest
  static final ArchRule onlyTheSdkKnowsItsTransport =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.nola.client..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.nola.client.http..", "dev.nola.client.download..", "dev.nola..internal..");

  /**
   * The registry makes the LoRAs that it serves to Hugging Face's clients by the export that {@code
   * nola export} uses, and adapters of those that they push by the import of {@code nola import},
   * so that both have the same bytes. It needs nothing else of the sdk, which is a registry's
   * client.
   */
  @ArchTest
  static final ArchRule registryUsesOnlyTheExportAndImportOfPeft =
      noClasses()
          .that()
          .resideInAPackage("dev.nola.registry..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("dev.nola.client..")
                  .and(
                      not(
                          resideInAnyPackage(
                              "dev.nola.client.export",
                              "dev.nola.client.export.peft",
                              "dev.nola.client.lora",
                              "dev.nola.client.safetensors"))));

  @ArchTest
  static final ArchRule onlyTheRegistrysHubConverts =
      noClasses()
          .that()
          .resideInAPackage("dev.nola.registry..")
          .and()
          .resideOutsideOfPackage("dev.nola.registry.hub..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.nola.client..");

  /** The cache's parts are for pulling; others use {@code LocalCache}. */
  @ArchTest
  static final ArchRule onlyTheSdkKnowsTheCachesParts =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.nola.client..")
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("dev.nola.client.cache.CachedFiles")
          .orShould()
          .dependOnClassesThat()
          .haveFullyQualifiedName("dev.nola.client.cache.KnownReferences");

  @ArchTest
  static final ArchRule roomsOfTheTrainerHaveNoCycles =
      slices().matching("dev.nola.trainer.(*)..").should().beFreeOfCycles();
}
