package dev.nola.command;

import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the path of a file or folder to write, which cannot be stdout. */
public final class OutputPath implements ITypeConverter<Path> {
  @Override
  public Path convert(String text) {
    if (text.equals("-")) {
      throw new TypeConversionException(
          "'-' is stdout, where results are printed; must be a file or folder");
    }
    return Path.of(text);
  }
}
