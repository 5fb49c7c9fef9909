package dev.nola.cli.team;

import dev.nola.api.webhook.IssuedWebhook;
import dev.nola.api.webhook.Webhook;
import dev.nola.api.webhook.WebhookChange;
import dev.nola.api.webhook.WebhookDelivery;
import dev.nola.api.webhook.WebhookEvent;
import dev.nola.api.webhook.WebhookRequest;
import dev.nola.client.registry.AllPages;
import dev.nola.client.registry.NolaClient;
import dev.nola.command.ExitCode;
import dev.nola.command.Table;
import dev.nola.text.Label;
import java.io.IOException;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** Webhooks of namespaces. */
@Command(
    name = "webhook",
    description = "Have a registry send the events of a namespace to a URL.",
    mixinStandardHelpOptions = true,
    subcommands = {
      WebhookCommand.Create.class,
      WebhookCommand.ListAll.class,
      WebhookCommand.Show.class,
      WebhookCommand.Edit.class,
      WebhookCommand.Delete.class,
      WebhookCommand.Test.class,
      WebhookCommand.Deliveries.class
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "For owners of the namespace. Requests are signed as the Standard Webhooks specification says.",
      "",
      "Examples:",
      "  nola webhook create acme https://receiver.example/nola > secret",
      "  nola webhook list acme"
    })
public final class WebhookCommand {
  private WebhookCommand() {}

  /** Reads the name of an event. */
  static final class EventName implements ITypeConverter<WebhookEvent> {
    @Override
    public WebhookEvent convert(String text) {
      try {
        return WebhookEvent.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** The names of events, for completion. */
  static final class EventNames implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return WebhookEvent.SUBSCRIBABLE.stream().map(WebhookEvent::label).iterator();
    }
  }

  /** A command about a namespace. */
  abstract static class NamespaceAction extends RegistryAction {
    @Parameters(index = "0", paramLabel = "NAMESPACE", description = "The namespace.")
    String namespace = "";
  }

  /** A command about a webhook. */
  abstract static class WebhookAction extends NamespaceAction {
    @Parameters(
        index = "1",
        paramLabel = "ID",
        converter = Id.class,
        description = "The webhook's id, as nola webhook list shows it.")
    UUID id = new UUID(0, 0);
  }

  @Command(
      name = "create",
      description = "Create a webhook. Its secret is printed, and never shown again.",
      mixinStandardHelpOptions = true)
  static final class Create extends NamespaceAction {
    @Parameters(index = "1", paramLabel = "URL", description = "Where to send events.")
    private String url = "";

    @Option(
        names = "--event",
        split = ",",
        paramLabel = "EVENT",
        converter = EventName.class,
        completionCandidates = EventNames.class,
        description = "Send this event: ${COMPLETION-CANDIDATES}. May be repeated. Default: all.")
    private @Nullable List<WebhookEvent> events;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      IssuedWebhook issued = client.webhooks().create(namespace, new WebhookRequest(url, events));
      output.message(
          "webhook %s of %s: %s",
          issued.webhook().id(), namespace, labels(issued.webhook().events()));
      output.print(issued, out -> out.println(issued.secret()));
      return ExitCode.OK;
    }
  }

  @Command(
      name = "list",
      aliases = "ls",
      description = "List the webhooks of a namespace.",
      mixinStandardHelpOptions = true)
  static final class ListAll extends NamespaceAction {
    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      List<Webhook> webhooks = client.webhooks().list(namespace);
      output.print(
          webhooks,
          out -> {
            Table table = new Table("ID", "URL", "EVENTS", "LAST DELIVERED", "STATE");
            for (Webhook webhook : webhooks) {
              table.row(
                  webhook.id().toString(),
                  webhook.url(),
                  labels(webhook.events()),
                  Texts.ago(webhook.lastDeliveredAt()),
                  state(webhook));
            }
            table.print(out);
          });
      return ExitCode.OK;
    }
  }

  @Command(name = "show", description = "Show a webhook.", mixinStandardHelpOptions = true)
  static final class Show extends WebhookAction {
    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      Webhook webhook = client.webhooks().get(namespace, id);
      output.print(webhook, out -> table(webhook).print(out));
      return ExitCode.OK;
    }
  }

  @Command(
      name = "edit",
      description = "Change a webhook's URL or events, or activate or deactivate it.",
      mixinStandardHelpOptions = true)
  static final class Edit extends WebhookAction {
    @Option(names = "--url", paramLabel = "URL", description = "Where to send events.")
    private @Nullable String url;

    @Option(
        names = "--event",
        split = ",",
        paramLabel = "EVENT",
        converter = EventName.class,
        completionCandidates = EventNames.class,
        description =
            "Send this event instead of those before: ${COMPLETION-CANDIDATES}. May be repeated.")
    private @Nullable List<WebhookEvent> events;

    @Option(
        names = "--active",
        negatable = true,
        description = "Send events, or, with --no-active, none.")
    private @Nullable Boolean active;

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      if (url == null && events == null && active == null) {
        throw new IllegalArgumentException(
            "nothing to change; pass --url, --event, --active or --no-active");
      }
      Webhook changed =
          client.webhooks().change(namespace, id, new WebhookChange(url, events, active));
      output.print(changed, out -> table(changed).print(out));
      return ExitCode.OK;
    }
  }

  @Command(
      name = "delete",
      description = "Delete a webhook and its pending deliveries.",
      mixinStandardHelpOptions = true)
  static final class Delete extends WebhookAction {
    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      client.webhooks().delete(namespace, id);
      output.print(Map.of("deleted", id.toString()), out -> out.println("deleted webhook " + id));
      return ExitCode.OK;
    }
  }

  @Command(
      name = "test",
      description = {
        "Send a test to a webhook, once, and wait up to a minute for the result.",
        "The exit code is 1 unless it is delivered."
      },
      mixinStandardHelpOptions = true)
  static final class Test extends WebhookAction {
    private static final Duration LIMIT = Duration.ofMinutes(1);

    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      WebhookDelivery delivery = client.webhooks().test(namespace, id, LIMIT);
      output.print(delivery, out -> out.println(result(delivery)));
      return delivery.state() == WebhookDelivery.State.DELIVERED ? ExitCode.OK : ExitCode.REFUSED;
    }

    private String result(WebhookDelivery delivery) {
      return switch (delivery.state()) {
        case DELIVERED -> "delivered: status " + delivery.responseStatus();
        case FAILED -> "not delivered: " + delivery.error();
        case PENDING ->
            "not sent yet: other deliveries precede it; see nola webhook deliveries %s %s"
                .formatted(namespace, id);
      };
    }
  }

  @Command(
      name = "deliveries",
      description = "List what was or will be sent to a webhook, latest first.",
      mixinStandardHelpOptions = true)
  static final class Deliveries extends WebhookAction {
    @Override
    int run(NolaClient client) throws IOException, InterruptedException {
      List<WebhookDelivery> deliveries =
          AllPages.read(
              "deliveries",
              Texts.MAX_LISTED,
              cursor -> client.webhooks().deliveries(namespace, id, cursor));
      output.print(
          deliveries,
          out -> {
            Table table =
                new Table("ID", "EVENT", "CREATED", "STATE", "ATTEMPTS", "NEXT ATTEMPT", "ERROR");
            for (WebhookDelivery delivery : deliveries) {
              table.row(
                  delivery.id().toString(),
                  delivery.event().label(),
                  Texts.ago(delivery.createdAt()),
                  Label.of(delivery.state()),
                  Integer.toString(delivery.attempts()),
                  Texts.time(delivery.nextAttemptAt()),
                  delivery.error() == null ? "" : delivery.error());
            }
            table.print(out);
          });
      return ExitCode.OK;
    }
  }

  private static String labels(List<WebhookEvent> events) {
    return events.containsAll(WebhookEvent.SUBSCRIBABLE)
        ? "all"
        : events.stream().map(WebhookEvent::label).collect(Collectors.joining(", "));
  }

  private static String state(Webhook webhook) {
    return webhook.active() ? "active" : "inactive: " + webhook.inactiveReason();
  }

  private static Table table(Webhook webhook) {
    return new Table()
        .row("id", webhook.id().toString())
        .row("url", webhook.url())
        .row("events", labels(webhook.events()))
        .row("state", state(webhook))
        .row("last delivered", Texts.ago(webhook.lastDeliveredAt()))
        .row("created", Texts.time(webhook.createdAt()))
        .row("changed", Texts.time(webhook.changedAt()) + " by " + webhook.changedBy());
  }
}
