package dev.nola.registry;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Which package may use which; data flows one way. */
@AnalyzeClasses(
    packages = "dev.nola.registry",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ModuleStructureTest {
  @ArchTest
  static final ArchRule PACKAGES_HAVE_NO_CYCLES =
      slices().matching("dev.nola.registry.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule EACH_USES_WHAT_IS_BELOW_IT =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.nola.registry..")
          .layer("start")
          .definedBy("dev.nola.registry")
          .layer("pages")
          .definedBy("dev.nola.registry.pages..")
          .layer("oidc")
          .definedBy("dev.nola.registry.oidc..")
          .layer("hub")
          .definedBy("dev.nola.registry.hub..")
          .layer("webhooks")
          .definedBy("dev.nola.registry.webhooks..")
          .layer("verification")
          .definedBy("dev.nola.registry.verification..")
          .layer("jobs")
          .definedBy("dev.nola.registry.jobs..")
          .layer("signing")
          .definedBy("dev.nola.registry.signing..")
          .layer("objects")
          .definedBy("dev.nola.registry.objects..")
          .layer("catalog")
          .definedBy("dev.nola.registry.catalog..")
          .layer("access")
          .definedBy("dev.nola.registry.access..")
          .layer("keys")
          .definedBy("dev.nola.registry.keys..")
          .layer("blobs")
          .definedBy("dev.nola.registry.blobs..")
          .layer("audit")
          .definedBy("dev.nola.registry.audit..")
          .layer("database")
          .definedBy("dev.nola.registry.database..")
          .layer("web")
          .definedBy("dev.nola.registry.web..")
          .layer("data")
          .definedBy("dev.nola.registry.data..")
          .whereLayer("start")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("pages")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("oidc")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("hub")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("webhooks")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("verification")
          .mayOnlyBeAccessedByLayers("pages")
          .whereLayer("jobs")
          .mayOnlyBeAccessedByLayers("pages", "verification")
          .whereLayer("signing")
          .mayOnlyBeAccessedByLayers("pages", "hub", "jobs")
          .whereLayer("objects")
          .mayOnlyBeAccessedByLayers("pages", "jobs")
          .whereLayer("catalog")
          .mayOnlyBeAccessedByLayers(
              "pages", "hub", "webhooks", "signing", "verification", "jobs", "objects")
          .whereLayer("database")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("access")
          .mayOnlyBeAccessedByLayers(
              "pages",
              "hub",
              "oidc",
              "webhooks",
              "signing",
              "verification",
              "jobs",
              "objects",
              "catalog",
              "keys")
          .whereLayer("keys")
          .mayOnlyBeAccessedByLayers("pages", "verification", "jobs")
          .whereLayer("blobs")
          .mayOnlyBeAccessedByLayers("start", "pages", "hub", "jobs", "objects", "catalog")
          .whereLayer("audit")
          .mayOnlyBeAccessedByLayers(
              "pages", "webhooks", "verification", "jobs", "objects", "catalog", "access", "keys")
          .whereLayer("web")
          .mayOnlyBeAccessedByLayers(
              "pages",
              "hub",
              "oidc",
              "webhooks",
              "jobs",
              "objects",
              "catalog",
              "access",
              "keys",
              "verification",
              "blobs",
              "audit")
          .whereLayer("data")
          .mayOnlyBeAccessedByLayers(
              "start", "hub", "webhooks", "signing", "access", "blobs", "database");
}
