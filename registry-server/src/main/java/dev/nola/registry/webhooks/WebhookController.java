package dev.nola.registry.webhooks;

import dev.nola.api.Page;
import dev.nola.api.webhook.IssuedWebhook;
import dev.nola.api.webhook.Webhook;
import dev.nola.api.webhook.WebhookChange;
import dev.nola.api.webhook.WebhookDelivery;
import dev.nola.api.webhook.WebhookRequest;
import dev.nola.registry.access.Caller;
import dev.nola.registry.web.Cursor;
import dev.nola.registry.web.Pages;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PatchMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Endpoints for the webhooks of a namespace. */
@RestController
@RequestMapping("/api/v1/namespaces/{namespace}/webhooks")
@Tag(name = "Webhooks")
class WebhookController {
  private static final String KIND = "webhook-deliveries";

  private final WebhookService webhooks;

  WebhookController(WebhookService webhooks) {
    this.webhooks = webhooks;
  }

  @PostMapping
  @ResponseStatus(HttpStatus.CREATED)
  @Operation(
      summary = "Create a webhook",
      description =
          "The registry sends it the events of all adapters of the namespace, private ones included:"
              + " POST requests signed as in the Standard Webhooks specification. The response is the"
              + " only place where the secret is shown. For owners.")
  IssuedWebhook create(
      @PathVariable String namespace, @RequestBody WebhookRequest request, Caller caller) {
    return webhooks.create(caller, namespace, request);
  }

  @GetMapping
  @Operation(summary = "List a namespace's webhooks, oldest first", description = "For owners.")
  List<Webhook> list(@PathVariable String namespace, Caller caller) {
    return webhooks.list(caller, namespace);
  }

  @GetMapping("/{id}")
  @Operation(summary = "Read a webhook", description = "For owners.")
  Webhook get(@PathVariable String namespace, @PathVariable UUID id, Caller caller) {
    return webhooks.get(caller, namespace, id);
  }

  @PatchMapping("/{id}")
  @Operation(
      summary = "Change a webhook's URL or events, or activate or deactivate it",
      description =
          "The secret cannot be changed: create another webhook. Deactivating a webhook ends"
              + " its pending deliveries. For owners.")
  Webhook change(
      @PathVariable String namespace,
      @PathVariable UUID id,
      @RequestBody WebhookChange change,
      Caller caller) {
    return webhooks.change(caller, namespace, id, change);
  }

  @DeleteMapping("/{id}")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  @Operation(summary = "Delete a webhook and its deliveries", description = "For owners.")
  void delete(@PathVariable String namespace, @PathVariable UUID id, Caller caller) {
    webhooks.delete(caller, namespace, id);
  }

  @PostMapping("/{id}/ping")
  @ResponseStatus(HttpStatus.ACCEPTED)
  @Operation(
      summary = "Send a test to a webhook",
      description =
          "Sends a message of the type ping once; read its delivery for the result. 429 while an earlier"
              + " ping is pending. For owners.")
  WebhookDelivery ping(@PathVariable String namespace, @PathVariable UUID id, Caller caller) {
    return webhooks.ping(caller, namespace, id);
  }

  @GetMapping("/{id}/deliveries")
  @Operation(summary = "List a webhook's deliveries, latest first", description = "For owners.")
  ResponseEntity<Page<WebhookDelivery>> deliveries(
      @PathVariable String namespace,
      @PathVariable UUID id,
      @RequestParam(defaultValue = Pages.DEFAULT_LIMIT) int limit,
      @RequestParam(required = false) @Nullable String cursor,
      Caller caller) {
    long lastPosition = cursor == null ? Long.MAX_VALUE : Cursor.parse(cursor, KIND, 1).number(0);
    return Pages.of(
        webhooks.deliveries(caller, namespace, id, lastPosition, Pages.fetch(limit)),
        limit,
        last -> new Cursor(KIND, List.of(Long.toString(last.position()))),
        DeliveryRepository.Row::delivery);
  }

  @GetMapping("/{id}/deliveries/{delivery}")
  @Operation(summary = "Read a delivery", description = "For owners.")
  WebhookDelivery delivery(
      @PathVariable String namespace,
      @PathVariable UUID id,
      @PathVariable UUID delivery,
      Caller caller) {
    return webhooks.delivery(caller, namespace, id, delivery);
  }
}
