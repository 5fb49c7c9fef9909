package dev.nola.trainer.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.re2j.Pattern;
import dev.nola.api.job.JobFileKeys;
import dev.nola.format.DType;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import dev.nola.trainer.data.Bos;
import dev.nola.trainer.data.DataFiles;
import dev.nola.trainer.method.Method;
import dev.nola.trainer.method.Recipe;
import dev.nola.trainer.method.Scaling;
import dev.nola.trainer.method.Storage;
import dev.nola.trainer.method.View;
import dev.nola.trainer.model.BaseType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Documents and reader agree, because both are made from one table. After a change of the table:
 *
 * <pre>mvn -pl trainer-worker test -Dtest=JobDocumentsTest -Ddocuments=write</pre>
 */
class JobDocumentsTest {
  private static final Path SCHEMA = Path.of("job.schema.json");
  private static final Path README = Path.of("README.md");

  @TempDir private Path folder;

  @Test
  void schemaAndReadmeAreMadeFromTheTable() throws IOException {
    if ("write".equals(System.getProperty("documents"))) {
      Files.writeString(SCHEMA, JobDocuments.schema());
      Files.writeString(README, JobDocuments.withTable(Files.readString(README)));
    }
    assertThat(SCHEMA).content().isEqualTo(JobDocuments.schema());
    assertThat(README).content().isEqualTo(JobDocuments.withTable(Files.readString(README)));
  }

  @Test
  void keysOfFilesAreThoseThatJobsForWorkersHave() {
    List<String> paths =
        Stream.concat(
                Stream.of(JobFileKeys.MODEL + "." + JobFileKeys.BASE),
                JobFileKeys.DATA_FILES.stream().map(name -> JobFileKeys.DATA + "." + name))
            .toList();
    assertThat(Keys.ALL.stream().filter(key -> key.kind().rule().equals(Kind.file().rule())))
        .extracting(Key::path)
        .containsExactlyElementsOf(paths);
  }

  @Test
  void everyDefaultIsAValueOfItsKey() {
    for (Key<?> key : Keys.ALL) {
      if (key.standard() != null) {
        assertThat(key.kind().reader().apply(key.standard())).as(key.path()).isNotNull();
      }
    }
  }

  @Test
  void exampleInTheReadme_isRead() throws IOException {
    String readme = Files.readString(README);
    int begin = readme.indexOf("```yaml\n") + 8;
    Path file = folder.resolve("job.yaml");
    Files.writeString(file, readme.substring(begin, readme.indexOf("```", begin)));
    assertThat(JobFile.read(file))
        .isEqualTo(
            new TrainingJob(
                new TrainingJob.Source.PreTrained(
                    folder.resolve("llama"), "acme/llama", BaseType.F32),
                new TrainingJob.Objective(TrainingJob.Task.CAUSAL_LM, null, List.of(), 0),
                new DataFiles(
                    new DataFiles.Layout.E2e(),
                    folder.resolve("e2e/train.txt.gz"),
                    new DataFiles.Validation.File(folder.resolve("e2e/valid.txt.gz")),
                    new DataFiles.Tokens(192, Bos.TOKENIZER),
                    new DataFiles.Selection(Integer.MAX_VALUE, 1000, 0, 42)),
                new Recipe(
                    Method.NOLA,
                    Pattern.compile("\\.weight$"),
                    new Recipe.Size(View.LAYER, 16, 128, 128),
                    new Recipe.Bases(Generator.SRHT, 42, false, false),
                    Scaling.of(1),
                    new Recipe.Rounding(4, 0.75)),
                new Storage(4, DType.F16),
                new TrainingJob.Optimizer(
                    0.1,
                    Schedule.Shape.COSINE,
                    Schedule.Warmup.ofShare(0.03),
                    new TrainingJob.AdamWConstants(0.9, 0.999, 1e-8, 0, 1)),
                new TrainingJob.Run(
                    16,
                    8,
                    new TrainingJob.Length.Steps(2000),
                    new TrainingJob.Intervals(500, 500),
                    new TrainingJob.Compute(0, TrainingJob.Device.AUTO, false),
                    TrainingJob.Repeat.ONCE),
                Metadata.of(
                        "Says in a sentence what a restaurant's attributes are.",
                        "text-generation",
                        "CC-BY-SA-4.0")
                    .withTags("e2e", "restaurants")));
  }
}
