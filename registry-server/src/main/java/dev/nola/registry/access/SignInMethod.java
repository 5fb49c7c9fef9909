package dev.nola.registry.access;

import org.springframework.security.config.annotation.web.builders.HttpSecurity;

/** A way to sign in at the pages beside a token. */
public interface SignInMethod {
  /**
   * Returns the name of the link on the page to sign in.
   *
   * @return such as {@code Sign in with Example}
   */
  String label();

  /**
   * Returns the path of that link, to which {@code ?next=} is added.
   *
   * @return a path of this server
   */
  String path();

  /**
   * Adds the filters of the method to those of the pages.
   *
   * @param http security of the pages
   */
  void configure(HttpSecurity http);
}
