package dev.nola.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nola.format.AdapterFile;
import dev.nola.reconstruct.Reconstructor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class SpecExampleTest {
  @Test
  void hexDumpInTheSpecificationIsTheFileItDescribes() throws IOException {
    String spec = Files.readString(Path.of("SPEC.md"));
    String hex =
        Pattern.compile("(?m)^[0-9a-f]{4} (( [0-9a-f]{2}){1,16})$")
            .matcher(spec)
            .results()
            .map(line -> line.group(1).replace(" ", ""))
            .collect(Collectors.joining());
    AdapterFile file = Reconstructor.standard().seal(SpecExample.adapter());

    assertThat(hex).isEqualTo(HexFormat.of().formatHex(file.toBytes()));
    assertThat(AdapterFile.read(HexFormat.of().parseHex(hex))).isEqualTo(file);
  }
}
