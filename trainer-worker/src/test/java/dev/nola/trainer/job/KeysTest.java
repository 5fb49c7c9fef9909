package dev.nola.trainer.job;

import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.io.InputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeysTest {
  /** The tables of keys refer to each other; a job file decides which of them is needed first. */
  @ParameterizedTest
  @ValueSource(
      classes = {
        Keys.class,
        ModelKeys.class,
        DataKeys.class,
        ImageKeys.class,
        MethodKeys.class,
        RunKeys.class,
        Settings.class,
        Defaults.class,
        FactorLimits.class,
        KeyNames.class
      })
  void everyTable_canBeInitializedFirst(Class<?> table) {
    assertThatCode(() -> Class.forName(table.getName(), true, new FreshClasses()))
        .doesNotThrowAnyException();
  }

  /** Loads this package's classes once more, not initialized yet. */
  private static final class FreshClasses extends ClassLoader {
    FreshClasses() {
      super(KeysTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith(KeysTest.class.getPackageName() + ".")) {
        return super.loadClass(name, resolve);
      }
      Class<?> loaded = findLoadedClass(name);
      if (loaded != null) {
        return loaded;
      }
      try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
        if (in == null) {
          throw new ClassNotFoundException(name);
        }
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }
}
