package dev.nola.registry.database;

import io.micrometer.core.instrument.MeterRegistry;
import org.aopalliance.intercept.MethodInterceptor;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.Advisor;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.annotation.AnnotationMatchingPointcut;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Role;
import org.springframework.core.Ordered;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionCallback;
import org.springframework.transaction.support.TransactionTemplate;

/** Repeats transactions of both kinds: those of a template, and those of annotated methods. */
@Configuration(proxyBeanMethods = false)
class TransactionConfiguration {
  @Bean
  static TransactionRetry transactionRetry(MeterRegistry meters) {
    return new TransactionRetry(meters);
  }

  @Bean
  static TransactionTemplate transactionTemplate(
      PlatformTransactionManager manager, TransactionRetry retry) {
    return new RetryingTemplate(manager, retry);
  }

  /** Comes before the advice that begins the transaction. */
  @Bean
  @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
  static Advisor retryAdvisor(ObjectProvider<TransactionRetry> retry) {
    MethodInterceptor advice =
        invocation ->
            retry
                .getObject()
                .run(() -> ((ProxyMethodInvocation) invocation).invocableClone().proceed());
    DefaultPointcutAdvisor advisor =
        new DefaultPointcutAdvisor(
            AnnotationMatchingPointcut.forMethodAnnotation(Transactional.class), advice);
    advisor.setOrder(Ordered.HIGHEST_PRECEDENCE);
    return advisor;
  }

  private static final class RetryingTemplate extends TransactionTemplate {
    private static final long serialVersionUID = 1;

    private final transient TransactionRetry retry;

    RetryingTemplate(PlatformTransactionManager manager, TransactionRetry retry) {
      super(manager);
      this.retry = retry;
    }

    @Override
    public <T extends @Nullable Object> T execute(TransactionCallback<T> action) {
      return retry.run(() -> super.execute(action));
    }
  }
}
