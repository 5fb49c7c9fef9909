package dev.nola.cases;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The values that an int parameter of a {@link PropertyTest} takes. */
@Target(ElementType.PARAMETER)
@Retention(RetentionPolicy.RUNTIME)
public @interface Range {
  /** The smallest value. */
  int min();

  /** The largest value. */
  int max();
}
