package dev.nola.cases;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ArgumentsSource;

/**
 * A test that holds for any arguments. It runs on the boundary values of its parameters, then on
 * drawn ones: the same at every run, because the method's name seeds the draws. A parameter is a
 * long, an int (of {@link Range}, if it has one) or a constant of an enum.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedTest(name = "{argumentsWithNames}")
@ArgumentsSource(DrawnArguments.class)
@ExtendWith(DrawnArguments.ShownOnFailure.class)
public @interface PropertyTest {
  /** The number of drawn cases, in addition to those of the boundary values. */
  int cases();
}
