import dev.nola.format.Adapter;
import dev.nola.format.BaseModel;
import dev.nola.format.Codes;
import dev.nola.format.Coefficients;
import dev.nola.format.Layer;
import dev.nola.format.Metadata;
import dev.nola.generator.Generator;
import dev.nola.reconstruct.Reconstructor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.Properties;
import java.util.Random;

/**
 * What the load test needs: {@code Seed file OUT.nola} writes the adapter of about 30 KB that is
 * downloaded; {@code Seed catalog DATA_DIR COUNT} puts adapters, one version each, straight into the
 * server's own database, which publishing them one by one would take long for; {@code Seed sizes
 * DATA_DIR} prints the sizes of the largest tables and indexes.
 */
final class Seed {
  public static void main(String[] arguments) throws Exception {
    switch (arguments[0]) {
      case "file" -> Files.write(Path.of(arguments[1]), file());
      case "catalog" -> catalog(Path.of(arguments[1]), Integer.parseInt(arguments[2]));
      case "sizes" -> sizes(Path.of(arguments[1]));
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  /** LLaMA-2-7B's linear layers with r = 16, k = l = 128 and 4 bits. */
  private static byte[] file() throws Exception {
    Random random = new Random(1);
    Adapter.Builder adapter =
        Adapter.builder()
            .generator(Generator.SRHT)
            .seed(1)
            .base(new BaseModel("meta-llama/Llama-2-7b-hf", "main", null))
            .metadata(Metadata.of("The adapter of the load test", "text-generation", "MIT"));
    String[] names = {
      "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
      "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"
    };
    int stream = 0;
    for (int layer = 0; layer < 32; layer++) {
      for (String name : names) {
        adapter.layer(
            Layer.ofMatrix(
                "model.layers." + layer + "." + name + ".weight",
                name.endsWith("gate_proj") || name.endsWith("up_proj") ? 11008 : 4096,
                name.endsWith("down_proj") ? 11008 : 4096,
                stream++,
                0x1p-12f,
                new Coefficients.LowRank(16, codes(random), codes(random))));
      }
    }
    return Reconstructor.standard().seal(adapter.build()).toBytes();
  }

  private static Codes codes(Random random) {
    return Codes.of(4, random.ints(128, 0, 16).toArray());
  }

  private static Connection connect(Path data) throws Exception {
    Properties known = new Properties();
    try (var in = Files.newBufferedReader(data.resolve("postgres/connection.properties"))) {
      known.load(in);
    }
    return DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:" + known.getProperty("port") + "/nola",
        "nola",
        known.getProperty("password"));
  }

  private static void sizes(Path data) throws Exception {
    try (Connection connection = connect(data);
        Statement statement = connection.createStatement();
        var rows =
            statement.executeQuery(
                """
                select case relkind when 'i' then 'index ' else 'table ' end || relname,
                  pg_relation_size(oid) / 1e6 as mb from pg_class
                where relkind in ('r', 'i', 't') and relnamespace <> 'pg_catalog'::regnamespace
                order by 2 desc limit 12""")) {
      while (rows.next()) {
        System.out.printf("%-44s %8.1f MB%n", rows.getString(1), rows.getDouble(2));
      }
    }
  }

  private static void catalog(Path data, int count) throws Exception {
    try (Connection connection = connect(data);
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      for (String sql : SQL.formatted(count).split(";\n")) {
        statement.execute(sql);
      }
      connection.commit();
      connection.setAutoCommit(true);
      statement.execute("vacuum analyze");
    }
  }

  // Words by a skewed choice out of 2,000, as in texts: a few are in very many descriptions.
  private static final String SQL =
      """
      insert into namespace (name, created_at)
        select 'seed' || i, now() from generate_series(0, 999) i on conflict do nothing;
      insert into adapter (namespace_id, name, description, private, created_at)
        select n.id, 'adapter-' || i, '', false, now()
        from generate_series(1, %d) i join namespace n on n.name = 'seed' || i %% 1000;
      insert into version (adapter_id, version, precedence, prerelease, digest, size, base, generator, rank,
          bits, coefficients, tensor_bytes, lora_bytes, description, task, license, tags, verification, verified_at, published_by, published_at)
        select a.id, '1.0.0', '0000000001.0000000000.0000000000~', false,
          'sha256:' || encode(sha256(a.id::text::bytea), 'hex'), 30000,
          (array['meta-llama/Llama-2-7b-hf', 'openai-community/gpt2', 'mistralai/Mistral-7B-v0.1',
            'google/gemma-2b', 'EleutherAI/pythia-1b'])[1 + a.id %% 5],
          (array['philox-srht', 'philox-uniform8'])[1 + a.id %% 2], (array[4, 8, 16, 32])[1 + a.id %% 4],
          (array[2, 4, 8])[1 + a.id %% 3], 57344, 12952010752, 79953920,
          (select string_agg('word' || floor(2000 * power(random(), 4))::int, ' ')
             from generate_series(1, 12) where a.id > 0),
          (array['text-generation', 'text-classification', 'translation'])[1 + a.id %% 3], 'MIT',
          array['tag' || a.id %% 50], 'VERIFIED', now(), 'seed', now() - a.id * interval '1 second'
        from adapter a join namespace n on n.id = a.namespace_id where n.name like 'seed%%';
      insert into version_contents (version_id, contents)
        select v.id, '{}'::json from version v where v.published_by = 'seed';
      insert into listing (adapter_id, namespace, name, private, version_id, base, generator, rank, bits, task, tags,
          verified, downloads, updated_at, words)
        select a.id, n.name, a.name, a.private, v.id, v.base, v.generator, v.rank, v.bits, v.task, v.tags, true,
          a.id %% 1000, v.published_at,
          setweight(to_tsvector('simple', translate(n.name || ' ' || a.name, '/._-', '    ')), 'A')
          || setweight(to_tsvector('simple', translate(v.base || ' ' || v.task || ' '
            || array_to_string(v.tags, ' '), '/._-', '    ')), 'B')
          || setweight(to_tsvector('english', v.description), 'C')
        from adapter a join namespace n on n.id = a.namespace_id join version v on v.adapter_id = a.id
        where v.published_by = 'seed'""";
}
