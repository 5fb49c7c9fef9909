package dev.nola.registry.web;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Lets an endpoint receive more JSON than the standard limit of one megabyte. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface MaxBody {
  /**
   * Returns the limit.
   *
   * @return maximum size of the body, in units of 1048576 bytes
   */
  int megabytes();
}
