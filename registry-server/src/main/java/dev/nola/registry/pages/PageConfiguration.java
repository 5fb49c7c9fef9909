package dev.nola.registry.pages;

import java.time.Duration;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.CacheControl;
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

  private static final Duration KEPT = Duration.ofDays(365);

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
