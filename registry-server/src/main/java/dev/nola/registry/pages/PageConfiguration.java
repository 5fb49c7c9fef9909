package dev.nola.registry.pages;

import dev.nola.registry.web.PageRequests;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Duration;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpStatus;
import org.springframework.web.filter.UrlHandlerFilter;
import org.springframework.web.servlet.config.annotation.ResourceHandlerRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import org.springframework.web.servlet.resource.EncodedResourceResolver;
import org.springframework.web.servlet.resource.LiteWebJarsResourceResolver;
import org.springframework.web.servlet.resource.VersionResourceResolver;

/**
 * Serves styles, scripts and pictures. Their URLs have a digest of their content, so that browsers
 * keep them and still see a new release at once.
 */
@Configuration(proxyBeanMethods = false)
class PageConfiguration implements WebMvcConfigurer {
  private static final String[] ASSETS = {
    "classpath:/assets/", "classpath:/META-INF/resources/webjars/"
  };

  /** As many names as the longest address of a page has. */
  private static final String[] WITH_SLASH = {"/*/", "/*/*/", "/*/*/*/", "/*/*/*/*/", "/base/**"};

  private static final Duration KEPT = Duration.ofDays(365);

  /** Leads addresses of pages that end in a slash to those without it. */
  @Bean
  FilterRegistrationBean<Filter> trailingSlashes() {
    UrlHandlerFilter redirect =
        UrlHandlerFilter.trailingSlashHandler(WITH_SLASH)
            .redirect(HttpStatus.PERMANENT_REDIRECT)
            .build();
    FilterRegistrationBean<Filter> registration =
        new FilterRegistrationBean<>(
            (request, response, chain) -> {
              if (request instanceof HttpServletRequest page && PageRequests.isPage(page)) {
                redirect.doFilter(request, response, chain);
              } else {
                chain.doFilter(request, response);
              }
            });
    registration.setName("trailingSlashes");
    registration.setOrder(Ordered.HIGHEST_PRECEDENCE);
    return registration;
  }

  @Override
  public void addResourceHandlers(ResourceHandlerRegistry registry) {
    registry
        .addResourceHandler("/assets/**")
        .addResourceLocations(ASSETS)
        .setCacheControl(CacheControl.maxAge(KEPT).cachePublic().immutable())
        .resourceChain(true)
        .addResolver(new EncodedResourceResolver())
        .addResolver(new VersionResourceResolver().addContentVersionStrategy("/**"))
        .addResolver(new LiteWebJarsResourceResolver()); // finds their versions
  }
}
