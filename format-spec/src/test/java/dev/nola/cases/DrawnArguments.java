package dev.nola.cases;

import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;
import org.junit.jupiter.params.support.ParameterDeclarations;

/** The arguments of a {@link PropertyTest}. */
final class DrawnArguments implements ArgumentsProvider {
  @Override
  public Stream<Arguments> provideArguments(
      ParameterDeclarations declarations, ExtensionContext context) {
    Method method = context.getRequiredTestMethod();
    RandomGenerator random = new SplittableRandom(method.getName().hashCode());
    List<Values> parameters = Arrays.stream(method.getParameters()).map(Values::of).toList();

    List<Arguments> cases = new ArrayList<>();
    cases.add(Arguments.of(parameters.stream().map(v -> v.boundaries().getFirst()).toArray()));
    cases.add(Arguments.of(parameters.stream().map(v -> v.boundaries().getLast()).toArray()));
    for (int p = 0; p < parameters.size(); p++) {
      for (Object boundary : parameters.get(p).boundaries()) {
        Object[] values = draw(parameters, random);
        values[p] = boundary;
        cases.add(Arguments.of(values));
      }
    }
    int drawn = method.getAnnotation(PropertyTest.class).cases();
    for (int i = 0; i < drawn; i++) {
      cases.add(Arguments.of(draw(parameters, random)));
    }
    return cases.stream();
  }

  private static Object[] draw(List<Values> parameters, RandomGenerator random) {
    return parameters.stream().map(values -> values.draw(random)).toArray();
  }

  /** The values of one parameter. */
  private sealed interface Values {
    List<?> boundaries();

    Object draw(RandomGenerator random);

    static Values of(Parameter parameter) {
      Range range = parameter.getAnnotation(Range.class);
      if (range != null) {
        return new Ints(range.min(), range.max());
      } else if (parameter.getType() == int.class) {
        return new Ints(Integer.MIN_VALUE, Integer.MAX_VALUE);
      } else if (parameter.getType() == long.class) {
        return new Longs();
      }
      return new Constants(List.of(parameter.getType().getEnumConstants()));
    }
  }

  private record Ints(int min, int max) implements Values {
    @Override
    public List<Integer> boundaries() {
      return LongStream.of(min, min + 1L, -1, 0, 1, max - 1L, max)
          .filter(value -> min <= value && value <= max)
          .sorted()
          .distinct()
          .mapToObj(Math::toIntExact)
          .toList();
    }

    /** Draws from every order of magnitude equally often, or from all values. */
    @Override
    public Integer draw(RandomGenerator random) {
      long count = (long) max - min + 1;
      long few = 1L << random.nextInt(Long.SIZE - Long.numberOfLeadingZeros(count));
      return (int) (min + random.nextLong(random.nextBoolean() ? few : count));
    }
  }

  private record Longs() implements Values {
    @Override
    public List<Long> boundaries() {
      return List.of(Long.MIN_VALUE, -1L, 0L, 1L, Long.MAX_VALUE);
    }

    @Override
    public Long draw(RandomGenerator random) {
      return random.nextLong();
    }
  }

  private record Constants(List<?> constants) implements Values {
    @Override
    public List<?> boundaries() {
      return constants;
    }

    @Override
    public Object draw(RandomGenerator random) {
      return constants.get(random.nextInt(constants.size()));
    }
  }

  /** Puts the arguments before the message of a failure. */
  static final class ShownOnFailure implements InvocationInterceptor {
    @Override
    public void interceptTestTemplateMethod(
        Invocation<Void> invocation,
        ReflectiveInvocationContext<Method> method,
        ExtensionContext context)
        throws Throwable {
      try {
        invocation.proceed();
      } catch (Exception | AssertionError e) {
        throw new AssertionError("with " + method.getArguments() + ": " + e.getMessage(), e);
      }
    }
  }
}
