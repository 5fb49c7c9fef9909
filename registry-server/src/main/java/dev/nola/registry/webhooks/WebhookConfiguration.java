package dev.nola.registry.webhooks;

import com.github.kagkarlsson.scheduler.task.helper.RecurringTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import com.github.kagkarlsson.scheduler.task.schedule.FixedDelay;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(WebhookSettings.class)
class WebhookConfiguration {
  @Bean
  DnsResolver webhookNames() {
    return SystemDefaultDnsResolver.INSTANCE;
  }

  @Bean
  RecurringTask<Void> forgetWebhookDeliveries(
      DeliveryRepository deliveries, WebhookSettings settings) {
    return Tasks.recurring("forget-webhook-deliveries", FixedDelay.ofHours(1))
        .execute((_, _) -> deliveries.forgetEnded(settings.retention()));
  }
}
