import dev.nola.api.name.Reference;
import dev.nola.client.Progress;
import dev.nola.client.registry.NolaClient;
import dev.nola.client.registry.Pulled;
import dev.nola.format.AdapterFile;
import java.net.URI;

/** Pulls an adapter, as a program of a user would, and prints how many layers it has. */
final class Consumer {
  private Consumer() {}

  public static void main(String[] args) throws Exception {
    try (NolaClient client = NolaClient.builder(URI.create(args[0])).build()) {
      Pulled pulled = client.pull(Reference.parse(args[1]), Progress.NONE);
      AdapterFile adapter = pulled.open();
      System.out.println(adapter.adapter().layers().size() + " layers");
    }
  }
}
