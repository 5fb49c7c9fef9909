package dev.nola.registry.pages;

import dev.nola.api.Contents;
import dev.nola.api.VersionDetails;
import java.util.ArrayList;
import java.util.List;

/** Commands and code that use a version, for people to copy. */
final class Snippets {
  private Snippets() {}

  /**
   * A snippet.
   *
   * @param id of its tab
   * @param title of its tab
   * @param text to copy
   */
  record Snippet(String id, String title, String text) {}

  /**
   * Writes the snippets of a version.
   *
   * @param version to use
   * @param server address of the registry
   * @return those that work for it: where no LoRA can be made of the file, none that loads one
   */
  static List<Snippet> of(VersionDetails version, String server) {
    String adapter = version.namespace() + "/" + version.name();
    String reference = adapter + "@" + version.version();
    Contents file = version.contents();
    List<Snippet> snippets = new ArrayList<>();
    snippets.add(
        new Snippet(
            "cli",
            "Command line",
            """
            export NOLA_REGISTRY=%1$s
            nola verify %2$s
            nola pull %2$s -o %3$s.nola
            nola merge --base model/ --adapter %2$s -o merged/"""
                .formatted(server, reference, version.name())));
    snippets.add(
        new Snippet(
            "java",
            "Java",
            """
            try (NolaClient client = NolaClient.builder(URI.create("%1$s")).build()) {
              AdapterFile adapter =
                  client.pull(Reference.parse("%2$s"), Progress.NONE).open();
              ModelMerge.into(Path.of("model")).adapter(adapter, 1).build().write(Path.of("merged"));
            }"""
                .formatted(server, reference)));
    boolean lowRank = file.layers().stream().allMatch(layer -> layer.rank() > 0);
    snippets.add(
        new Snippet(
            "python",
            "Python",
            lowRank
                ? """
                # with NOLA_REGISTRY=%1$s
                from nola_adapters.torch import attach

                model = attach(model, "%2$s")"""
                    .formatted(server, reference)
                : """
                # with NOLA_REGISTRY=%1$s
                from nola_adapters.registry import Registry

                file = Registry().pull("%2$s").open()"""
                    .formatted(server, reference)));
    if (lowRank) {
      addLora(snippets, version, server);
    }
    return snippets;
  }

  private static void addLora(List<Snippet> snippets, VersionDetails version, String server) {
    String adapter = version.namespace() + "/" + version.name();
    String reference = adapter + "@" + version.version();
    snippets.add(
        new Snippet(
            "peft",
            "PEFT",
            """
            # with HF_ENDPOINT=%1$s/hf
            from peft import PeftModel

            model = PeftModel.from_pretrained(base, "%2$s", revision="%3$s")"""
                .formatted(server, adapter, version.version())));
    snippets.add(
        new Snippet(
            "vllm",
            "vLLM",
            """
            # with client-sdk/python of Nola's sources, installed with its extra vllm
            export NOLA_REGISTRY=%1$s VLLM_ALLOW_RUNTIME_LORA_UPDATING=true
            vllm serve model/ --enable-lora
            # then request the model %2$s"""
                .formatted(server, reference)));
    snippets.add(
        new Snippet(
            "llama-cpp",
            "llama.cpp",
            """
            export NOLA_REGISTRY=%1$s
            nola export %2$s --format gguf --base model/ -o %3$s.gguf
            llama-cli --model model.gguf --lora %3$s.gguf"""
                .formatted(server, reference, version.name())));
  }
}
